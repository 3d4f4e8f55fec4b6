"""What must hold of the governor, whatever is ordered and decided, over all partitions.

Written down once, here:

1.  What automation stops at once by itself never exceeds the policy's count of channels, nor what it stopped within an
    hour; only people go beyond.
2.  No stop of automation on a channel acts before it was granted or people approved it.
3.  The governor knows exactly what acts and what waits beyond it: a hold that is gone has given its share back.
4.  One alert is open while anything waits beyond the governor, and none while nothing does.
5.  The same logs give the same outputs on every partition.
"""

import json
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from schemas.base import from_ms
from services.channel_control.holding.deadlines import overdue
from services.channel_control.holding.holds import counts, waits
from services.channel_control.machine import ControlMachine
from tests.unit.channel_control.cluster import Cluster
from tests.unit.channel_control.orders import hex_id, order, persons, said

CHANNELS = [f"channel:{number}" for number in range(7)]
LIMITS = {"channels_at_once": 2, "channels_per_hour": 3, "always": 0}
HOUR_MS = 3_600_000

channels = st.sampled_from(CHANNELS)


class Governed(RuleBasedStateMachine):
    """Seven channels on three partitions."""

    def __init__(self) -> None:
        super().__init__()
        self.cluster = Cluster(governor=LIMITS)
        self.ids = 0
        self.open: set[str] = set()

    def give(self, fields: dict[str, Any]) -> None:
        for fact in said(self.cluster.give(fields), "alerts"):
            if fact["indicator"] == "governor":
                self.open.discard(fact["alert_id"]) if fact["status"] == "resolved" else self.open.add(fact["alert_id"])

    def new(self) -> int:
        self.ids += 1
        return self.ids

    @rule(
        name=channels,
        kind=st.sampled_from(["pause", "pause", "throttle"]),
        alert=st.integers(1, 2),
        level=st.integers(1, 2),
        by=st.sampled_from(["cac_spike", "complaint_volume"]),
    )
    def automation_stops(self, name: str, kind: str, alert: int, level: int, by: str) -> None:
        about = {"target": name, "alert_id": hex_id(16 * CHANNELS.index(name) + alert), "issued_by": f"indicator:{by}"}
        self.give(order(self.new(), kind, event_time=None, factor=0.5, level=level, **about))

    @rule(name=channels, word=st.sampled_from(["resume", "approve", "reject"]), data=st.data())
    def person_decides(self, name: str, word: str, data: st.DataObject) -> None:
        target = self.cluster.target(name)
        if target.holds:
            hold = data.draw(st.sampled_from(target.holds))
            about = {"target": name, "hold_ids": [hold.hold_id], "expected_generation": target.generation}
            self.give(
                persons(self.new(), word, issued_by=f"person:{data.draw(st.sampled_from(['li', 'wu']))}", **about)
            )

    @rule(name=channels)
    def trouble_eases(self, name: str) -> None:
        alert = hex_id(16 * CHANNELS.index(name) + 1)
        self.give(persons(self.new(), "eased", target=name, alert_id=alert, issued_by="indicator:cac_spike"))

    @rule(minutes=st.sampled_from([1, 11, 61, 250]))
    def time_passes(self, minutes: int) -> None:
        self.cluster.now_ms += minutes * 60_000
        for machine in self.cluster.machines:
            reports, _ = overdue(list(machine.timed.values()), from_ms(self.cluster.now_ms))
            for report in reports:
                self.give(json.loads(report.model_dump_json()))

    @invariant()
    def automation_keeps_within_the_limits(self) -> None:
        own = [stop for stop in self.cluster.governor.granted if not stop.claim.approved]
        assert len({stop.claim.target for stop in own}) <= LIMITS["channels_at_once"]  # 1
        since = from_ms(self.cluster.now_ms - HOUR_MS)
        lately = [stop for stop in (*own, *self.cluster.governor.past) if stop.at > since and not stop.claim.approved]
        assert len({stop.claim.target for stop in lately}) <= LIMITS["channels_per_hour"]  # 1

    @invariant()
    def the_governor_knows_what_stands(self) -> None:
        holds = [hold for name in CHANNELS for hold in self.cluster.target(name).holds if hold.claim is not None]
        acting = {hold.hold_id for hold in holds if counts(hold) or (hold.ramp is not None and hold.ramp.step == 1)}
        beyond = {hold.hold_id for hold in holds if waits(hold)}
        assert all(hold.claim == "granted" or hold.approval == "granted" for hold in holds if counts(hold))  # 2
        assert {stop.claim.hold_id for stop in self.cluster.governor.granted} == acting  # 3
        assert {stop.claim.hold_id for stop in self.cluster.governor.waiting} == beyond  # 3
        assert len(self.open) == bool(beyond)  # 4
        assert not self.cluster.governor.gathered, "all that came is answered"

    def teardown(self) -> None:
        for number, log in enumerate(self.cluster.logs):
            again = ControlMachine(number, len(self.cluster.logs))
            assert [again.apply(record) for record in log] == self.cluster.said[number]  # 5


TestGoverned = Governed.TestCase
TestGoverned.settings = settings(
    max_examples=40, stateful_step_count=30, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
