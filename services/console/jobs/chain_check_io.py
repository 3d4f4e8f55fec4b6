"""Goes along the audit's chains when somebody asks: one check at a time, away from the loop that serves pages."""

import asyncio
import logging
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import dataclass
from datetime import UTC, datetime

from aiokafka.errors import KafkaError

from schemas.topics import AUDIT
from services.auditing.checking import Checker, Finding
from services.console.settings import ConsoleSettings
from services.runtime.kafka import kafka_io
from services.runtime.kafka.kafka_io import Received

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Checked:
    """What a check came to. findings: the first of `found`. by: who asked for it."""

    at: datetime
    by: str
    records: int
    chains: int
    unchained: int
    found: int
    findings: tuple[Finding, ...]


class ChainCheck:
    """The last check, and the one that is under way. failed: the last one could not read to the end."""

    def __init__(self, settings: ConsoleSettings, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self.last: Checked | None = None
        self.failed = False
        self._settings = settings
        self._clock = clock
        self._task: asyncio.Task[None] | None = None

    @property
    def running(self) -> bool:
        """Whether one is under way."""
        return self._task is not None and not self._task.done()

    def start(self, by: str) -> None:
        """Begins one, unless one is under way already."""
        if not self.running:
            self._task = asyncio.create_task(self._run(by))

    async def finished(self) -> None:
        """Waits for the one that is under way."""
        if self._task is not None:
            await self._task

    async def _run(self, by: str) -> None:
        try:
            checker = await self._check()
        except KafkaError as error:
            log.warning("the audit could not be read to its end", extra={"reason": type(error).__name__})
            self.failed = True
            return
        unchained = checker.unchained.services.total()
        found = checker.found, tuple(checker.findings[:20])
        self.last = Checked(self._clock(), by, checker.records, len(checker.ends), unchained, *found)
        self.failed = False

    async def _check(self) -> Checker:
        checker, ends = Checker(), dict[int, int]()
        async with aclosing(kafka_io.follow(self._settings, AUDIT)) as batches:
            async for batch in batches:
                await asyncio.to_thread(_take, checker, batch.records)
                ends.update({record.partition: record.offset + 1 for record in batch.records})
                if batch.caught_up:
                    break
        checker.finish(ends)
        return checker


def _take(checker: Checker, records: list[Received]) -> None:
    for record in records:
        checker.take(record.partition, record.offset, record.key, record.value)
