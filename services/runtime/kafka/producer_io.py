"""What aiokafka's producer lacks where its broker may be away for long: a pause, an answer in time, an end."""

import asyncio
import logging
from typing import Any, Final

from services.runtime.kafka import kafka_io
from services.runtime.settings import CommonSettings

log = logging.getLogger(__name__)

PAUSE_S: Final = 0.2
END_S: Final = 1.0
"""How long what is on its way may take at the end."""


async def started(settings: CommonSettings, client: str) -> Any:
    """A producer that has reached its broker. Raises KafkaError if there is none after all."""
    producer = kafka_io.producer(settings, client=client)
    _pause_after_failures(producer.client)
    try:
        await producer.start()
    except BaseException:
        await end(producer)
        raise
    return producer


def _pause_after_failures(client: Any) -> None:
    """Makes aiokafka wait before it asks for metadata again. With a batch for a partition whose leader is gone it
    asks without a pause, thousands of times a second, each with two lines in the log."""
    update = client._metadata_update

    async def patiently(*arguments: Any) -> bool:
        updated = bool(await update(*arguments))
        if not updated:
            await asyncio.sleep(PAUSE_S)
        return updated

    client._metadata_update = patiently


async def answers(producer: Any, within_s: float) -> bool:
    """Whether a broker tells its metadata."""
    try:
        async with asyncio.timeout(within_s):
            return bool(await producer.client.force_metadata_update())
    except TimeoutError:
        return False


async def end(producer: Any) -> None:
    """Lets what is on its way arrive, then ends the producer; by itself it would wait without limit."""
    try:
        async with asyncio.timeout(END_S):
            await producer.stop()
    except TimeoutError:
        log.warning("the producer had to be broken off")
        await break_off(producer)


async def break_off(producer: Any) -> None:
    """Ends a producer whose broker is away. aiokafka has no way to do that: `stop` waits for the broker."""
    producer._closed = True
    sender = producer._sender.sender_task
    if sender is not None:
        sender.cancel()
    await producer.client.close()
    if sender is not None:
        await asyncio.wait([sender], timeout=END_S)
