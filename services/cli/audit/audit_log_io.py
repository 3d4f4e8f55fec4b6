"""Reads the whole audit, one partition after another, with a progress bar where there is somebody to see it."""

import asyncio
import sys
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass
from typing import Any

from aiokafka import TopicPartition
from rich.console import Console
from rich.progress import Progress

from schemas.topics import AUDIT, TOPICS
from services.runtime.kafka.kafka_io import SLICE_RECORDS, check_topics, consumer, wait_for_broker
from services.runtime.settings import CommonSettings


@dataclass(frozen=True, slots=True)
class AuditLog:
    """Where the partitions of `audit` begin and end at this moment."""

    settings: CommonSettings
    begins: Mapping[int, int]
    ends: Mapping[int, int]

    def records(self, partition: int, since: int = 0) -> AsyncGenerator[Any, None]:
        """The committed records of a partition that are there, from an offset on."""
        return _records(self.settings, partition, max(since, self.begins[partition]), self.ends[partition])

    def size(self, since: Mapping[int, int]) -> int:
        """How many offsets there are to read, from these on."""
        return sum(max(0, end - max(self.begins[each], since.get(each, 0))) for each, end in self.ends.items())


async def open_audit(settings: CommonSettings) -> AuditLog:
    """Waits for the broker. Raises TopicMismatchError where the topic is not as it must be: fewer partitions than are
    there would be read, or records be deleted by age."""
    await wait_for_broker(settings)
    await check_topics(settings, [TOPICS[AUDIT]])
    partitions = [_at(settings, number) for number in range(TOPICS[AUDIT].partitions(settings.partitions))]
    async with consumer(settings) as client:
        begins, ends = await client.beginning_offsets(partitions), await client.end_offsets(partitions)
    return AuditLog(
        settings,
        {each.partition: begins[each] for each in partitions},
        {each.partition: ends[each] for each in partitions},
    )


async def every_record(log: AuditLog, since: Mapping[int, int] | None = None) -> AsyncGenerator[Any, None]:
    """All records, partition by partition, each from an offset on."""
    since = since or {}
    people = Console(file=sys.stderr)
    with Progress(console=people, disable=not people.is_terminal, transient=True) as progress:
        task = progress.add_task("audit", total=log.size(since))
        for partition in log.ends:
            async for record in log.records(partition, since.get(partition, 0)):
                progress.advance(task)
                yield record


async def _records(settings: CommonSettings, partition: int, begin: int, end: int) -> AsyncGenerator[Any, None]:
    at = _at(settings, partition)
    if begin >= end:
        return
    # A consumer for each partition, since one that is given another may never stop.
    async with consumer(settings, max_wait_ms=50) as client:
        client.assign([at])
        client.seek(at, begin)
        while await client.position(at) < end:
            polled = await client.getmany(at, timeout_ms=200, max_records=SLICE_RECORDS)
            for record in polled.get(at, ()):
                if record.offset < end:
                    yield record
            await asyncio.sleep(0)


def _at(settings: CommonSettings, partition: int) -> TopicPartition:
    return TopicPartition(settings.prefix + AUDIT, partition)
