"""A service's machines without its snapshots and companions: every record is applied as it arrives."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterable
from typing import Protocol

from aiokafka import AIOKafkaProducer

from services.runtime.kafka.kafka_io import follow, producer
from services.runtime.machines.machine import Output, Record
from services.runtime.settings import CommonSettings


class Applying(Protocol):
    """A machine."""

    def apply(self, record: Record) -> Iterable[Output]: ...


async def send(settings: CommonSettings, to: AIOKafkaProducer, *outputs: Output) -> None:
    """Writes these and waits for the broker."""
    for output in outputs:
        await to.send(settings.prefix + output.topic, output.value, key=output.key)
    await to.flush()


@contextlib.asynccontextmanager
async def standing_in(
    settings: CommonSettings, topic: str, build: Callable[[int, int], Applying]
) -> AsyncIterator[None]:
    """While it lasts, the machines of all partitions of a topic do their work. `build`: of a partition, of so many."""
    machines = {number: build(number, settings.partitions) for number in range(settings.partitions)}

    async def work(to: AIOKafkaProducer) -> None:
        async for batch in follow(settings, topic):
            for one in batch.records:
                record = Record(one.offset, one.timestamp_ms, one.key, one.value or b"")
                await send(settings, to, *machines[one.partition].apply(record))

    async with producer(settings) as to:
        task = asyncio.create_task(work(to))
        yield
        task.cancel()
        await asyncio.wait([task])
