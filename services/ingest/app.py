"""The ingest process: reads the raw topics, writes frames, marks and dead letters, and keeps the books.

One poll at a time: what it found is judged and routed, its frames are sent and acknowledged, then its dead letters,
and only then comes the next; so the frames of a source partition are in order, whatever happens. Offsets are committed
once a second: what a restart reads again, the receivers know.
"""

import asyncio
import logging
import time
from collections.abc import Coroutine, Mapping
from contextlib import AsyncExitStack
from typing import Any, Final

from aiokafka.errors import KafkaError
from aiokafka.structs import TopicPartition

from schemas.dead_letters import DeadLetter
from schemas.topics import POLICY
from services.ingest import marks, metrics
from services.ingest.frames.routing import PatientRows, Router, Rows
from services.ingest.policy_book import PolicyBook
from services.ingest.reading.fetch_io import Fetched, Fetcher
from services.ingest.reading.records import Records
from services.ingest.reporting import Reporting
from services.ingest.settings import IngestSettings
from services.ingest.sources.holdings_io import Holdings
from services.ingest.sources.owned import PORTION_BYTES, portions
from services.ingest.sources.sealing import Sealer
from services.ingest.spans_io import EventSpans
from services.ingest.writing_io import Writer
from services.runtime.end_io import end_process
from services.runtime.health import Health
from services.runtime.kafka import kafka_io
from services.runtime.metrics import BROKER_UP

log = logging.getLogger(__name__)

RETRY_S: Final = 0.5
"""After a question that failed."""
STOP_S: Final = 7.0
"""Within which a stop has to be done."""
PATIENCE_S: Final = 0.5
"""How long a patient row waits at most."""
IDLE_WAIT_MS: Final = 100
"""For an answer while there is nothing to read but the policy."""


class Ingest:
    """One ingest process. All methods are for the one loop."""

    def __init__(self, settings: IngestSettings, health: Health) -> None:
        self._settings = settings
        self._clock: marks.Clock = settings.clock
        self._seal = Sealer(settings.ingest_dead_letter_key.get_secret_value()).seal
        self._router = Router(settings.ingest_pseudonym_key.get_secret_value().encode())
        self._health = health
        self._part = health.part("reading")
        self._reporting = Reporting(health)
        self._holdings = Holdings(settings, self._reporting, self._flush)
        self._policy = PolicyBook()
        self._policy_at = TopicPartition(settings.prefix + POLICY, 0)
        self._fetcher = Fetcher(self._holdings.group.client, keyed={self._policy_at})
        self._spans = EventSpans()
        self._writer = Writer(settings, self._spans)
        self._patient = PatientRows()
        self._patient_bytes = 0
        self._started = AsyncExitStack()
        self._told = False
        """Whether a mark has carried the policy's document since it changed, or since the last assignment."""
        self._next_tick = self._next_flush = 0.0
        self._asked_at = 0.0

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop` is set. Raises TopicMismatchError and TopicRefusedError before anything is read."""
        stopped = asyncio.create_task(stop.wait())
        if await _unless(stopped, self._begin_work()):
            self._part = self._health.part("reading", stall_after=self._settings.ingest_ack_s)
            work = asyncio.create_task(self._rounds())
            await asyncio.wait((work, stopped), return_when=asyncio.FIRST_COMPLETED)
            if not work.done():
                async with self._holdings.turn:  # what it has begun it finishes; what it waits for is given up
                    work.cancel()
            await asyncio.gather(work, return_exceptions=True)
            if not work.cancelled():
                end_process("the work failed", work.exception())
        stopped.cancel()
        try:
            async with asyncio.timeout(STOP_S), self._started, self._holdings.turn:
                await self._holdings.commit()
        except TimeoutError:
            log.warning("the stop took too long; what was not committed is read again")

    async def _begin_work(self) -> None:
        self._started.push_async_callback(self._holdings.group.stop)
        self._started.push_async_callback(self._fetcher.close)
        self._part.wait("waiting for Kafka")
        await kafka_io.wait_for_broker(self._settings)
        await kafka_io.ensure_topics(self._settings)
        await self._writer.start()
        self._started.push_async_callback(self._writer.stop)
        self._part.wait("joining the group")
        await self._holdings.start()

    # -- a round

    async def _rounds(self) -> None:
        while True:
            await self._round()

    async def _round(self) -> None:
        """Ask, work on what came, wait a little."""
        try:
            answers = await self._fetcher.fetch(self._positions(), self._patience_ms())
        except (KafkaError, OSError) as error:
            BROKER_UP.set(0)
            self._part.wait("waiting for Kafka")
            self._reporting.waiting("Kafka does not answer, waiting for it", str(error) or type(error).__name__)
            await asyncio.sleep(RETRY_S)
            return
        async with self._holdings.turn:
            if self._holdings.frozen():
                return
            BROKER_UP.set(1)
            self._holdings.group.still_reading()
            self._follow_policy(answers.pop(self._policy_at, None))
            if self._policy.active is None:
                self._part.wait("waiting for a policy")
                self._reporting.waiting("no policy is published yet, waiting for one", "nothing is read before")
            else:
                await self._work(answers)
                self._part.ok()
        await self._pause(any(len(answer.records) for answer in answers.values()))

    def _positions(self) -> dict[TopicPartition, int]:
        """What to ask for."""
        self._asked_at = time.monotonic()
        positions = {self._policy_at: self._policy.position}
        if self._policy.active is not None:
            for at, owned in self._holdings.owned.items():
                if owned.resume_at is not None and self._asked_at >= owned.resume_at:
                    owned.resume_at = None
                    self._reporting.resumed(owned)
                if owned.reading:
                    positions[at] = owned.position
        return positions

    def _patience_ms(self) -> int:
        """How long the broker may hold its answer back while there is nothing."""
        if self._policy.active is None or not self._holdings.owned:
            return IDLE_WAIT_MS
        due = min(self._next_tick, self._next_flush) if self._patient_bytes else self._next_tick
        return min(max(int((due - time.monotonic()) * 1000), 1), int(marks.EVERY_S * 1000))

    async def _pause(self, found: bool) -> None:
        """Lets some events gather, unless more are known to wait."""
        if found and not any(owned.behind for owned in self._holdings.owned.values()):
            await asyncio.sleep(self._asked_at + self._settings.ingest_pause_ms / 1000 - time.monotonic())

    # -- the work of a round, with the lock held

    def _follow_policy(self, answer: Fetched | None) -> None:
        if answer is None:
            return
        if answer.lost:
            self._policy.position = answer.begin
        elif self._policy.read(answer.records, answer.end) and self._policy.active is not None:
            self._router.share(self._policy.active.shared_addresses)
            self._told = False
            metrics.POLICY_VERSION.set(self._policy.active.version)
            log.info("policy in force", extra={"policy": self._policy.active.label})
        for reason in self._policy.take_refusals():
            log.error("a record on the policy topic is not taken", extra={"reason": reason})

    async def _work(self, answers: Mapping[TopicPartition, Fetched]) -> None:
        if not self._holdings.owned:
            return
        if self._holdings.fresh or not self._told:
            self._holdings.fresh = self._told = False
            await self._mark()
        began = time.perf_counter()
        read: dict[TopicPartition, Records] = {}
        for at, answer in answers.items():
            owned = self._holdings.owned.get(at)
            if owned is None or not owned.reading or owned.position != answer.records.first:
                continue  # asked before a rebalance
            if owned.told(answer.begin, answer.end, lost=answer.lost):
                read[at] = answer.records
            elif owned.lost:
                self._reporting.lost(owned)
        for portion in portions(read):
            await self._take(portion)
        for at in read:
            self._holdings.owned[at].look_whether_caught_up(answers[at].asked_ms)
        found = any(map(len, read.values()))
        if found:
            metrics.POLL_SECONDS.observe(time.perf_counter() - began)
            oldest = min(records.stamps[0] for records in read.values() if records.stamps)
            metrics.DELAY_SECONDS.observe(time.time() - oldest / 1000)
        await self._tick(found)

    async def _take(self, portion: Mapping[TopicPartition, Records]) -> None:
        weight = sum(len(value) for records in portion.values() for value in records.values if value)
        if self._patient_bytes + weight > PORTION_BYTES:
            await self._flush()
        self._patient_bytes += weight
        rows = Rows(self._patient)
        dead: list[DeadLetter] = []
        for at, records in portion.items():
            owned = self._holdings.owned[at]
            if not owned.reading:
                continue  # paused by the portion before
            self._spans.begin(owned.source, records)
            taken = owned.source.take(records, self._router, rows, self._seal)
            dead += taken.dead
            owned.position = records.next if taken.pause_s is None else owned.source.next
            if taken.pause_s is not None:
                owned.resume_at = time.monotonic() + taken.pause_s
                self._reporting.paused(owned, taken.pause_s)
        await self._writer.write(rows, dead)
        self._spans.end()
        self._reporting.rejected(dead)

    async def _flush(self) -> None:
        """Sends what has waited. Before every mark, which says that all up to it was sent, and every commit."""
        self._next_flush = time.monotonic() + PATIENCE_S
        waiting, self._patient, self._patient_bytes = self._patient, PatientRows(), 0
        await self._writer.write_patient(waiting)
        self._spans.forget()

    async def _tick(self, found: bool) -> None:
        """Once a second: a mark, a commit, the counters; in between what has waited. While history is replayed, a mark
        after every poll."""
        if self._holdings.frozen():
            return
        due = time.monotonic() >= self._next_tick
        if due or (found and self._clock == "events"):
            await self._mark()
        if due:
            self._next_tick = time.monotonic() + marks.EVERY_S
            await self._holdings.commit()
            self._reporting.count(self._holdings.owned.values())
        elif time.monotonic() >= self._next_flush:
            await self._flush()

    async def _mark(self) -> None:
        await self._flush()
        progress = [owned.progress() for owned in self._holdings.owned.values() if not owned.lost]
        await self._writer.mark(progress, self._policy.in_marks(told=self._told))
        self._told = True


async def _unless(stopped: asyncio.Task[Any], work: Coroutine[Any, Any, None]) -> bool:
    """Does it, or gives it up when the process is told to stop; whether it was done."""
    task = asyncio.create_task(work)
    await asyncio.wait((task, stopped), return_when=asyncio.FIRST_COMPLETED)
    if not task.done():
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        return False
    task.result()
    return True
