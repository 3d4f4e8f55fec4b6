"""Tells of receivers that are dead or that nobody has: beside the machines, by facts of its own on their log."""

import asyncio
import logging
from datetime import UTC, datetime
from typing import Final

from schemas.topics import ALERTS, TOPICS
from services.alerting.machine import AlertingMachine
from services.alerting.sending.lines_io import Lines, monotonic
from services.alerting.watching.receiver_watch import WRITER, Look, Standing, new_troubles, opened, over, resolved
from services.runtime.machines.companion_io import Log, Owned, PartitionCompanion
from services.runtime.settings import CommonSettings

log = logging.getLogger(__name__)

EVERY_S: Final = 5.0

_Watched = Owned[AlertingMachine]


class ReceiverWatch(PartitionCompanion[_Watched]):
    """A companion of alerting's machines. New alerts go to the lowest partition that is ours."""

    end_reason = "nobody looks after the receivers of alerts any more"

    def __init__(self, settings: CommonSettings, lines: Lines, alert_log: Log, every_s: float = EVERY_S) -> None:
        super().__init__(alert_log)
        self._lines = lines
        self._partitions = TOPICS[ALERTS].partitions(settings.partitions)
        self._every_s = every_s
        self._since = monotonic()

    def _taken(self, partition: int, machine: AlertingMachine) -> _Watched:
        return Owned(partition, machine)

    async def _open(self) -> None:
        self._since = monotonic()

    async def _work(self, owned: _Watched) -> None:
        while True:
            now = monotonic()
            unknown = {name: now - at for name, at in self._lines.unknown.items()}
            await self._tell(owned, Look(self._lines.conditions(), unknown, now))
            await asyncio.sleep(self._every_s)

    async def _tell(self, owned: _Watched, look: Look) -> None:
        now = datetime.now(UTC)
        facts = [resolved(alert, look, now) for alert in over(look, _standing(owned.machine), look.now - self._since)]
        if owned.partition == min(self._owned):
            everywhere = [alert for each in self._owned.values() for alert in _standing(each.machine)]
            facts += [
                opened(trouble, now, owned.partition, self._partitions) for trouble in new_troubles(look, everywhere)
            ]
        for fact in facts:
            log.warning("a receiver of alerts", extra={"alert_id": fact.alert_id, "status": fact.status})
            await self._log.report(owned.partition, fact.alert_id.encode(), fact.model_dump_json().encode())
        if facts:
            await self._catch_up(owned)


def _standing(machine: AlertingMachine) -> list[Standing]:
    return [
        Standing(alert.alert_id, alert.indicator, alert.subject.partition(":")[2], told)
        for alert, told in machine.unresolved(WRITER)
    ]
