"""Reads source partitions straight from the brokers' fetch protocol, whole batches at a time.

aiokafka's consumer makes an object of eleven fields of every record, which costs more than everything else that ingest
does with an event. It also fetches again the moment that it hands something out, so that a pause between two polls
adds its length to every record's delay instead of collecting what comes in it. So the consumer keeps the membership of
the group only (`group_io`), and the fetching is ours. Each answer also says where the log ends, which makes the marks
free.
"""

import asyncio
import time
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from aiokafka.errors import (
    CorruptRecordException,
    KafkaError,
    NodeNotReadyError,
    NoError,
    OffsetOutOfRangeError,
    UnsupportedCodecError,
    for_code,
)
from aiokafka.protocol.fetch import FetchRequest
from aiokafka.record.control_record import ABORT_MARKER, ControlRecord
from aiokafka.record.memory_records import MemoryRecords
from aiokafka.structs import TopicPartition

from services.ingest.records import CONTROL_HEADER, Records

READ_COMMITTED: Final = 1
_LOG_APPEND_TIME: Final = 1
MAX_BYTES: Final = 2 * 1024 * 1024
"""Of one answer; a larger batch comes all the same, alone."""
_GRACE_S: Final = 1.0
"""Past the time that an answer may take; then the caller has a turn, and the question stays under way."""
MAX_PARTITION_BYTES: Final = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Fetched:
    """What one answer says of one partition.

    end: where its committed records end. asked_ms: the wall time from before the question. lost: the position is
    outside of the log, which begins at `begin`.
    """

    records: Records
    begin: int
    end: int
    asked_ms: int
    lost: bool = False


class Fetcher:
    """Asks the leaders of the partitions, one request at a time under way to each node.

    client: a started AIOKafkaClient. keyed: the partitions whose keys are wanted.
    """

    def __init__(self, client: Any, keyed: Collection[TopicPartition] = ()) -> None:
        self._client = client
        self._keyed = keyed
        self._under_way: dict[int, asyncio.Task[dict[TopicPartition, Fetched]]] = {}

    async def fetch(self, positions: Mapping[TopicPartition, int], max_wait_ms: int) -> dict[TopicPartition, Fetched]:
        """What is there from these positions on, of any of the nodes; empty after some `max_wait_ms`.

        Returns as soon as there is anything. An answer to a question about another position is left out. Raises
        KafkaError; most of them pass, and the next call tries again.
        """
        for node, wanted in (await self._by_leader(positions)).items():
            if node not in self._under_way:
                self._under_way[node] = asyncio.create_task(self._ask(node, wanted, max_wait_ms))
        if not self._under_way:
            await asyncio.sleep(max_wait_ms / 1000)
            return {}
        patience = max_wait_ms / 1000 + _GRACE_S
        await asyncio.wait(self._under_way.values(), timeout=patience, return_when=asyncio.FIRST_COMPLETED)
        answers: dict[TopicPartition, Fetched] = {}
        for node, task in list(self._under_way.items()):
            if task.done():
                del self._under_way[node]
                answers |= task.result()
        return {at: each for at, each in answers.items() if positions.get(at) == each.records.first}

    async def close(self) -> None:
        """Gives up what is under way."""
        for task in self._under_way.values():
            task.cancel()
        await asyncio.gather(*self._under_way.values(), return_exceptions=True)
        self._under_way.clear()

    async def _by_leader(self, positions: Mapping[TopicPartition, int]) -> dict[int, list[tuple[TopicPartition, int]]]:
        wanted: dict[int, list[tuple[TopicPartition, int]]] = defaultdict(list)
        for at, position in positions.items():
            node = self._leader(at)
            if node is None:
                # A rebalance makes the client forget the topics that the group does not read.
                await self._client.add_topic(at.topic)
                await self._client.force_metadata_update()
                node = self._leader(at)
            if node is None:
                raise NodeNotReadyError(f"{at.topic}/{at.partition} has no leader")
            wanted[node].append((at, position))
        return wanted

    def _leader(self, at: TopicPartition) -> int | None:
        node = self._client.cluster.leader_for_partition(at)
        return None if node is None or node < 0 else int(node)

    async def _ask(
        self, node: int, wanted: Sequence[tuple[TopicPartition, int]], max_wait_ms: int
    ) -> dict[TopicPartition, Fetched]:
        topics: dict[str, list[tuple[int, int, int]]] = defaultdict(list)
        for at, position in wanted:
            topics[at.topic].append((at.partition, position, MAX_PARTITION_BYTES))
        asked_ms = time.time_ns() // 1_000_000
        request = FetchRequest(max_wait_ms, 1, MAX_BYTES, READ_COMMITTED, list(topics.items()))
        try:
            response = await self._client.send(node, request)
        except KafkaError:
            await self._client.force_metadata_update()
            raise
        positions = dict(wanted)
        answers = {}
        for topic, partitions in response.topics:
            for entry in partitions:
                at = TopicPartition(topic, entry[0])
                answers[at] = await self._read(at, entry, positions[at], asked_ms)
        return answers

    async def _read(self, at: TopicPartition, entry: Sequence[Any], position: int, asked_ms: int) -> Fetched:
        """One partition of a response of version 5 or later, all of which end alike."""
        _, code, _, end, begin, aborted, *_, raw = entry
        error = for_code(code)
        if error is OffsetOutOfRangeError:
            return Fetched(Records(position, position), begin, end, asked_ms, lost=True)
        if error is not NoError:
            await self._client.force_metadata_update()
            raise error(f"{at.topic}/{at.partition}")
        records = unpack(raw or b"", position, aborted or (), keyed=at in self._keyed)
        return Fetched(records, begin, end, asked_ms)


def unpack(raw: bytes, position: int, aborted: Iterable[tuple[int, int]] = (), *, keyed: bool = False) -> Records:
    """The committed records from `position` on in the bytes of a fetch, with their keys or without.

    aborted: (producer id, first offset) of the transactions in it that were given up.
    """
    records = Records(position, position)
    memory: Any = MemoryRecords(raw)
    for batch in _committed(memory, aborted, records):
        _add(records, batch, keyed)
    return records


def _committed(memory: Any, aborted: Iterable[tuple[int, int]], records: Records) -> Iterator[Any]:
    """The batches that hold committed records; afterwards `records.next` is past each one."""
    waiting = sorted(aborted, key=lambda each: each[1], reverse=True)
    given_up: set[int] = set()
    while memory.has_next():
        batch = memory.next_batch()
        if not batch.validate_crc():
            raise CorruptRecordException(f"the batch at {batch.base_offset} has another checksum than it says")
        while waiting and waiting[-1][1] <= batch.base_offset:
            given_up.add(waiting.pop()[0])
        if batch.is_control_batch:
            if ControlRecord.parse(next(batch).key) == ABORT_MARKER:
                given_up.discard(batch.producer_id)
        elif not (batch.is_transactional and batch.producer_id in given_up):
            yield batch
        records.next = max(records.next, batch.next_offset)


def _add(records: Records, batch: Any, keyed: bool) -> None:
    """The records of one batch that are not before the position: it comes as a whole, wherever in it one begins."""
    try:
        found = list(batch)
    except UnsupportedCodecError as error:
        _add_unreadable(records, batch, str(error))
        return
    except Exception as error:  # noqa: BLE001 - whatever a sender wrote, the next batch is served
        _add_unreadable(records, batch, type(error).__name__)
        return
    if found and found[0].offset < records.next:
        found = [each for each in found if each.offset >= records.next]
    if not found:
        return
    before = len(records)
    first, last = found[0].offset, found[-1].offset
    records.offsets += range(first, last + 1) if last - first + 1 == len(found) else [each.offset for each in found]
    if batch.timestamp_type == _LOG_APPEND_TIME:
        records.stamps += [batch.max_timestamp] * len(found)
    else:
        records.stamps += [each.timestamp for each in found]
    records.values += [each.value for each in found]
    if keyed:
        records.keys += [each.key for each in found]
    for index in [index for index, each in enumerate(found) if each.headers]:
        for name, word in found[index].headers:
            if name == CONTROL_HEADER:
                records.controls[before + index] = word or b""


def _add_unreadable(records: Records, batch: Any, reason: str) -> None:
    """A batch compressed in a way that this installation cannot read must not stop what follows it."""
    offsets = range(max(records.next, batch.base_offset), batch.next_offset)
    before = len(records)
    records.offsets += offsets
    records.stamps += [batch.max_timestamp] * len(offsets)
    records.values += [None] * len(offsets)
    records.keys += [None] * len(offsets)
    for index in range(before, before + len(offsets)):
        records.unreadable[index] = f"cannot be read: {reason}"
