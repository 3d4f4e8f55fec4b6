"""The raw topics of a cluster between two times, all partitions merged in the order in which records were appended; of
each, if there is an archive, first what that holds."""

from collections import deque
from collections.abc import AsyncIterator, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

from aiokafka import TopicPartition

from schemas.topics import RAW_TOPICS, TOPICS
from services.cli.archive.alike import Alike
from services.cli.archive.pieces import OTHER_SYSTEM, ArchiveError
from services.cli.backtest.event_times import EventTimes
from services.cli.backtest.pipeline import RawRecord
from services.cli.backtest.reach import Reach
from services.cli.backtest.timeline import Block, boundary
from services.ingest.reading.records import CONTROL_HEADER
from services.runtime.kafka.kafka_io import SLICE_RECORDS, consumer
from services.runtime.settings import CommonSettings

_WAIT_MS: Final = 200


Source = tuple[str, int]
"""A raw topic and a partition of it."""


@dataclass(frozen=True, slots=True)
class Archived:
    """What an archive holds of the same log, up to its `positions`; `alike` makes of what follows there the same."""

    sources: Mapping[Source, Iterator[RawRecord]]
    positions: Mapping[Source, int]
    total: int
    alike: Alike


@asynccontextmanager
async def raw_log(
    settings: CommonSettings, start_ms: int, end_ms: int, archived: Archived | None = None
) -> AsyncIterator["RawLog"]:
    """What was appended from `start_ms` until before `end_ms`; on the `events` clock what happened in that time. Raises
    ArchiveError for an archive that is not of these topics."""
    client = consumer(settings, max_wait_ms=100)
    await client.start()
    try:
        partitions = [
            TopicPartition(settings.prefix + topic, number)
            for topic in RAW_TOPICS
            for number in range(TOPICS[topic].partitions(settings.partitions))
        ]
        client.assign(partitions)
        oldest, ends = await client.beginning_offsets(partitions), await client.end_offsets(partitions)
        begins, newest = dict(oldest), dict(ends)
        if settings.clock == "wall":
            begins |= await _since(client, partitions, start_ms, ends)
            ends |= await _since(client, partitions, end_ms, ends)
        gaps = []
        for partition in partitions:
            source = partition.topic.removeprefix(settings.prefix), partition.partition
            position = 0 if archived is None else archived.positions.get(source, 0)
            if position > newest[partition]:
                raise ArchiveError(OTHER_SYSTEM.format(position, newest[partition]))
            if 0 < position < oldest[partition]:
                gaps.append(f"{source[0]}/{source[1]} {position}-{oldest[partition]}")
            begins[partition] = max(begins[partition], position)
            client.seek(partition, begins[partition])
        yield RawLog(settings, client, (start_ms, end_ms), begins, ends, archived, gaps)
    finally:
        await client.stop()


async def _since(
    client: Any, partitions: Iterable[TopicPartition], at_ms: int, ends: dict[TopicPartition, int]
) -> dict[TopicPartition, int]:
    """Of each partition the first offset that was appended at a time or later."""
    found = await client.offsets_for_times(dict.fromkeys(partitions, at_ms))
    return {each: ends[each] if known is None else known.offset for each, known in found.items()}


class RawLog:
    """Reads as it is asked. total: about how many records there are, for a progress bar. gaps: which offsets were gone
    from the topics before they came into the archive, as `topic/partition first-next`."""

    def __init__(
        self,
        settings: CommonSettings,
        client: Any,
        span: tuple[int, int],
        begins: dict[TopicPartition, int],
        ends: dict[TopicPartition, int],
        archived: Archived | None,
        gaps: Sequence[str],
    ) -> None:
        self._prefix = settings.prefix
        self._client = client
        self._span = span
        self._times = EventTimes() if settings.clock == "events" else None
        self._ends = ends
        self._waiting: dict[TopicPartition, deque[RawRecord]] = {each: deque() for each in ends}
        self._reached: dict[TopicPartition, int] = {}
        self._alike = None if archived is None else archived.alike
        self._earlier = {} if archived is None else dict(archived.sources)
        self._open = {each for each in ends if begins[each] < ends[each] or self._source(each) in self._earlier}
        self.gaps = gaps
        self.reach = Reach("topics")
        self.total = sum(max(0, ends[each] - begins[each]) for each in ends)
        self.total += 0 if archived is None else archived.total

    async def blocks(self) -> AsyncIterator[Block]:
        """The blocks of `timeline`."""
        while True:
            await self._fill(None)
            heads = [waiting[0].stamp_ms for waiting in self._waiting.values() if waiting]
            if not heads:
                return
            end_ms = boundary(min(heads))
            await self._fill(end_ms)
            block = [record for waiting in self._waiting.values() for record in _before(waiting, end_ms)]
            start, end = self._span
            # Stable: within a partition the order of its offsets stays.
            wanted = sorted((each for each in block if start <= each.stamp_ms < end), key=lambda each: each.stamp_ms)
            if wanted:
                yield wanted, end_ms

    async def _fill(self, end_ms: int | None) -> None:
        """Reads on until each partition that goes on has a record waiting, or one of `end_ms` or later."""
        while lacking := [each for each in self._open if self._lacks(each, end_ms)]:
            lacking = [each for each in lacking if not self._fill_from_archive(each, end_ms)]
            if not lacking:
                continue
            polled = await self._client.getmany(*lacking, timeout_ms=_WAIT_MS, max_records=SLICE_RECORDS)
            for partition, records in polled.items():
                found = self._records(partition, records)
                self._waiting[partition].extend(found if self._alike is None else self._alike.records(found))
            await self._arrive(lacking)

    def _fill_from_archive(self, partition: TopicPartition, end_ms: int | None) -> bool:
        """Whether that has what is lacking of a partition."""
        for record in self._earlier.get(self._source(partition), ()):
            self._waiting[partition].append(record)
            self._reached[partition] = record.stamp_ms
            if not self._lacks(partition, end_ms):
                return True
        return False

    def _source(self, partition: TopicPartition) -> Source:
        return partition.topic.removeprefix(self._prefix), partition.partition

    def _lacks(self, partition: TopicPartition, end_ms: int | None) -> bool:
        return not self._waiting[partition] if end_ms is None else self._reached.get(partition, -1) < end_ms

    async def _arrive(self, partitions: Collection[TopicPartition]) -> None:
        for each in partitions:
            if await self._client.position(each) >= self._ends[each]:
                self._open.discard(each)

    def _records(self, partition: TopicPartition, records: Iterable[Any]) -> Iterable[RawRecord]:
        """Stamps never fall within a partition, not even when its leader moves to another clock."""
        topic, number = self._source(partition)
        for record in records:
            if record.offset >= self._ends[partition]:
                return
            stamp = record.timestamp
            if self._times is not None:
                if any(name == CONTROL_HEADER for name, _ in record.headers):
                    continue
                head = self._times.head(record.value)
                stamp = -1 if head is None else head[1]
            stamp = self._reached[partition] = max(stamp, self._reached.get(partition, 0))
            self.reach.saw(stamp)
            yield RawRecord(topic, number, record.offset, stamp, record.value)


def _before(waiting: deque[RawRecord], end_ms: int) -> Iterable[RawRecord]:
    while waiting and waiting[0].stamp_ms < end_ms:
        yield waiting.popleft()
