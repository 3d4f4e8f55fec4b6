"""The ingest process: reads the raw topics, writes frames, marks and dead letters, and keeps the books.

One poll at a time: what it found is judged and routed, its frames are sent and acknowledged, then its dead letters,
and only then comes the next; so the frames of a source partition are in order, whatever happens. Offsets are committed
once a second: what a restart reads again, the receivers know.
"""

import asyncio
import logging
import time
from collections.abc import Collection, Coroutine, Mapping
from typing import Any, Final

from aiokafka.errors import KafkaError
from aiokafka.structs import OffsetAndMetadata, TopicPartition

from schemas import frames
from schemas.topics import DEAD_LETTERS, POLICY
from schemas.topics import frames as frames_topic
from services.ingest import marks, metrics
from services.ingest.fetch_io import Fetched, Fetcher
from services.ingest.group_io import Group
from services.ingest.owned import Owned, own, portions
from services.ingest.policy_book import PolicyBook
from services.ingest.records import Records
from services.ingest.reporting import Reporting
from services.ingest.routing import SUBJECTS, Router, Rows
from services.ingest.sealing import Sealer
from services.ingest.settings import IngestSettings
from services.runtime import kafka_io
from services.runtime.end_io import end_process
from services.runtime.health import Health
from services.runtime.machine import Output
from services.runtime.metrics import BROKER_UP
from services.runtime.output_io import OutputSender

log = logging.getLogger(__name__)

RETRY_S: Final = 0.5
"""After a question that failed."""
STOP_S: Final = 7.0
"""Within which a stop has to be done."""
IDLE_WAIT_MS: Final = 100
"""For an answer while there is nothing to read but the policy."""


class Ingest:
    """One ingest process. All methods are for the one loop."""

    def __init__(self, settings: IngestSettings, health: Health) -> None:
        self._settings = settings
        self._clock: marks.Clock = settings.clock
        self._limit = settings.bad_limit()
        self._sealer = Sealer(settings.ingest_dead_letter_key.get_secret_value())
        self._router = Router(settings.ingest_pseudonym_key.get_secret_value().encode(), settings.partitions)
        self._outputs = OutputSender(settings, "tidegate-ingest")
        self._group = Group(settings, self)
        self._policy = PolicyBook()
        self._policy_at = TopicPartition(settings.prefix + POLICY, 0)
        self._fetcher = Fetcher(self._group.client, keyed={self._policy_at})
        self._policy_position = 0
        self._told = False
        self._owned: dict[TopicPartition, Owned] = {}
        self._kept: dict[TopicPartition, Owned] = {}
        """What was ours before the rebalance under way: some of it may be again."""
        self._turn = asyncio.Lock()
        self._next_tick = 0.0
        self._asked_at = 0.0
        self._committed: dict[TopicPartition, int] = {}
        self._health = health
        self._part = health.part("reading")
        self._reporting = Reporting(health)

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop` is set. Raises TopicMismatchError and TopicRefusedError before anything is read."""
        stopped = asyncio.create_task(stop.wait())
        if await _unless(stopped, self._begin_work()):
            self._part = self._health.part("reading", stall_after=self._settings.ingest_ack_s)
            while not stopped.done():
                work = asyncio.create_task(self._round())
                await asyncio.wait((work, stopped), return_when=asyncio.FIRST_COMPLETED)
                if not work.done():
                    async with self._turn:  # what it has begun it finishes; what it waits for is given up
                        work.cancel()
                await asyncio.gather(work, return_exceptions=True)
                if not work.cancelled() and (error := work.exception()) is not None:
                    end_process("a round failed", error)
        stopped.cancel()
        try:
            async with asyncio.timeout(STOP_S):
                await self._close()
        except TimeoutError:
            log.warning("the stop took too long; what was not committed is read again")

    async def _begin_work(self) -> None:
        self._part.wait("waiting for Kafka")
        await kafka_io.wait_for_broker(self._settings)
        await kafka_io.ensure_topics(self._settings)
        await self._outputs.start()
        self._part.wait("joining the group")
        await self._group.start()

    async def _close(self) -> None:
        async with self._turn:
            await self._commit()
        await self._fetcher.close()
        await self._group.stop()
        await self._outputs.stop()

    # -- the group's calls

    async def revoked(self) -> None:
        """Our partitions are about to be given up: the poll under way is finished first."""
        async with self._turn:
            await self._commit()
            self._kept, self._owned = self._owned, {}

    async def assigned(self, partitions: Collection[TopicPartition]) -> None:
        """Take these partitions up where their committed offsets say."""
        async with self._turn:
            committed = await self._group.committed(partitions)
            begins = await self._group.begins(partitions)
            for at in sorted(partitions):
                known = committed.get(at)
                mine = self._kept.pop(at, None)
                if mine is not None and known is not None and mine.source.next == known.offset and not mine.lost:
                    self._owned[at] = mine  # nobody has read on in between, so it remembers all that it must
                else:
                    self._owned[at] = self._begin(at, begins[at], known)
            await self._look_back()
            self._committed = {at: each.offset for at, each in committed.items()}
            self._told = False
            for owned in self._kept.values():
                self._reporting.given_up(owned)
            self._kept.clear()
        log.info("partitions assigned", extra={"partitions": [owned.name for owned in self._owned.values()]})

    def _begin(self, at: TopicPartition, begin: int, committed: OffsetAndMetadata | None) -> Owned:
        place = None if committed is None else (committed.offset, committed.metadata)
        owned = own(self._group.topic(at), at.partition, self._clock, self._limit, begin, place)
        self._reporting.taken_up(owned)
        return owned

    async def _look_back(self) -> None:
        """Has reading begin early enough to remember the ids that may come again."""
        since = {at: ms for at, owned in self._owned.items() if (ms := owned.remember_since_ms()) is not None}
        if since:
            for at, offset in (await self._group.offsets_at(since)).items():
                owned = self._owned[at]
                owned.position = min(offset, owned.source.next)

    # -- a round

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
        async with self._turn:
            BROKER_UP.set(1)
            self._group.still_reading()
            self._fold_policy(answers.pop(self._policy_at, None))
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
        positions = {self._policy_at: self._policy_position}
        if self._policy.active is not None:
            for at, owned in self._owned.items():
                if owned.resume_at is not None and self._asked_at >= owned.resume_at:
                    owned.resume_at = None
                    self._reporting.resumed(owned)
                if owned.reading:
                    positions[at] = owned.position
        return positions

    def _patience_ms(self) -> int:
        """How long the broker may hold its answer back while there is nothing."""
        if self._policy.active is None or not self._owned:
            return IDLE_WAIT_MS
        return min(max(int((self._next_tick - time.monotonic()) * 1000), 1), int(marks.EVERY_S * 1000))

    async def _pause(self, found: bool) -> None:
        """Lets some events gather, unless more are known to wait."""
        if found and not any(owned.behind for owned in self._owned.values()):
            await asyncio.sleep(self._asked_at + self._settings.ingest_pause_ms / 1000 - time.monotonic())

    # -- the work of a round, with the lock held

    def _fold_policy(self, answer: Fetched | None) -> None:
        if answer is None:
            return
        if answer.lost:
            self._policy_position = answer.begin
            return
        for key, value in zip(answer.records.keys, answer.records.values, strict=True):
            self._policy.fold(key, value)
        self._policy_position = answer.records.next
        # At the end of what is there only: a late start must not act on the versions of last year first.
        if answer.records.next >= answer.end and self._policy.adopt() and self._policy.active is not None:
            self._router.share(self._policy.active.shared_addresses)
            self._told = False
            log.info("policy in force", extra={"policy": self._policy.active.label})
        for reason in self._policy.take_refusals():
            log.error("a record on the policy topic is not taken", extra={"reason": reason})

    async def _work(self, answers: Mapping[TopicPartition, Fetched]) -> None:
        if not self._owned:
            return
        if not self._told:
            await self._mark()
        began = time.perf_counter()
        read: dict[TopicPartition, Records] = {}
        for at, answer in answers.items():
            owned = self._owned.get(at)
            if owned is None or not owned.reading or owned.position != answer.records.first:
                continue  # asked before a rebalance
            if owned.told(answer.begin, answer.end, lost=answer.lost):
                read[at] = answer.records
            elif owned.lost:
                self._reporting.lost(owned)
        for portion in portions(read):
            await self._take(portion)
        for at in read:
            self._owned[at].look_whether_caught_up(answers[at].asked_ms)
        found = any(map(len, read.values()))
        if found:
            metrics.POLL_SECONDS.observe(time.perf_counter() - began)
            oldest = min(records.stamps[0] for records in read.values() if records.stamps)
            metrics.DELAY_SECONDS.observe(time.time() - oldest / 1000)
        await self._tick(found)

    async def _take(self, portion: Mapping[TopicPartition, Records]) -> None:
        """Frames, acknowledged; then dead letters, acknowledged."""
        rows = Rows()
        dead: list[Output] = []
        for at, records in portion.items():
            owned = self._owned[at]
            if not owned.reading:
                continue  # paused by the portion before
            taken = owned.source.take(records, self._router, rows, self._sealer.seal)
            dead += (Output(DEAD_LETTERS, each.topic.encode(), each.model_dump_json().encode()) for each in taken.dead)
            owned.position = records.next if taken.pause_s is None else owned.source.next
            if taken.pause_s is not None:
                owned.resume_at = time.monotonic() + taken.pause_s
                self._reporting.paused(owned, taken.pause_s)
        outputs = [
            Output(frames_topic(subject), None, frames.encode(frame), partition)
            for subject, partition, frame in rows.frames(self._settings.partitions)
        ]
        await self._send(outputs)
        metrics.FRAMES.inc(len(outputs))
        await self._send(dead)

    async def _tick(self, found: bool) -> None:
        """Once a second: a mark, a commit, the counters. While history is replayed, a mark after every poll."""
        due = time.monotonic() >= self._next_tick
        if due or (found and self._clock == "events"):
            await self._mark()
        if due:
            self._next_tick = time.monotonic() + marks.EVERY_S
            await self._commit()
            self._reporting.count(self._owned.values())

    async def _mark(self) -> None:
        progress = [owned.progress() for owned in self._owned.values() if not owned.lost]
        policy = self._policy.in_marks(told=self._told)
        wall_ms = time.time_ns() // 1_000_000
        value = frames.encode(marks.build(wall_ms, self._clock, self._settings.partitions, progress, policy))
        await self._send(
            [
                Output(frames_topic(subject), None, value, partition)
                for subject in SUBJECTS
                for partition in range(self._settings.partitions)
            ]
        )
        self._told = True
        metrics.MARKS.inc()

    async def _send(self, outputs: list[Output]) -> None:
        try:
            await self._outputs.send(outputs, self._settings.ingest_ack_s)
        except (TimeoutError, KafkaError) as error:
            end_process("what was sent is not acknowledged", error)

    async def _commit(self) -> None:
        """Commits how far each partition has been read, with its ledger."""
        due = {
            at: OffsetAndMetadata(owned.source.next, owned.source.ledger.metadata())
            for at, owned in self._owned.items()
            if not owned.lost and self._committed.get(at) != owned.source.next
        }
        if not due:
            return
        try:
            async with asyncio.timeout(self._settings.ingest_ack_s):
                done = await self._group.commit(due)
        except (TimeoutError, KafkaError) as error:
            end_process("offsets could not be committed", error)
        if done:
            self._committed |= {at: each.offset for at, each in due.items()}


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
