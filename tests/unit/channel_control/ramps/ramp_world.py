"""A machine that holds one channel, with its companion, on one clock; what indicators say, and what it tells."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from schemas.channels import Ramp
from services.channel_control.holding.deadlines import overdue
from services.channel_control.holding.target import Target
from services.channel_control.machine import ControlMachine
from services.runtime.machines.machine import Output, Record
from tests.unit.channel_control.orders import CHANNEL, NOW_MS, hex_id, order, persons, record, said

AT = datetime(2026, 1, 1, tzinfo=UTC)
SIGNAL, GUARDRAIL = "indicator:search_divergence", "indicator:complaint_volume"
A, B, C = (hex_id(each) for each in (0xA, 0xB, 0xC))


def signal(number: int, word: str = "pause", **fields: Any) -> dict[str, Any]:
    return order(number, word, **{"issued_by": SIGNAL, "event_time": None} | fields)


def eased(number: int, alert: str = A, by: str = SIGNAL, **fields: Any) -> dict[str, Any]:
    """The indicator's word that an episode is over; it says nothing of maturity or level."""
    said_ = persons(number, "eased", issued_by=by, alert_id=alert, event_time="2025-12-31T23:00:00Z")
    return said_ | fields


class World:
    """A machine, its log and its companion on one clock, in minutes since the beginning."""

    def __init__(self, **policy: Any) -> None:
        self.machine = ControlMachine(0)
        self.minute = 0.0
        self._offset = 0
        if policy:
            self.apply(policy)

    def apply(self, policy: dict[str, Any]) -> None:
        """Another policy."""
        value = json.dumps(
            {"v": 1, "policy": {"version": 2, "governor": {"enabled": False}, "indicators": policy}}
        ).encode()
        self.machine.apply(Record(self._next(), self._ms(), b"policy", value))

    def switch(self, word: str) -> None:
        """A person switches automation off or on."""
        fields = persons(self._next(), word, target="automation:all", note="on purpose")
        self.machine.apply(Record(self._next(), self._ms(), b"automation", json.dumps(fields).encode()))

    def _next(self) -> int:
        self._offset += 1
        return self._offset

    def _ms(self) -> int:
        return NOW_MS + int(self.minute * 60_000)

    @property
    def now(self) -> datetime:
        return AT + timedelta(minutes=self.minute)

    def give(self, *orders: dict[str, Any]) -> list[Output]:
        return [each for fields in orders for each in self.machine.apply(record(self._next(), fields, self._ms()))]

    def wait(self, minutes: float) -> list[Output]:
        """Time passes, and the companion looks."""
        self.minute += minutes
        reports, _ = overdue(self.machine.timed.values(), self.now)
        return self.give(*(json.loads(report.model_dump_json()) for report in reports))

    @property
    def channel(self) -> Target:
        return self.machine.target(CHANNEL)

    @property
    def left(self) -> tuple[str, float]:
        wanted = self.channel.wanted()
        return wanted.status, wanted.factor

    def ramp(self, index: int = 0) -> Ramp:
        found = self.channel.holds[index].ramp
        assert found is not None
        return found


def paused(**policy: Any) -> World:
    world = World(**policy)
    world.give(signal(1))
    return world


def told(outputs: list[Output]) -> list[tuple[str, str]]:
    return [(fact["alert_id"], action["state"]) for fact in said(outputs, "alerts") for action in fact["actions"]]


def outcome(outputs: list[Output]) -> tuple[str, str]:
    (audit,) = said(outputs, "audit")
    return audit["outcome"], audit["why"]
