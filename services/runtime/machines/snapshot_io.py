"""Snapshots in Kafka: one transaction for each on the compacted state topic, in the partition of the same number."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from services.runtime import metrics
from services.runtime.kafka import kafka_io, producer_io
from services.runtime.machines.machine import MachineService
from services.runtime.machines.snapshots import Snapshot
from services.runtime.settings import CommonSettings


class SnapshotStore:
    """The snapshots of one service, of the partitions that this process has taken over.

    The transactional id belongs to the partition: taking it over fences whoever had it before, so that a worker which
    was frozen and wakes cannot write any more (its `write` raises ProducerFenced).
    """

    def __init__(self, settings: CommonSettings, service: MachineService) -> None:
        self._settings = settings
        self._service = service
        self._producers: dict[int, Any] = {}
        self._seconds = metrics.SNAPSHOT_SECONDS.labels(service.state_topic)
        self._records = metrics.SNAPSHOT_RECORDS.labels(service.state_topic)
        self._bytes = metrics.SNAPSHOT_BYTES.labels(service.state_topic)

    async def take_over(self, partition: int) -> dict[bytes, bytes]:
        """Become the writer of a partition's snapshots, then read the last one: its records by key."""
        await self.release(partition)
        name = f"{self._service.name}-{partition}"
        producer = kafka_io.producer(self._settings, transactional_id=name, client=f"{self._service.name}-snapshots")
        self._producers[partition] = producer
        # When this returns, a transaction that the predecessor left open has been rolled back.
        await producer.start()
        return await kafka_io.read_compacted(self._settings, self._service.state_topic, [partition])

    async def write(self, partition: int, snapshot: Snapshot) -> None:
        """Write all of it or nothing. Raises on any failure, after which the process must not go on."""
        began = time.perf_counter()
        producer = self._producers[partition]
        topic = self._settings.prefix + self._service.state_topic
        await producer_io.write_as_one(producer, ((topic, value, key, partition) for key, value in snapshot.records()))
        self._seconds.observe(time.perf_counter() - began)
        self._records.inc(len(snapshot.changed) + 1)
        self._bytes.inc(snapshot.size())

    async def release(self, partition: int) -> None:
        """Let go of a partition; a successor need not wait for us."""
        producer = self._producers.pop(partition, None)
        if producer is not None:
            await producer_io.end(producer)

    async def close(self) -> None:
        """Let go of all partitions."""
        await asyncio.gather(*(self.release(partition) for partition in list(self._producers)))
