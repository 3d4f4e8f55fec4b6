"""The heartbeat to an outside watchdog, a dead man's switch: it rings when we fall silent.

Beside the machine of one partition of `alerts`, so that of all alerting processes one beats. The others are seen by our
own watchdog, of which this one is the keeper.
"""

import asyncio
import logging
from typing import Any, Final

from pydantic import SecretStr

from services.alerting import metrics
from services.alerting.machine import AlertingMachine
from services.alerting.sending.lines_io import Lines, monotonic
from services.alerting.watching.heartbeat import Progress, reaches_anybody
from services.alerting.watching.watchdog_io import PARTITION
from services.runtime.http.outgoing import Request
from services.runtime.http.outgoing_io import Outbox
from services.runtime.machines.companion_io import Log, Owned, PartitionCompanion

log = logging.getLogger(__name__)

EVERY_S: Final = 60.0
PATIENCE_S: Final = 10.0

_Watched = Owned[AlertingMachine]


class Heartbeat(PartitionCompanion[_Watched]):
    """A companion of alerting's machines; it works for one of them and looks at all that are ours."""

    end_reason = "the heartbeat has failed"

    def __init__(self, url: SecretStr, lines: Lines, alert_log: Log, every_s: float = EVERY_S) -> None:
        super().__init__(alert_log)
        self._beat = Request(url.get_secret_value(), {}, b"", "GET")
        self._outbox = Outbox(PATIENCE_S)
        self._lines = lines
        self._every_s = every_s
        self._progress = Progress()
        self._said = ""

    def _taken(self, partition: int, machine: AlertingMachine) -> _Watched:
        return Owned(partition, machine)

    async def _open(self) -> None:
        self._progress = Progress()
        await self._outbox.open()

    async def _close(self) -> None:
        await self._outbox.close()

    async def _work(self, owned: _Watched) -> None:
        if owned.partition != PARTITION:
            return
        await self._gets_on()  # nothing is known of the first look
        while True:
            await asyncio.sleep(self._every_s)
            self._tell(await self._problem())

    async def _gets_on(self) -> bool:
        """While Kafka is away it does not return."""
        ours: dict[int, Any] = {partition: owned.machine for partition, owned in self._owned.items()}
        ends = {partition: await self._log.end(partition) for partition in ours}
        return self._progress.look(ends, {partition: machine.next_offset for partition, machine in ours.items()})

    async def _problem(self) -> str:
        """Why there was no beat, nothing when there was one."""
        if not await self._gets_on():
            return "the machines do not get on"
        if not reaches_anybody(self._lines.conditions().values(), monotonic()):
            return "no receiver can be reached"
        reply = await self._outbox.send(self._beat)
        if reply.status is not None and 200 <= reply.status < 300:
            return ""
        return f"the outside watchdog: {reply.problem or f'answered {reply.status}'}"

    def _tell(self, problem: str) -> None:
        """Once a change, since it comes every minute."""
        metrics.HEARTBEATS.labels("no" if problem else "yes").inc()
        if problem != self._said:
            log.log(logging.WARNING if problem else logging.INFO, "heartbeat", extra={"problem": problem})
        self._said = problem
