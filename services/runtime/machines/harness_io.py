"""Makes the machines of one service durable: outputs before acks, snapshots, and taking up where another left off.

It knows Kafka and the order of things, but not how Faust is made to keep it; that is in `faust_app_io`.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from aiokafka.errors import ProducerFenced

from schemas.topics import AUDIT, TOPICS
from services.runtime import metrics
from services.runtime.end_io import end_process
from services.runtime.health import Health, Part
from services.runtime.machines.machine import MachineService, Output, Record
from services.runtime.machines.output_io import OutputSender
from services.runtime.machines.snapshot_io import SnapshotStore
from services.runtime.machines.snapshots import LogBounds, LogError, MachineOnLog
from services.runtime.settings import CommonSettings
from services.runtime.tracing.record_spans_io import RecordSpans
from services.runtime.tracing.traces import Headers

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Tuning:
    """Times and sizes of the harness."""

    snapshot_s: float = 10.0
    """Between two snapshots of a partition."""
    session_s: float = 10.0
    """A worker that is silent for so long loses its partitions."""
    ack_s: float = 60.0
    """Within which the broker has to acknowledge; past it the process ends."""
    stall_s: float = 60.0
    """Without progress, while there is something to read, before a partition counts as stuck."""
    stop_s: float = 8.0
    """Within which a stop has to be done."""
    group_records: int = 500
    group_s: float = 0.05
    """Records that are applied before their outputs are awaited together: at most so many, at most for so long."""
    fetch_wait_ms: int = 500
    """How long the broker may hold a fetch open. It answers nothing else meanwhile, neither where the log begins and
    ends when partitions are taken up; Faust's 1,500 ms would be noticed."""

    @property
    def heartbeat_s(self) -> float:
        """Between two heartbeats to the group."""
        return self.session_s / 3


@dataclass(slots=True)
class _Owned:
    """A partition that this process owns."""

    partition: int
    on_log: MachineOnLog
    health: Part
    committable: int | None
    seen_position: int
    moved_at: float
    log_end: int
    taken_at: float | None
    """When (monotonic) it was assigned to us, until what lay on the log then is applied."""
    saving: asyncio.Lock = field(default_factory=asyncio.Lock)
    timer: asyncio.TimerHandle | None = None


class Harness:
    """The machines of the partitions that this process owns. All methods are for the main loop only."""

    def __init__(self, service: MachineService, settings: CommonSettings, tuning: Tuning, health: Health) -> None:
        self.service = service
        self.tuning = tuning
        self.stopping = False
        self.check_ownership: Callable[[], None] = lambda: None
        """Ends the process if it may have lost its partitions without being told."""
        self.commit: Callable[[], Awaitable[object]] | None = None
        """Commits what `committable` says, soon after it has changed."""
        self._health = health
        self._group_health = health.part("group")
        self._audit_partitions = TOPICS[AUDIT].partitions(settings.partitions)
        self._snapshots = SnapshotStore(settings, service)
        self._outputs = OutputSender(settings, f"{service.name}-outputs")
        self._owned: dict[int, _Owned] = {}
        self._between_groups = asyncio.Lock()
        self._loading = asyncio.Lock()
        self._saves: set[asyncio.Task[None]] = set()
        topic = service.topic
        self._spans = RecordSpans(topic)
        self._apply_seconds = metrics.APPLY_SECONDS.labels(topic)
        self._delay_seconds = metrics.DELAY_SECONDS.labels(topic)
        self._records_read = metrics.RECORDS_READ.labels(topic)

    async def start(self) -> None:
        """Connect the producer of the outputs."""
        self._group_health.wait("joining the group")
        await self._outputs.start()

    # -- taking partitions up and giving them up

    async def load(self, bounds: Mapping[int, LogBounds]) -> dict[int, int]:
        """Take these partitions over and build their machines, always afresh; from where each has to be replayed.

        May be cancelled by the next rebalance. Anything else that goes wrong ends the process.
        """
        async with self._loading:
            await self._drop()
            self._group_health.wait("loading")
            await asyncio.gather(*(self._load_one(partition, each) for partition, each in bounds.items()))
            self._group_health.ok()
            return {owned.partition: owned.on_log.position for owned in self._owned.values()}

    async def _load_one(self, partition: int, bounds: LogBounds) -> None:
        began, taken_at = time.perf_counter(), time.monotonic()
        records = await self._snapshots.take_over(partition)
        try:
            on_log = MachineOnLog(self.service.build(partition), records, bounds, self._audit_partitions)
        except LogError as error:
            end_process(f"{type(error).__name__}: {error}", **self._where(partition))
        seconds = time.perf_counter() - began
        metrics.LOAD_SECONDS.labels(self.service.topic).observe(seconds)
        fields = {"records": len(records), "from_offset": on_log.position, "snapshot_at": on_log.snapshot_at}
        log.info("partition loaded", extra={**self._where(partition), **fields, "seconds": round(seconds, 3)})
        part = self._health.part(f"partition {partition}")
        # What was committed before may be older than the snapshot, if its commit was lost: then it is due again.
        due = None if on_log.fresh else on_log.replay_from
        now = time.monotonic()
        self._owned[partition] = _Owned(partition, on_log, part, due, on_log.position, now, bounds.end, taken_at)

    async def activate(self) -> None:
        """The partitions that were loaded are ours and about to flow: start what runs beside them."""
        async with self._loading:
            for index, owned in enumerate(sorted(self._owned.values(), key=lambda each: each.partition)):
                if self.service.companion is not None:
                    await self.service.companion.start(owned.partition, owned.on_log.machine)
                # Staggered, so that the partitions do not all write at the same moment.
                self._save_later(owned, self.tuning.snapshot_s * (index + 1) / len(self._owned))
                owned.health.progress(owned.on_log.position, owned.on_log.position)
                self._note_recovery(owned)

    async def revoke(self) -> None:
        """Give all partitions up, after the group under way and with a last snapshot."""
        async with self._loading:
            await asyncio.gather(*(self._stop_companion(each) for each in self._owned.values()))
            await asyncio.gather(*(self.save(each) for each in self._owned.values()))
            await self._commit()
            await self._drop()
        self._group_health.wait("rebalancing")

    async def _drop(self) -> None:
        for owned in self._owned.values():
            if owned.timer is not None:
                owned.timer.cancel()
            self._health.drop(f"partition {owned.partition}")
            with suppress(KeyError):  # never observed
                metrics.LAG_RECORDS.remove(self.service.topic, str(owned.partition))
        self._owned.clear()
        await asyncio.wait_for(self._snapshots.close(), self.tuning.ack_s)

    async def close(self) -> None:
        """As `revoke`, at the end of the process."""
        self.stopping = True
        await self.revoke()
        await self._outputs.stop()

    async def _stop_companion(self, owned: _Owned) -> None:
        if self.service.companion is not None:
            async with asyncio.timeout(self.tuning.stop_s):
                await self.service.companion.stop(owned.partition)

    # -- the way of a record

    def partitions(self) -> list[int]:
        """Those that are ours."""
        return list(self._owned)

    async def handle(self, group: Iterator[tuple[int, Record, Headers]]) -> None:
        """Apply records of our partitions, as many as are there and may go together, then wait for all outputs.

        `group` yields without waiting. When this returns the records may be acked.
        """
        async with self._between_groups:
            self.check_ownership()
            began = time.perf_counter()
            outputs: list[Output] = []
            touched: dict[int, Record] = {}
            count = 0
            for partition, record, headers in group:
                owned = self._owned.get(partition)
                if owned is not None:
                    outputs.extend(self._traced(owned, record, headers))
                    touched[partition] = record
                    count += 1
                if count >= self.tuning.group_records or time.perf_counter() - began > self.tuning.group_s:
                    break
            self._apply_seconds.observe(time.perf_counter() - began)
            await self._send(outputs)
        self._done(count, touched)
        self._spans.end()

    def _traced(self, owned: _Owned, record: Record, headers: Headers) -> Sequence[Output]:
        since_ns, known = self._spans.since(), record.offset < owned.on_log.snapshot_at
        outputs = self._take(owned, record)
        if since_ns is None or known:
            return outputs
        return self._spans.note(owned.partition, record, headers, outputs, since_ns)

    def _take(self, owned: _Owned, record: Record) -> Sequence[Output]:
        try:
            return owned.on_log.take(record)
        except LogError as error:
            end_process(f"{type(error).__name__}: {error}", **self._where(owned.partition))
        except BaseException as error:  # noqa: BLE001
            end_process("a record could not be applied", error, **self._where(owned.partition), offset=record.offset)

    async def _send(self, outputs: Sequence[Output]) -> None:
        self.check_ownership()
        try:
            await self._outputs.send(outputs, self.tuning.ack_s)
        except Exception as error:  # noqa: BLE001
            end_process("outputs were not acknowledged", error, topic=self.service.topic, outputs=len(outputs))

    def _done(self, count: int, touched: Mapping[int, Record]) -> None:
        now_ms = time.time() * 1000
        self._records_read.inc(count)
        for number, record in touched.items():
            delay_s = max(0.0, now_ms - record.timestamp_ms) / 1000
            self._delay_seconds.observe(delay_s, self._spans.exemplar(number, record))
            if (owned := self._owned.get(number)) is not None:
                self._note_recovery(owned)
                if self.service.companion is not None:
                    self.service.companion.kick(number)

    def _note_recovery(self, owned: _Owned) -> None:
        if owned.taken_at is not None and owned.on_log.position >= owned.log_end:
            metrics.RECOVERY_SECONDS.labels(self.service.topic).observe(time.monotonic() - owned.taken_at)
            owned.taken_at = None

    # -- snapshots

    def committable(self) -> dict[int, int]:
        """By partition the offset that may be committed: the rewind point of the last snapshot, never past it."""
        return {each.partition: each.committable for each in self._owned.values() if each.committable is not None}

    async def save(self, owned: _Owned) -> None:
        """Write a snapshot if the log has moved. Any failure, fencing included, ends the process."""
        try:
            async with owned.saving:
                async with self._between_groups:
                    snapshot = owned.on_log.capture()
                if snapshot is None:
                    return
                self.check_ownership()
                async with asyncio.timeout(self.tuning.ack_s):
                    await self._snapshots.write(owned.partition, snapshot)
                owned.committable = snapshot.replay_from
                fields = {"next_offset": snapshot.next_offset, "records": len(snapshot.changed)}
                log.debug("snapshot written", extra={**self._where(owned.partition), **fields})
        except ProducerFenced:
            end_process("another worker has taken the partition over", **self._where(owned.partition))
        except BaseException as error:  # noqa: BLE001
            end_process("a snapshot could not be written", error, **self._where(owned.partition))

    def _save_later(self, owned: _Owned, delay_s: float) -> None:
        owned.timer = asyncio.get_running_loop().call_later(delay_s, partial(self._save_now, owned))

    def _save_now(self, owned: _Owned) -> None:
        task = asyncio.create_task(self._save_in_turn(owned))
        self._saves.add(task)
        task.add_done_callback(self._saves.discard)

    async def _save_in_turn(self, owned: _Owned) -> None:
        if self._owned.get(owned.partition) is not owned:
            return
        await self.save(owned)
        await self._commit()
        if self._owned.get(owned.partition) is owned:
            self._save_later(owned, self.tuning.snapshot_s)

    async def _commit(self) -> None:
        if self.commit is not None and self._owned:
            await self.commit()

    # -- how it goes

    def observe(self, ends: Mapping[int, int]) -> None:
        """Note how far each partition is from the log's `ends`. One that stands still ends the process."""
        self._group_health.ok()
        now = time.monotonic()
        for partition, end in ends.items():
            owned = self._owned.get(partition)
            if owned is None:
                continue
            position = owned.on_log.position
            metrics.LAG_RECORDS.labels(self.service.topic, partition).set(max(0, end - position))
            owned.health.progress(position, end)
            if position != owned.seen_position or position >= end:
                owned.seen_position, owned.moved_at = position, now
            elif now - owned.moved_at > self.tuning.stall_s:
                end_process("no progress although there are records", **self._where(partition), offset=position)

    def miss_broker(self) -> None:
        """Note that it does not answer; until it does we are not ready."""
        self._group_health.wait("Kafka does not answer")

    def _where(self, partition: int) -> dict[str, Any]:
        return {"topic": self.service.topic, "partition": partition}
