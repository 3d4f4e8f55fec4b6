"""Reads the topics that the console shows into its views, and goes on reading."""

import asyncio
import contextlib
import logging
from collections.abc import Callable
from datetime import datetime
from typing import Final

from aiokafka.errors import KafkaError

from schemas import topics
from schemas.base import to_ms
from schemas.policy_topic import PolicyTopic
from schemas.readings import READINGS_MESSAGE, Cases, Reading
from services.console import metrics
from services.console.settings import ConsoleSettings
from services.console.signin.sessions import SignedOut
from services.console.state.changes import Changes
from services.console.state.complaints import OpenComplaints
from services.console.state.groups_io import Groups
from services.console.state.letters import Letters
from services.console.state.policy_view import PolicyInForce
from services.console.state.readings import Readings
from services.console.state.silences import Silences
from services.console.state.tallies import Tallies
from services.console.state.views import Alerts, Audit, Channels
from services.incidents.book import Book
from services.runtime.health import Health, PartState
from services.runtime.kafka import kafka_io
from services.runtime.kafka.kafka_io import Batch, Received

log = logging.getLogger(__name__)

LETTERS_DAYS: Final = 7
"""So many days of dead letters are read at a start."""
ASIDE: Final = frozenset({topics.READINGS, topics.DEAD_LETTERS})
"""What pages do not wait for: theirs fill as it is read."""


class Feed:
    """The views, kept up to date while `run` runs. `now`: the audit is read from some days before."""

    def __init__(self, settings: ConsoleSettings, health: Health, now: datetime) -> None:
        self.channels = Channels()
        self.alerts = Alerts(settings.console_resolved_alerts)
        self._incidents = Book(self.alerts.get)
        self.groups = Groups(self._incidents)
        self.readings = Readings()
        self.tallies = Tallies()
        self.complaints = OpenComplaints()
        self._since_ms = {
            topics.AUDIT: to_ms(now) - settings.console_audit_days * topics.DAY_MS,
            topics.READINGS: to_ms(now) - settings.console_reading_days * topics.DAY_MS,
        }
        self.audit = Audit(settings.console_audit_records, self._since_ms[topics.AUDIT])
        self.silences = Silences()
        self.signed_out = SignedOut()
        self.policy = PolicyInForce()
        self.policies = PolicyTopic()
        self.letters = Letters()
        self._since_ms[topics.DEAD_LETTERS] = to_ms(now) - LETTERS_DAYS * topics.DAY_MS
        self._settings = settings
        self._changes = Changes(f"{to_ms(now):x}")
        self._ending = False
        self._news = asyncio.Condition()
        self._folds: dict[str, Callable[[Received], object]] = {
            topics.CHANNEL_STATE: lambda record: self.channels.fold(record.key or b"", record.value),
            topics.ALERT_STATE: self._fold_alert,
            topics.AUDIT: self._fold_audit,
            topics.POLICY: self._fold_policy,
            topics.READINGS: lambda record: self._fold_reading(record.value or b""),
            topics.DEAD_LETTERS: lambda record: self.letters.fold(record.value or b""),
        }
        self._unread = set(self._folds)
        self._parts = {topic: health.part(topic) for topic in self._folds}

    @property
    def complete(self) -> bool:
        """Whether all has been read that was in the topics when their reading began, last time from the beginning.

        Charts, figures and dead letters fill by and by: nobody has to wait for a week of them.
        """
        return self._unread <= ASIDE

    def parts(self) -> list[PartState]:
        """How the reading of each topic fares."""
        return [part.state() for part in self._parts.values()]

    async def wait_for_outcome(self, command_id: str, wait_s: float) -> None:
        """Returns when the audit knows what came of an order, or after `wait_s`."""
        if wait_s <= 0:
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(wait_s), self._news:
                await self._news.wait_for(lambda: self.audit.outcome_of(command_id) is not None)

    def seen(self) -> str:
        """All there is to see now, for `wait_for_change`."""
        return self._changes.seen()

    async def wait_for_change(self, seen: str) -> list[str]:
        """The names of what has changed since then, when there are any; none when the process is about to end."""
        async with self._news:
            await self._news.wait_for(lambda: self._ending or self._changes.since(seen))
        return [] if self._ending else self._changes.since(seen)

    def end(self) -> None:
        """Lets go of all that wait for a change."""
        self._ending = True
        self._last_word = asyncio.get_running_loop().create_task(self._tell())

    async def _tell(self) -> None:
        async with self._news:
            self._news.notify_all()

    async def run(self) -> None:
        """Reads without end. Raises TopicMismatchError and TopicRefusedError."""
        for part in self._parts.values():
            part.wait("waiting for Kafka")
        await kafka_io.wait_for_broker(self._settings)
        await kafka_io.ensure_topics(self._settings, [topics.TOPICS[name] for name in self._parts])
        try:
            async with asyncio.TaskGroup() as tasks:
                for topic in self._folds:
                    tasks.create_task(self._follow(topic))
        except ExceptionGroup as group:
            raise group.exceptions[0] from None

    def _fold_alert(self, record: Received) -> None:
        key = record.key or b""
        self.alerts.fold(key, record.value)
        self._incidents.put(key.decode())

    def _fold_reading(self, value: bytes) -> None:
        told = READINGS_MESSAGE.validate_json(value)
        if isinstance(told, Reading):
            self.readings.fold(told)
        elif isinstance(told, Cases):
            self.complaints.fold(told)
        else:
            self.tallies.fold(told)

    def _fold_audit(self, record: Received) -> None:
        told = self.audit.fold((record.timestamp_ms, record.partition, record.offset), record.value or b"")
        if told is not None:
            self.silences.fold(told)
            self.signed_out.fold(told)

    def _fold_policy(self, record: Received) -> None:
        self.policies.fold(record.key or b"", record.value)
        self.policy.fold(record.key or b"", record.value)

    async def _follow(self, topic: str) -> None:
        """Reads one topic; after an error from its beginning again, where what is over and forgotten comes once more.

        What is known stays to be seen until that begins, and again once all has been read.
        """
        while True:
            try:
                await self._read(topic)
            except KafkaError as error:
                log.warning("reading again", extra={"topic": topic, "reason": type(error).__name__})
                self._parts[topic].wait("Kafka does not answer")
                await kafka_io.wait_for_broker(self._settings)

    async def _read(self, topic: str) -> None:
        self._parts[topic].wait("reading what there is")
        self._unread.add(topic)
        reading = kafka_io.follow(self._settings, topic, since_ms=self._since_ms.get(topic))
        async with contextlib.aclosing(reading) as batches:
            async for batch in batches:
                await self.take(topic, batch)

    async def take(self, topic: str, batch: Batch) -> None:
        """Folds what was read of a topic into its view; what cannot be understood is left out."""
        for record in batch.records:
            if topic == topics.READINGS:
                await asyncio.sleep(0)  # each may be large, and people wait meanwhile
            try:
                self._folds[topic](record)
            except ValueError:
                where = {"topic": topic, "partition": record.partition, "offset": record.offset}
                log.warning("not understood, left out", extra=where)
                metrics.UNREADABLE.labels(topic).inc()
        if batch.caught_up or topic in ASIDE:
            self._unread.discard(topic)
            self._parts[topic].ok()
        if batch.records:
            self._changes.note(topic)
        await self._tell()
