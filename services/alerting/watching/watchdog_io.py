"""The watchdog at work: beside the machine of one partition of `alerts`, so that of all alerting processes one watches.

Its alerts live on that partition. So what stands is a function of the log, and whoever takes the partition over knows.
"""

import asyncio
import logging
from collections.abc import Iterator
from datetime import datetime
from functools import partial
from typing import Any, Final
from zoneinfo import ZoneInfo

from aiokafka.errors import KafkaError

from schemas.topics import ALERTS, TOPICS
from services.alerting import metrics
from services.alerting.machine import AlertingMachine
from services.alerting.settings import AlertingSettings
from services.alerting.watching.sight_io import Sight
from services.alerting.watching.watch import Look, Standing, Watch
from services.alerting.watching.watch_words import WRITER, Telling, zone_name
from services.runtime.health import Part
from services.runtime.machines.companion_io import Log, Owned, PartitionCompanion
from services.runtime.murmur import partition_of

log = logging.getLogger(__name__)

PARTITION: Final = 0
"""Of `alerts`: its owner watches, and the watchdog's alerts are on it."""
EVERY_S: Final = 5.0
PATIENCE_S: Final = 10.0
"""For one look."""

_Watched = Owned[AlertingMachine]


class Watchdog(PartitionCompanion[_Watched]):
    """A companion of alerting's machines; it works for one of them."""

    end_reason = "the watchdog has failed"

    def __init__(self, settings: AlertingSettings, alert_log: Log, health: Part) -> None:
        super().__init__(alert_log)
        self._health = health
        self._health.ok()
        limits = settings.watch_limits()
        self._sight = Sight(settings, limits.lagging_s)
        self._new_watch = partial(Watch, limits)
        self._watch = self._new_watch()
        partitions = TOPICS[ALERTS].partitions(settings.partitions)
        self._telling = Telling(limits, partial(_belongs, partitions))

    async def start(self, partition: int, machine: Any) -> None:
        """Begins, if it is our partition."""
        if partition == PARTITION:
            await super().start(partition, machine)

    def _taken(self, partition: int, machine: AlertingMachine) -> _Watched:
        return Owned(partition, machine)

    async def _open(self) -> None:
        self._watch = self._new_watch()

    async def _close(self) -> None:
        await self._sight.close()

    async def _work(self, owned: _Watched) -> None:
        while True:
            try:
                if (look := await self._look()) is not None:
                    metrics.show(look)
                    await self._tell(owned, look)
                self._health.ok()
            except Exception as error:
                # A bug; it must not take the deliverer with it, without which nobody is told of anything.
                log.exception("the watchdog has stumbled, looking again")
                metrics.UNFORESEEN.labels("watchdog").inc()
                self._health.wait(f"it cannot watch: {type(error).__name__}")
                await self._sight.close()
            await asyncio.sleep(EVERY_S)

    async def _look(self) -> Look | None:
        """None while the broker does not answer: then nothing can be judged."""
        try:
            async with asyncio.timeout(PATIENCE_S):
                return await self._sight.look()
        except (KafkaError, OSError, TimeoutError) as error:
            log.warning("the watchdog cannot see", extra={"reason": str(error) or type(error).__name__})
            await self._sight.close()
            return None

    async def _tell(self, owned: _Watched, look: Look) -> None:
        now = datetime.now(ZoneInfo(zone_name(self._sight.document)))
        steps = self._watch.look(look, _standing(owned.machine))
        for step in steps:
            fact = self._telling.fact(step, look, now)
            fields = {"alert_id": fact.alert_id, "indicator": step.trouble.kind, "about": step.trouble.service}
            log.warning(f"trouble {step.what}", extra=fields)
            await self._log.report(PARTITION, fact.alert_id.encode(), fact.model_dump_json().encode())
        if steps:
            await self._catch_up(owned)


def _belongs(partitions: int, alert_id: str) -> bool:
    """Whether every client of Kafka puts this key on our partition."""
    return partition_of(alert_id.encode(), partitions) == PARTITION


def _standing(machine: AlertingMachine) -> Iterator[Standing]:
    for alert, told in machine.unresolved(WRITER):
        service = alert.subject.partition(":")[2]
        yield Standing(alert.alert_id, alert.indicator, service, alert.level, told)
