"""What holds whatever happens: people are told the truth, in order, once, and never half of it.

Of each receiver:
- no end or rise of an alert without its opening, nothing after its end, and the severity told never falls;
- of one alert one message is due at a time;
- nothing becomes due about what is silenced; what still fires when the silence is over is told;
- nobody is called up the ladder for what somebody has acknowledged;
- the same log gives the same, wherever it was cut by snapshots and deaths.
"""

from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from schemas.alerting import SILENCE_KEY, Silence
from schemas.alerts import AlertFact, WebhookMessage
from schemas.base import from_ms
from schemas.policy import Policy, PolicyInForce
from services.alerting.machine import AlertingMachine, build
from services.alerting.telling import SEVERITIES, Due
from services.runtime.ids import derive
from services.runtime.machines.machine import Output, Record
from tests.unit.alerting.facts import INDICATORS, T0_MS, fact, opening, reported, told

MINUTE_MS = 60_000
REPEAT_MS = 30 * MINUTE_MS
ALERTS = [derive("property", str(number)) for number in range(6)]
CHANNELS = ["channel:a", "channel:b"]
POLICY: dict[str, Any] = {
    "version": 1,
    "alerting": {
        "storm": {"alerts": 2, "within": "1m"},
        "routes": [
            {
                "name": "page",
                "match": {"severity": ["critical"]},
                "receivers": ["pager"],
                "ladder": [{"after": "10m", "receivers": ["boss"]}, {"after": "20m", "receivers": ["boss", "board"]}],
                "repeat": "30m",
                "also": True,
            },
            {"name": "chat", "receivers": ["chat"]},
        ],
    },
}
_alert = st.integers(0, len(ALERTS) - 1)


class Telling(RuleBasedStateMachine):
    """A log that grows, the machine on it, and what its receivers have got."""

    @initialize()
    def begin(self) -> None:
        self.machine: AlertingMachine = build(0)
        self.log: list[Record] = []
        self.made: list[list[Output]] = []
        self.snapshot: dict[bytes, bytes] = {}
        self.saved = 0
        self.now_ms = T0_MS
        self.seq = 0
        self.subjects: dict[str, str] = {}
        self.status: dict[str, tuple[str, int]] = {}
        self.silences: dict[str, int] = {}
        self.acked: dict[str, int] = {}
        self.got: dict[tuple[str, str], list[tuple[str, int]]] = {}
        self.failed: set[tuple[str, str]] = set()
        value = PolicyInForce(policy=Policy.model_validate(POLICY)).model_dump_json().encode()
        self.append(b"policy", value)

    def append(self, key: bytes, value: bytes) -> None:
        before = {due.webhook_id for due in self.machine.heads()}
        self.log.append(Record(len(self.log), self.now_ms, key, value))
        self.made.append(list(self.machine.apply(self.log[-1])))
        for due in self.machine.heads():
            if due.webhook_id not in before:
                self.check_due(due)

    def say(self, one: AlertFact) -> None:
        self.append(one.alert_id.encode(), one.model_dump_json().encode())

    def check_due(self, due: Due) -> None:
        for alert_id, change, _ in told(due):
            scopes = (alert_id, self.subjects[alert_id])
            assert all(self.silences.get(scope, 0) <= self.now_ms for scope in scopes), "told what is silenced"
            if due.receiver in ("boss", "board") and change == "opened":
                assert self.acked.get(alert_id, -REPEAT_MS) + REPEAT_MS <= self.now_ms, (
                    "called for what is acknowledged"
                )

    @rule(alert=_alert, channel=st.sampled_from(CHANNELS), severity=st.sampled_from(SEVERITIES[1:]))
    def opens(self, alert: int, channel: str, severity: str) -> None:
        alert_id = ALERTS[alert]
        if alert_id not in self.status:
            self.subjects[alert_id] = channel
            self.status[alert_id] = ("open", SEVERITIES.index(severity))
            self.say(opening(0, alert_id, self.now_ms, subject=channel, severity=severity))

    @rule(alert=_alert)
    def worsens(self, alert: int) -> None:
        alert_id = ALERTS[alert]
        if self.status.get(alert_id, ("", 0))[0] == "open":
            self.seq += 1
            self.status[alert_id] = ("open", 2)
            self.say(fact(self.seq, INDICATORS, alert_id, self.now_ms, severity="critical", level=self.seq))

    @rule(alert=_alert)
    def ends(self, alert: int) -> None:
        alert_id = ALERTS[alert]
        if self.status.get(alert_id, ("", 0))[0] == "open":
            self.seq += 1
            self.status[alert_id] = ("resolved", self.status[alert_id][1])
            self.say(fact(self.seq, INDICATORS, alert_id, self.now_ms, status="resolved"))

    @rule(alert=_alert)
    def is_acknowledged(self, alert: int) -> None:
        if ALERTS[alert] in self.status:
            self.seq += 1
            self.acked[ALERTS[alert]] = self.now_ms
            self.say(fact(self.seq, "channel_control:0", ALERTS[alert], self.now_ms, acknowledged_by="li"))

    @rule(scope=st.sampled_from(["alert", *CHANNELS]), alert=_alert, minutes=st.sampled_from([0, 1, 15]))
    def is_silenced(self, scope: str, alert: int, minutes: int) -> None:
        alert_id = ALERTS[alert] if scope == "alert" else None
        until_ms = self.now_ms + minutes * MINUTE_MS
        self.silences[alert_id or scope] = until_ms
        silence = Silence(
            silence_id=derive(alert_id or scope),
            alert_id=alert_id,
            subject=CHANNELS[0] if alert_id else scope,
            by="person:li",
            since=from_ms(self.now_ms),
            until=from_ms(until_ms) if minutes else None,
        )
        self.append(SILENCE_KEY, silence.model_dump_json().encode())

    @rule(seconds=st.sampled_from([1, 16, 61, 601, 1801]))
    def time_passes(self, seconds: int) -> None:
        self.now_ms += seconds * 1000
        self.tick()

    def tick(self) -> None:
        """What the timekeeper writes: any record will do."""
        self.append(b"x", b"{}")

    @precondition(lambda self: self.machine.waiting())
    @rule(data=st.data(), arrives=st.sampled_from([True, True, True, False]))
    def is_delivered(self, data: st.DataObject, arrives: bool) -> None:
        heads = sorted(self.machine.heads(), key=lambda due: due.webhook_id)
        self.deliver(data.draw(st.sampled_from(heads)), arrives)

    def deliver(self, due: Due, arrives: bool) -> None:
        severity = SEVERITIES.index(WebhookMessage.model_validate_json(due.body).data.severity)
        for alert_id, change, why in told(due):
            story = self.got.setdefault((due.receiver, alert_id), [])
            if not arrives:
                self.failed.add((due.receiver, alert_id))
                continue
            changes = [each for each, _ in story]
            if change == "opened" or why == "story":
                assert not story, "opened twice"
            else:
                assert changes[0] == "opened", "half a story"
            assert "resolved" not in changes, "told after its end"
            story.append((change, severity if alert_id == due.alert_id else 0))
        outcome = "delivered" if arrives else "failed"
        self.say(reported(self.machine, due.webhook_id, outcome, due.alert_id, due.number))

    @rule()
    def is_saved(self) -> None:
        self.save(self.machine)
        self.saved = len(self.log)

    def save(self, machine: AlertingMachine) -> None:
        for key, value in machine.changed():
            if value is None:
                self.snapshot.pop(key, None)
            else:
                self.snapshot[key] = value
        machine.rewind(len(self.log))

    @rule()
    def dies(self) -> None:
        """Killed, it comes back from its last snapshot and says the same again."""
        machine = build(0)
        if self.snapshot:
            machine.load(sorted(self.snapshot.items()))
        machine.rewind(self.saved)
        for record, made in zip(self.log[self.saved :], self.made[self.saved :], strict=True):
            assert list(machine.apply(record)) == made
        assert {due.webhook_id: due for due in machine.heads()} == {due.webhook_id: due for due in self.machine.heads()}
        assert machine.next_look() == self.machine.next_look()
        self.machine = machine

    @invariant()
    def of_one_alert_one_message_is_due_at_a_time(self) -> None:
        due = [(due.receiver, alert_id) for due in self.machine.heads() for alert_id, _, _ in told(due)]
        assert len(due) == len(set(due))

    def teardown(self) -> None:
        """At last all arrives and no silence stands: everybody knows what there is, and nobody is owed anything."""
        if not hasattr(self, "machine"):
            return
        self.now_ms += 16 * MINUTE_MS
        self.tick()
        for _ in range(100):
            while self.machine.waiting():
                self.deliver(next(self.machine.heads()), arrives=True)
            look = self.machine.next_look()
            if look is None or look[0] > self.now_ms + 10 * MINUTE_MS:
                break
            self.now_ms = look[0]
            self.tick()
        for alert_id, (status, severity) in self.status.items():
            for receiver in ["chat", *(["pager"] if severity == 2 else [])]:
                changes = [change for change, _ in self.got.get((receiver, alert_id), [])]
                if (receiver, alert_id) not in self.failed:
                    assert status != "open" or "opened" in changes, f"{receiver} never heard of what stands"
                    assert status == "open" or changes[-1:] in ([], ["resolved"]), f"{receiver} never heard of the end"


TestTelling = Telling.TestCase
TestTelling.settings = settings(
    max_examples=40, stateful_step_count=40, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
