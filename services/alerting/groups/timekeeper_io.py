"""The timekeeper: beside the machine, which has no clock, it puts a record on the log when the time has come to look.

The moments are the machine's, so they live on through a death; any record after one makes the machine look, so a record
too many does no harm, and one that came too early, by a clock that is fast here, is made again.
"""

import time
from collections.abc import Callable
from typing import Any, Final

from schemas.alerts import AlertFact, DeliveryReport
from schemas.base import from_ms
from services.alerting.groups.group_desk import Look
from services.alerting.machine import AlertingMachine
from services.runtime.ids import derive
from services.runtime.machines.companion_io import Log, Owned, PartitionCompanion

AGAIN_S: Final = 1.0
"""A record that has not made the machine look is repeated after this."""


class Timekeeper(PartitionCompanion[Owned[AlertingMachine]]):
    """A companion of alerting's machines."""

    end_reason = "the timekeeper failed"

    def __init__(self, log_: Log, *, clock: Callable[[], float] = time.time, again_s: float = AGAIN_S) -> None:
        super().__init__(log_)
        self._clock = clock
        self._again_s = again_s

    def _taken(self, partition: int, machine: Any) -> Owned[AlertingMachine]:
        return Owned(partition, machine)

    async def _work(self, owned: Owned[AlertingMachine]) -> None:
        told: tuple[Look | None, float] = (None, 0.0)
        while True:
            owned.wake.clear()
            look, now = owned.machine.next_look(), self._clock()
            again_s = told[1] + self._again_s - now if look == told[0] else 0.0
            pause = None if look is None else max(look[0] / 1000 - now, again_s)
            if look is not None and pause is not None and pause <= 0:
                fact = tick(owned.partition, look, now)
                await self._log.report(owned.partition, fact.alert_id.encode(), fact.model_dump_json().encode())
                told = (look, now)
                continue
            await owned.woken(pause)


def tick(partition: int, look: Look, now: float) -> AlertFact:
    """The record that says that it is time; the same moment of the same group gives the same id."""
    at_ms, alert_id, group_id = look
    return AlertFact(
        alert_id=alert_id,
        writer=f"alerting:{partition}",
        seq=0,
        at=from_ms(int(now * 1000)),
        delivery=DeliveryReport(webhook_id=derive(group_id, str(at_ms), "due"), outcome="due"),
    )
