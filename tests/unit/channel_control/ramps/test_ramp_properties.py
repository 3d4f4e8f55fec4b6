"""What must hold of holds that open by themselves, whatever is ordered, whenever the companion looks, wherever it dies.

Written down once, here:

1.  A target is at least as strict as every hold that stands on it, an opening one counting by the step it has reached.
2.  Only `due`, a person, and nothing else, loosens a target; and `due` loosens it by one step of one hold at most.
3.  No step comes before its time by the broker's clock, and none before its hold has been told that its trouble eased.
4.  A step is taken once, however often it is reported and wherever the process dies.
5.  While a stricter hold stands, or it waits for approval, nothing opens; then the watch begins anew.
6.  A relapse shuts what was opening and at least doubles its wait; past the longest wait nothing opens by itself.
7.  A hold that a guardrail placed, or that a guardrail ended, opens only by a person.
8.  A ramp that nothing disturbs ends: the hold is lifted.
9.  The same log gives the same outputs, with snapshots and restarts anywhere.
"""

import json
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from schemas.base import from_ms
from schemas.channels import Hold
from schemas.commands import Command
from services.channel_control.holding.deadlines import overdue
from services.channel_control.holding.holds import acts, asked_of, counts, effective, strictness, waits
from services.channel_control.holding.target import Target
from services.channel_control.machine import ControlMachine
from services.channel_control.ramps.ramps import running
from services.runtime.machines.machine import Output, Record
from tests.unit.channel_control.orders import CHANNEL, NOW_MS, hex_id, order, persons, record

SIGNALS = ("indicator:cac_spike", "indicator:search_divergence")
GUARDRAIL = "indicator:complaint_volume"
MINUTE_MS = 60_000
LONGEST_S = 3600.0
POLICY = {
    "search_divergence": {"resume": {"wait": "5m", "watch": "7m", "longest_wait": "1h", "steps": [0.1, 0.6, 1.0]}}
}

signals = st.sampled_from(SIGNALS)
alerts = st.integers(1, 3)
kinds = st.sampled_from(["pause", "throttle"])
maturities = st.sampled_from(["auto", "approve"])


def left(target: Target) -> tuple[int, float]:
    """Smaller is stricter; what runs is the loosest."""
    status, factor = effective(target.holds)
    return (1, 1.0) if status == "running" else (-["throttled", "paused", "frozen", "taken_down"].index(status), factor)


class Ramps(RuleBasedStateMachine):
    """One channel's life under two signals, a guardrail and a person."""

    def __init__(self) -> None:
        super().__init__()
        self.machine = ControlMachine(0)
        self.log: list[Record] = []
        self.outputs: list[list[Output]] = []
        self.snapshot: dict[bytes, bytes] = {}
        self.ids = 0
        self.now_ms = NOW_MS
        policy = {"v": 1, "policy": {"version": 1, "governor": {"enabled": False}, "indicators": POLICY}}
        self.append(Record(0, self.now_ms, b"policy", json.dumps(policy).encode()))

    @property
    def channel(self) -> Target:
        return self.machine.target(CHANNEL)

    def append(self, entry: Record) -> None:
        self.log.append(entry)
        self.outputs.append(self.machine.apply(entry))

    def give(self, fields: dict[str, Any]) -> tuple[Target, Target]:
        """One order; the channel before and after it."""
        self.now_ms += 10
        before = self.channel
        self.append(record(len(self.log), fields, self.now_ms))
        after = self.channel
        if fields["command"] not in ("due", "resume"):
            assert left(after) <= left(before)  # 2
        for hold in after.holds:
            old = next((each for each in before.holds if each.hold_id == hold.hold_id), hold)
            if step_of(hold) > step_of(old):
                assert fields["command"] == "due"  # 2
                assert not is_behind(old, before)  # 5
                assert old.ramp is not None and old.ramp.next_at is not None
                assert old.ramp.next_at <= from_ms(self.now_ms)  # 3
            if is_guardrail(hold):
                assert hold.ramp is None  # 7
        return before, after

    def new(self) -> int:
        self.ids += 1
        return self.ids

    @rule(
        by=signals,
        alert=alerts,
        kind=st.sampled_from(["pause", "throttle"]),
        maturity=st.sampled_from(["auto", "approve"]),
    )
    def signal_orders(self, by: str, alert: int, kind: str, maturity: str) -> None:
        fields = order(self.new(), kind, issued_by=by, alert_id=hex_id(alert), event_time=None, factor=0.3)
        before, after = self.give(fields | {"maturity": maturity})
        for hold in before.holds:
            ramp = running(hold)
            if ramp is None or hold.by != by or waits(hold):
                continue
            back = next((each for each in after.holds if each.hold_id == hold.hold_id), None)
            if back is not None and back.ramp is not None:
                assert (back.ramp.step, back.ramp.wait_s) == (0.0, ramp.wait_s * 2)  # 6
                assert (back.ramp.state == "person") == (back.ramp.wait_s > longest(by))  # 6
            else:
                assert left(after) <= strictness(asked_of(shut(hold)))  # 6: a stronger one of its alert came instead

    @rule()
    def guardrail_stops(self) -> None:
        _, after = self.give(order(self.new(), issued_by=GUARDRAIL, alert_id=hex_id(0xF)))
        assert not any(running(hold) for hold in after.holds)  # 7

    @rule(by=st.sampled_from([*SIGNALS, GUARDRAIL]), alert=st.sampled_from([1, 2, 3, 0xF]))
    def some_trouble_eases(self, by: str, alert: int) -> None:
        self.ease(by, hex_id(alert))

    @precondition(lambda self: any(hold.alert_id for hold in self.channel.holds))
    @rule(data=st.data(), minutes=st.sampled_from([0, 5, 10]))
    def the_trouble_of_a_hold_eases(self, data: st.DataObject, minutes: int) -> None:
        hold = data.draw(st.sampled_from([hold for hold in self.channel.holds if hold.alert_id]))
        self.ease(hold.by, str(hold.alert_id))
        self.now_ms += minutes * MINUTE_MS
        self.companion_looks(0, 1)

    def ease(self, by: str, alert: str) -> None:
        before, after = self.give(persons(self.new(), "eased", issued_by=by, alert_id=alert))
        assert left(after) == left(before)  # 3

    @rule(kind=kinds)
    def person_stops(self, kind: str) -> None:
        self.give(persons(self.new(), kind, factor=0.7))

    @rule(data=st.data())
    def person_lifts_one(self, data: st.DataObject) -> None:
        if self.channel.holds:
            hold = data.draw(st.sampled_from(self.channel.holds))
            generation = self.channel.generation
            self.give(persons(self.new(), "resume", expected_generation=generation, hold_ids=[hold.hold_id]))

    @rule(data=st.data())
    def person_approves(self, data: st.DataObject) -> None:
        asked = [hold for hold in self.channel.holds if hold.approval == "waiting"]
        if asked:
            hold, generation = data.draw(st.sampled_from(asked)), self.channel.generation
            self.give(persons(self.new(), "approve", expected_generation=generation, hold_ids=[hold.hold_id]))

    @rule(minutes=st.sampled_from([1, 5, 10, 30]))
    def time_passes(self, minutes: int) -> None:
        self.now_ms += minutes * MINUTE_MS

    @precondition(lambda self: self.machine.ramping)
    @rule(minutes=st.sampled_from([7, 10]), ahead_min=st.sampled_from([0, 20]), times=st.integers(1, 2))
    def time_of_a_step_passes(self, minutes: int, ahead_min: int, times: int) -> None:
        self.now_ms += minutes * MINUTE_MS
        self.companion_looks(ahead_min, times)

    def companion_looks(self, ahead_min: int, times: int) -> None:
        """Its clock may be fast, and it may say the same twice."""
        reports, _ = overdue(self.machine.timed.values(), from_ms(self.now_ms + ahead_min * MINUTE_MS))
        for report in reports * times:
            before, after = self.give(json.loads(report.model_dump_json()))
            moved = [
                hold for hold in before.holds if hold not in after.holds and hold.hold_id in (report.hold_ids or ())
            ]
            assert len(moved) <= 1  # 2
        assert len({report.command_id for report in reports}) == len(reports)

    @rule()
    def snapshot_is_taken(self) -> None:
        for key, value in self.machine.changed():
            if value is None:
                del self.snapshot[key]
            else:
                self.snapshot[key] = value

    @rule()
    def everything_is_lost_and_read_again(self) -> None:
        """A death before any snapshot: the log alone gives the same holds and the same outputs."""
        fresh = ControlMachine(0)
        assert [fresh.apply(entry) for entry in self.log] == self.outputs  # 4, 9
        assert fresh.target(CHANNEL) == self.channel

    @rule()
    def the_process_dies_after_a_snapshot(self) -> None:
        self.snapshot_is_taken()
        fresh = ControlMachine(0)
        fresh.load(self.snapshot.items())
        fresh.rewind(len(self.log))
        assert fresh.target(CHANNEL) == self.channel and dict(fresh.ramping) == dict(self.machine.ramping)
        self.machine = fresh  # 9

    @invariant()
    def nothing_runs_that_a_hold_stops(self) -> None:
        for hold in self.channel.holds:
            if counts(hold):
                assert left(self.channel) <= strictness(asked_of(hold))  # 1

    @invariant()
    def what_is_behind_waits_and_what_opens_has_a_time(self) -> None:
        for hold in self.channel.holds:
            ramp = running(hold)
            assert (ramp is not None) == (hold.ramp is not None and hold.ramp.state in ("opening", "behind"))
            if ramp is not None:
                assert (ramp.state == "behind") == (ramp.next_at is None) == is_behind(hold, self.channel)  # 5
            elif hold.ramp is not None:
                assert (hold.ramp.step, hold.ramp.next_at) == (0.0, None)

    def teardown(self) -> None:
        """Left alone, with nobody's holds but those that open, everything ends."""
        for _ in range(60):
            self.now_ms += 120 * MINUTE_MS
            reports, next_s = overdue(self.machine.timed.values(), from_ms(self.now_ms))
            if not reports and next_s is None:
                break
            for report in reports:
                self.give(json.loads(report.model_dump_json()))
        assert not any(running(hold) and not is_behind(hold, self.channel) for hold in self.channel.holds)  # 8


def step_of(hold: Hold) -> float:
    return 0.0 if hold.ramp is None else hold.ramp.step


def named(hold: Hold, report: Command) -> bool:
    return hold.hold_id in (report.hold_ids or ())


def longest(by: str) -> float:
    return LONGEST_S if by.endswith("search_divergence") else 4 * LONGEST_S


def shut(hold: Hold) -> Hold:
    return hold.model_copy(update={"ramp": None})


def is_guardrail(hold: Hold) -> bool:
    return hold.by == GUARDRAIL


def is_behind(hold: Hold, target: Target) -> bool:
    mine = strictness(asked_of(hold))
    return waits(hold) or any(acts(other) and strictness(asked_of(other)) < mine for other in target.holds)


TestRamps = Ramps.TestCase
TestRamps.settings = settings(
    max_examples=40, stateful_step_count=40, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)


@given(
    orders=st.integers(0, 5),
    pauses=st.lists(st.sampled_from([1, 10, 25]), min_size=6, max_size=6),
)
@settings(max_examples=40, deadline=None)
def test_each_relapse_waits_twice_as_long_until_a_person_is_needed(orders: int, pauses: list[int]) -> None:
    machine, now_ms, offset = ControlMachine(0), NOW_MS, 0

    def give(fields: dict[str, Any]) -> None:
        nonlocal offset
        offset += 1
        machine.apply(record(offset, fields, now_ms))

    for number in range(orders + 1):
        alert = hex_id(0x10 + number)
        give(order(10 * number + 1, issued_by=SIGNALS[1], alert_id=alert, event_time=None))
        give(persons(10 * number + 2, "eased", issued_by=SIGNALS[1], alert_id=alert))
        now_ms += pauses[number] * MINUTE_MS
        for report in overdue(machine.timed.values(), from_ms(now_ms))[0]:
            give(json.loads(report.model_dump_json()))
    (hold,) = machine.target(CHANNEL).holds
    assert hold.ramp is not None and hold.ramp.relapses == orders
    assert hold.ramp.wait_s == 600.0 * 2**hold.ramp.relapses
    assert (hold.ramp.state == "person") == (orders == 5)
