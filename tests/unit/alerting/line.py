"""A log with the machine on it and receivers that take what comes, for stories told step by step."""

from dataclasses import dataclass, field
from typing import Any

from schemas.alerting import SILENCE_KEY, Silence
from schemas.alerts import AlertFact, WebhookMessage
from schemas.base import from_ms
from schemas.policy import Policy, PolicyInForce
from services.alerting.groups.timekeeper_io import tick
from services.alerting.machine import AlertingMachine, build
from services.alerting.telling import Due
from services.runtime.ids import derive
from services.runtime.machines.machine import Output, Record
from tests.unit.alerting.facts import INDICATORS, T0_MS, fact, opening, reported

MINUTE = 60.0


@dataclass
class Line:
    """Seconds count from the beginning. away: receivers that take nothing at present."""

    machine: AlertingMachine = field(default_factory=lambda: build(0))
    seconds: float = 0.0
    seq: int = 0
    away: set[str] = field(default_factory=set)
    got: list[Due] = field(default_factory=list)
    outputs: list[Output] = field(default_factory=list)

    @property
    def now_ms(self) -> int:
        return T0_MS + round(self.seconds * 1000)

    def put(self, key: bytes, value: bytes) -> None:
        """A record, and what is due delivered."""
        self.outputs += self.machine.apply(Record(self.machine.next_offset, self.now_ms, key, value))
        self.deliver()

    def say(self, one: AlertFact) -> None:
        self.put(one.alert_id.encode(), one.model_dump_json().encode())

    def deliver(self) -> None:
        while due := next((each for each in self.machine.heads() if each.receiver not in self.away), None):
            self.got.append(due)
            said = reported(self.machine, due.webhook_id, "delivered", due.alert_id, due.number)
            value = said.model_dump_json().encode()
            record = Record(self.machine.next_offset, self.now_ms, said.alert_id.encode(), value)
            self.outputs += self.machine.apply(record)

    def policy(self, **alerting: Any) -> "Line":
        """Puts a policy in force; `calendar` and `maintenance` are of the policy itself."""
        whole = {name: alerting.pop(name) for name in ("calendar", "maintenance") if name in alerting}
        policy = Policy.model_validate({"version": 1, "alerting": alerting, **whole})
        self.put(b"policy", PolicyInForce(policy=policy).model_dump_json().encode())
        return self

    def opens(self, name: str, subject: str = "channel:a", **words: Any) -> None:
        self.say(opening(0, derive(name), self.now_ms, subject=subject, **words))

    def goes_on(self, name: str, writer: str = INDICATORS, **words: Any) -> None:
        self.seq += 1
        self.say(fact(self.seq, writer, derive(name), self.now_ms, **words))

    def ends(self, name: str) -> None:
        self.goes_on(name, status="resolved")

    def acknowledged(self, name: str) -> None:
        self.goes_on(name, "channel_control:0", acknowledged_by="li")

    def silenced(self, until: float | None, subject: str = "channel:a", alert: str | None = None) -> None:
        """Until so many seconds from the beginning; None ends it."""
        alert_id = None if alert is None else derive(alert)
        silence = Silence(
            silence_id=derive(alert_id or subject),
            alert_id=alert_id,
            subject=subject,
            by="person:li",
            since=from_ms(self.now_ms),
            until=None if until is None else from_ms(T0_MS + round(until * 1000)),
        )
        self.put(SILENCE_KEY, silence.model_dump_json().encode())

    def wait(self, seconds: float) -> None:
        """Time passes as the timekeeper makes it: a record at each moment that the machine waits for."""
        end = self.seconds + seconds
        while (look := self.machine.next_look()) is not None and look[0] <= T0_MS + end * 1000:
            self.seconds = (look[0] - T0_MS) / 1000
            self.say(tick(0, look, self.now_ms / 1000))
        self.seconds = end

    def told(self) -> list[str]:
        """What has arrived since the last time: `receiver: change occasion ×alerts`."""
        lines = [_line(due) for due in self.got]
        self.got = []
        return lines

    def last(self) -> WebhookMessage:
        """The latest message that has arrived."""
        return WebhookMessage.model_validate_json(self.got[-1].body)


def _line(due: Due) -> str:
    message = WebhookMessage.model_validate_json(due.body)
    times = "" if message.group is None else f" x{len(message.group.alerts) + message.group.more}"
    why = "" if message.occasion == "news" else f" {message.occasion}"
    return f"{due.receiver}: {due.change.removeprefix('alert.')}{why}{times}"
