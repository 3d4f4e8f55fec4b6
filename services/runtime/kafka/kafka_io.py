"""Kafka through plain aiokafka: topics, producers, consumers, reading whole topics.

Callers use logical topic names; the prefix of the settings is put in front here and nowhere else. aiokafka has no
types: its `Any` stays inside the functions of this module, apart from the producers and consumers that it makes.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Collection, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from schemas.topics import LARGE_BATCH_BYTES, TOPICS
from services.runtime.kafka.broker_io import connection, wait_for_broker
from services.runtime.kafka.topics_io import (
    Difference,
    TopicMismatchError,
    TopicRefusedError,
    check_topics,
    ensure_topics,
)
from services.runtime.settings import CommonSettings

__all__ = [
    "Batch",
    "Difference",
    "QuietConsumer",
    "Received",
    "TopicMismatchError",
    "TopicRefusedError",
    "check_topics",
    "connection",
    "consumer",
    "ensure_topics",
    "follow",
    "producer",
    "read_compacted",
    "until_committed",
    "wait_for_broker",
]

MAX_BATCH_BYTES = 256 * 1024
"""Below the smallest `max.message.bytes` of our topics, which bounds a batch of small records as well."""
SLICE_RECORDS = 10_000
"""Handled at a stretch, some 30 ms; then others in the same loop (heartbeats!) have a turn."""
IDLE_MS: Final = 5_000
"""How long a consumer may sleep while nothing calls it. To wake every 200 ms, as aiokafka's does, would be a quarter of
what a quiet process does."""
FOLLOW_WAIT_MS: Final = 5_000
"""How long the broker may hold a fetch open while nothing comes."""
COMMITTED_PAUSE_S: Final = 0.01
"""Between two looks whether a transaction's marker is written, which takes milliseconds."""


class QuietConsumer(AIOKafkaConsumer):  # type: ignore[misc]
    """aiokafka's consumer, which may leave a fetch with its broker for long, and yet lets no partition wait for that.

    aiokafka asks for the other partitions alone once records of one have waited for a tenth of a second to be taken,
    and can ask for that one again only when the broker has answered.
    """

    async def start(self) -> None:
        """Connect, and join the group if there is one."""
        await super().start()
        self._fetcher._prefetch_backoff = self._fetch_max_wait_ms / 1000


def producer(
    settings: CommonSettings,
    *,
    transactional_id: str | None = None,
    linger_ms: int = 0,
    compression: str | None = None,
    client: str = "tidegate",
) -> AIOKafkaProducer:
    """An idempotent producer that waits for all in-sync copies; not started. Call inside the running loop.

    With `transactional_id` (the prefix is put in front) it writes transactions, and its start fences its predecessor.
    """
    return AIOKafkaProducer(
        **connection(settings, client),
        acks="all",
        enable_idempotence=True,
        transactional_id=None if transactional_id is None else settings.prefix + transactional_id,
        max_request_size=LARGE_BATCH_BYTES,
        max_batch_size=MAX_BATCH_BYTES,
        linger_ms=linger_ms,
        compression_type=compression,
    )


def consumer(
    settings: CommonSettings,
    *topics: str,
    group: str | None = None,
    max_wait_ms: int = 500,
    max_poll_records: int | None = None,
    retry_backoff_ms: int = 100,
    client: str = "tidegate",
) -> QuietConsumer:
    """A consumer of committed records from the earliest on, that commits nothing by itself; not started.

    With `group` it is a static member, by the settings' `instance`; without it waits for `assign`.
    """
    member = None if group is None else f"{settings.prefix}{group}-{settings.instance}"
    return QuietConsumer(
        *(settings.prefix + topic for topic in topics),
        **connection(settings, client),
        group_id=None if group is None else settings.prefix + group,
        group_instance_id=member,
        auto_offset_reset="earliest",
        enable_auto_commit=False,
        isolation_level="read_committed",
        max_partition_fetch_bytes=2 * LARGE_BATCH_BYTES,
        fetch_max_wait_ms=max_wait_ms,
        consumer_timeout_ms=IDLE_MS,
        max_poll_records=max_poll_records,
        retry_backoff_ms=retry_backoff_ms,
    )


@dataclass(frozen=True, slots=True)
class Received:
    """One record as read: `topic` is the logical name, `timestamp_ms` the broker's append time."""

    topic: str
    partition: int
    offset: int
    timestamp_ms: int
    key: bytes | None
    value: bytes | None


@dataclass(frozen=True, slots=True)
class Batch:
    """What one poll of `follow` found; `caught_up` once everything has been seen that was there when it began."""

    records: list[Received]
    caught_up: bool


def _partitions(settings: CommonSettings, topic: str, wanted: Collection[int] | None) -> list[TopicPartition]:
    count = TOPICS[topic].partitions(settings.partitions)
    return [TopicPartition(settings.prefix + topic, number) for number in (range(count) if wanted is None else wanted)]


@asynccontextmanager
async def _reading(
    settings: CommonSettings, partitions: Iterable[TopicPartition], max_wait_ms: int, since_ms: int | None = None
) -> AsyncIterator[tuple[Any, dict[TopicPartition, int]]]:
    """A consumer at the beginning of the partitions, or at what was appended since a moment, and the committed ends of
    those that have any of it.
    """
    # The first question about a topic always meets stale metadata and waits for one back-off.
    client = consumer(settings, max_wait_ms=max_wait_ms, retry_backoff_ms=20)
    await client.start()
    try:
        wanted = list(partitions)
        begins: Mapping[TopicPartition, int] = await client.beginning_offsets(wanted)
        ends: Mapping[TopicPartition, int] = await client.end_offsets(wanted)
        if since_ms is not None:
            found = await client.offsets_for_times(dict.fromkeys(wanted, since_ms))
            begins = {partition: ends[partition] if at is None else at.offset for partition, at in found.items()}
        client.assign(wanted)
        for partition in wanted:
            # Explicit, since a lazy reset would be another round trip for each.
            client.seek(partition, begins[partition])
        yield client, {partition: ends[partition] for partition in wanted if ends[partition] > begins[partition]}
    finally:
        await client.stop()


async def _arrive(client: Any, ends: dict[TopicPartition, int]) -> None:
    """Drops from `ends` the partitions that have been read up to there.

    The position counts, not the last record: a transaction's marker, an aborted record and a compacted one take an
    offset each and are never handed out.
    """
    for partition in list(ends):
        if await client.position(partition) >= ends[partition]:
            del ends[partition]


async def read_compacted(
    settings: CommonSettings, topic: str, partitions: Collection[int] | None = None
) -> dict[bytes, bytes]:
    """The last committed value of every key of a topic, or of some of its partitions; tombstones are left out.

    A transaction that is still open ends what is read. A commit counts once its marker is written, which is shortly
    after its writer was told; starting a producer with the same transactional id waits for that.
    """
    latest: dict[bytes, bytes] = {}
    async with _reading(settings, _partitions(settings, topic, partitions), max_wait_ms=50) as (client, ends):
        while ends:
            polled = await client.getmany(*ends, timeout_ms=50, max_records=SLICE_RECORDS)
            await asyncio.sleep(0)
            for records in polled.values():
                for record in records:
                    if record.value is None:
                        latest.pop(record.key, None)
                    else:
                        latest[record.key] = record.value
            await _arrive(client, ends)
    return latest


async def until_committed(settings: CommonSettings, written: Mapping[TopicPartition, int]) -> None:
    """Returns once everybody can read what a transaction that has committed wrote. written: its last offsets.

    A commit is answered when it is decided; that it shows waits for its marker, and for transactions that began before.
    """
    async with consumer(settings, max_wait_ms=50) as client:
        while True:
            ends = await client.end_offsets([*written])
            if all(ends[at] > offset for at, offset in written.items()):
                return
            await asyncio.sleep(COMMITTED_PAUSE_S)


async def follow(
    settings: CommonSettings, topic: str, partitions: Collection[int] | None = None, *, since_ms: int | None = None
) -> AsyncGenerator[Batch, None]:
    """Everything that is in a topic, then what comes, without end; order holds within each partition.

    since_ms: only from the first record on that the broker appended then or later.
    The first batch with `caught_up` comes at once if the topic is empty. End it by closing the generator.
    """
    async with _reading(settings, _partitions(settings, topic, partitions), FOLLOW_WAIT_MS, since_ms) as (client, ends):
        caught_up = not ends
        if caught_up:
            yield Batch([], caught_up=True)
        while True:
            polled = await client.getmany(timeout_ms=60_000 if caught_up else 50, max_records=SLICE_RECORDS)
            await asyncio.sleep(0)
            records = [_received(settings, record) for batch in polled.values() for record in batch]
            await _arrive(client, ends)
            if records or (not ends and not caught_up):
                caught_up = not ends
                yield Batch(records, caught_up)


def _received(settings: CommonSettings, record: Any) -> Received:
    topic = record.topic.removeprefix(settings.prefix)
    return Received(topic, record.partition, record.offset, record.timestamp, record.key, record.value)
