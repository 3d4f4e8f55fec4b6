"""Reads the topic `policy`, so that the door promises what is watched."""

import contextlib
import logging

from aiokafka.errors import KafkaError

from schemas.topics import POLICY, TOPICS
from services.gateway.door.promise import Promise, PromiseBook
from services.runtime.health import Part
from services.runtime.kafka import kafka_io
from services.runtime.settings import CommonSettings

log = logging.getLogger(__name__)


class PromiseFeed:
    """The promise of the policy in force, kept up to date while `run` runs."""

    def __init__(self, settings: CommonSettings, part: Part) -> None:
        self._settings = settings
        self._part = part
        self._book = PromiseBook()
        self._complete = False

    def current(self) -> Promise | None:
        """None until the topic has been read to its end once; where no policy is in force, the defaults."""
        return self._book.current if self._complete else None

    async def run(self) -> None:
        """Reads without end. Raises TopicMismatchError and TopicRefusedError."""
        while True:
            self._part.wait("waiting for Kafka")
            await kafka_io.wait_for_broker(self._settings)
            await kafka_io.ensure_topics(self._settings, [TOPICS[POLICY]])
            try:
                await self._read()
            except KafkaError as error:
                log.warning("reading again", extra={"topic": POLICY, "reason": type(error).__name__})

    async def _read(self) -> None:
        async with contextlib.aclosing(kafka_io.follow(self._settings, POLICY)) as batches:
            async for batch in batches:
                for record in batch.records:
                    self._take(record)
                if batch.caught_up:
                    self._adopt()
                    self._complete = True

    def _take(self, record: kafka_io.Received) -> None:
        try:
            self._book.fold(record.key or b"", record.value)
        except ValueError:
            log.warning("not understood, left out", extra={"topic": POLICY, "offset": record.offset})

    def _adopt(self) -> None:
        """A policy of a later release may be one that this one cannot read; the last good one stays."""
        try:
            self._book.adopt()
        except ValueError:
            log.warning("the policy in force cannot be read; the door promises by the one before")
        self._part.ok()
