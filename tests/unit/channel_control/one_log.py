"""Orders on one log, one after the other, and what is written down of each."""

import json
from typing import Any

from services.channel_control.holding.target import Target
from services.channel_control.machine import ControlMachine
from services.runtime.machines.machine import Output, Record
from tests.unit.channel_control.orders import (
    CHANNEL,
    NOW_MS,
    alone,
    record,
    said,
)

MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS


class Log:
    """A machine and the log that it is fed. `is_alone`: one person suffices for everything."""

    def __init__(self, *, stale_acts: bool = False, is_alone: bool = True) -> None:
        self.machine = ControlMachine(0, stale_acts=stale_acts)
        if is_alone:
            self.machine.apply(alone())
        self._offset = 0

    def give(self, fields: dict[str, Any], at_ms: int = NOW_MS) -> list[Output]:
        self._offset += 1
        return self.machine.apply(record(self._offset, fields, at_ms))

    def raw(self, value: bytes, key: bytes | None = CHANNEL.encode()) -> dict[str, Any]:
        """The audit of a record that is no order."""
        self._offset += 1
        (audit,) = self.machine.apply(Record(self._offset, NOW_MS, key, value))
        return dict(json.loads(audit.value or b""))

    @property
    def channel(self) -> Target:
        return self.machine.target(CHANNEL)


def outcome(outputs: list[Output]) -> tuple[str, str]:
    (audit,) = said(outputs, "audit")
    return audit["outcome"], audit["why"]


def actions(outputs: list[Output]) -> list[tuple[str, str, str]]:
    return [
        (fact["alert_id"], action["what"], action["state"])
        for fact in said(outputs, "alerts")
        for action in fact["actions"]
    ]
