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
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from aiokafka.errors import KafkaError, NodeNotReadyError, NoError, OffsetOutOfRangeError, for_code
from aiokafka.protocol.fetch import FetchRequest
from aiokafka.structs import TopicPartition

from services.ingest.reading.batches_io import unpack
from services.ingest.reading.records import Records

READ_COMMITTED: Final = 1
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
