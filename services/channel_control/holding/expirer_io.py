"""The expirer: beside the machine, which has no clock, it says when a deadline has come.

A step of a ramp has to wait while automation is off, and while the indicator that would see a relapse sleeps.

The deadlines are the machine's, so they live on through a death; the report's id repeats, and the machine decides on
its arrival. Where the clock here is fast the report comes early and is ignored: it is made again.
"""

import asyncio
import logging
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from schemas.channels import Hold
from services.channel_control.holding.deadlines import overdue
from services.channel_control.holding.target import Target
from services.channel_control.machine import ControlMachine
from services.runtime.machines.companion_io import Log, Owned, PartitionCompanion

log = logging.getLogger(__name__)

AGAIN_S: Final = 30.0
"""While there is a deadline it looks at least so often, and repeats a report that has not taken effect."""

PAUSE_S: Final = 0.5
"""Between two looks, however busy the log."""


@dataclass(kw_only=True)
class _Owned(Owned[ControlMachine]):
    """A partition that is ours. reported: when (monotonic) each report was last made, while it has not taken effect."""

    reported: dict[str, float] = field(default_factory=dict)


class Expirer(PartitionCompanion[_Owned]):
    """The companion of the machines."""

    end_reason = "the expirer failed"

    def __init__(
        self,
        log_: Log,
        *,
        awake: Callable[[str, datetime], bool],
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        again_s: float = AGAIN_S,
        pause_s: float = PAUSE_S,
    ) -> None:
        super().__init__(log_)
        self._awake = awake
        self._now = now
        self._again_s = again_s
        self._pause_s = pause_s

    def _taken(self, partition: int, machine: ControlMachine) -> _Owned:
        return _Owned(partition, machine)

    async def _work(self, owned: _Owned) -> None:
        while True:
            owned.wake.clear()
            pause = await self._look(owned)
            await owned.woken(pause)
            await asyncio.sleep(self._pause_s)

    async def _look(self, owned: _Owned) -> float | None:
        """Reports what is overdue; in how many seconds to look again, None: when something comes."""
        timed, now = owned.machine.timed, self._now()

        def may_open(target: Target, hold: Hold) -> bool:
            if not owned.machine.resumes(target, hold):
                return True  # it does not: what is due is then a person's
            seen = hold.indicator is None or self._awake(hold.indicator, now)
            return seen and not owned.machine.asks(target, now)

        reports, next_s = overdue(timed.values(), now, may_open)
        before, owned.reported = owned.reported, {}
        for report in reports:
            made = before.get(report.command_id, -math.inf)
            if time.monotonic() >= made + self._again_s:
                held = owned.machine.target(report.target).holds
                alert_id = next((hold.alert_id for hold in held if hold.hold_id in (report.hold_ids or ())), None)
                await self._log.report(owned.partition, report.target.encode(), report.model_dump_json().encode())
                log.info(
                    "a deadline has come",
                    extra={"target": report.target, "alert_id": alert_id, "which": report.note},
                )
                made = time.monotonic()
            owned.reported[report.command_id] = made
        if not timed:
            return None
        return self._again_s if next_s is None else min(next_s, self._again_s)
