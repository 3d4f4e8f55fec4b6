"""Ingest's membership in its consumer group: who owns which source partitions, and the offsets that are committed."""

import logging
import time
from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import Any, Final, Protocol

from aiokafka import ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import CommitFailedError
from aiokafka.structs import OffsetAndMetadata

from schemas.topics import RAW_TOPICS
from services.runtime.end_io import end_process
from services.runtime.kafka import kafka_io
from services.runtime.settings import CommonSettings

log = logging.getLogger(__name__)

GROUP: Final = "ingest"
SESSION_S: Final = 10.0
HEARTBEAT_S: Final = 3.0
"""aiokafka's defaults, which `kafka_io.consumer` leaves."""


def boot_clock() -> float:
    """Seconds that count while the machine sleeps, where the system has such a clock."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


class Owner(Protocol):
    """What is told of partitions. An exception of either ends the process."""

    async def revoked(self) -> None:
        """All partitions are about to be given up; offsets can still be committed."""
        ...

    async def assigned(self, partitions: Collection[TopicPartition]) -> None:
        """These, and no others, are ours now."""
        ...


class Group:
    """The consumer that is a member of the group, and reads nothing itself."""

    def __init__(self, settings: CommonSettings, owner: Owner) -> None:
        self._prefix = settings.prefix
        self._consumer: Any = kafka_io.consumer(settings, group=GROUP, client="tidegate-ingest")
        self._listener = _Listener(self._consumer, owner)

    @property
    def client(self) -> Any:
        """Its client, for fetches of one's own."""
        return self._consumer._client

    def topic(self, partition: TopicPartition) -> str:
        """The logical name of a partition's topic."""
        return str(partition.topic).removeprefix(self._prefix)

    async def start(self) -> None:
        """Join; `Owner.assigned` is called when there are partitions. Raises KafkaError."""
        self._consumer.subscribe([self._prefix + topic for topic in RAW_TOPICS], listener=self._listener)
        await self._consumer.start()

    async def stop(self) -> None:
        """Leave; nothing is committed."""
        await self._consumer.stop()

    def still_reading(self) -> None:
        """Says that this process is at work; one that does not say so for five minutes loses its partitions."""
        with self._consumer._subscription.fetch_context():
            pass

    def rejoin(self) -> None:
        """Join again, although the group has not asked for it; `Owner` is told as in any rebalance."""
        self._consumer._coordinator.request_rejoin()

    async def committed(self, partitions: Collection[TopicPartition]) -> Mapping[TopicPartition, OffsetAndMetadata]:
        """The committed offsets, with their metadata, of those partitions that have one. Raises KafkaError."""
        found: Mapping[TopicPartition, OffsetAndMetadata] = await self._consumer._coordinator.fetch_committed_offsets(
            list(partitions)
        )
        return found

    async def begins(self, partitions: Collection[TopicPartition]) -> Mapping[TopicPartition, int]:
        """Where the logs begin. Raises KafkaError."""
        found: Mapping[TopicPartition, int] = await self._consumer.beginning_offsets(list(partitions))
        return found

    async def offsets_at(self, times: Mapping[TopicPartition, int]) -> dict[TopicPartition, int]:
        """The first offset appended at or after a time (ms), of those partitions that have one. Raises KafkaError."""
        found = await self._consumer.offsets_for_times({at: max(0, ms) for at, ms in times.items()})
        return {at: each.offset for at, each in found.items() if each is not None}

    async def commit(self, offsets: Mapping[TopicPartition, OffsetAndMetadata]) -> bool:
        """Commits; False when the partitions belong to somebody else by now. Raises KafkaError."""
        try:
            await self._consumer.commit(dict(offsets))
        except CommitFailedError:
            log.warning("the offsets were not committed: the group has moved on")
            return False
        return True


class _Listener(ConsumerRebalanceListener):  # type: ignore[misc]
    def __init__(self, consumer: Any, owner: Owner) -> None:
        self._consumer = consumer
        self._owner = owner

    async def on_partitions_revoked(self, revoked: Collection[TopicPartition]) -> None:
        """See Owner.revoked."""
        await _or_end(self._owner.revoked)

    async def on_partitions_assigned(self, assigned: Collection[TopicPartition]) -> None:
        """See Owner.assigned."""
        # At once and before anything is awaited: the consumer's own fetcher must find nothing to fetch.
        for partition in assigned:
            self._consumer.seek(partition, 0)
        self._consumer.pause(*assigned)
        await _or_end(lambda: self._owner.assigned(assigned))


async def _or_end(work: Callable[[], Awaitable[None]]) -> None:
    """aiokafka logs what escapes from a listener, and goes on as if it owned partitions that were never loaded."""
    try:
        await work()
    except Exception as error:  # noqa: BLE001
        end_process("a rebalance failed", error)
