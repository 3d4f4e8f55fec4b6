"""What aiokafka's producer lacks: a pause, an answer and an end where its broker is away, why a transaction ended."""

import asyncio
import logging
from collections.abc import Iterable
from itertools import chain
from typing import Any, Final

from aiokafka.errors import KafkaError

from services.runtime.kafka import kafka_io
from services.runtime.settings import CommonSettings

log = logging.getLogger(__name__)

Row = tuple[str, bytes | None, bytes | None, int | None]
"""A record that is to be written: its topic with the prefix, value, key, and partition (None: by the key)."""
TURN_RECORDS: Final = 50
"""Handed to the producer at a stretch, some 2 ms; then whatever else runs here has a turn."""
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


async def write_as_one(producer: Any, records: Iterable[Row]) -> list[Any]:
    """Writes all of it in one transaction, or nothing. What the broker says of each: topic, partition, offset.

    Raises ProducerFenced when another has its transactional id by now: where aiokafka learns that between two records,
    it says of the next only that there is no transaction. One that is cancelled is taken back within `END_S`, or leaves
    a producer that has ended.
    """
    sent: list[asyncio.Future[Any]] = []
    await producer.begin_transaction()
    try:
        for number, each in enumerate(records, start=1):
            sent.append(await producer.send(*each))
            if number % TURN_RECORDS == 0:
                await asyncio.sleep(0)
        written = await asyncio.gather(*sent)  # the commit alone would not tell that one was refused
        await producer.commit_transaction()
    except asyncio.CancelledError:
        await _give_up(producer)
        raise
    except Exception:
        if producer._txn_manager.is_fatal_error():
            _look_at_what_failed(producer)
            await asyncio.gather(producer._txn_manager.wait_for_transaction_end(), *sent)  # raises what ended it
        await producer.abort_transaction()
        raise
    return written


async def _give_up(producer: Any) -> None:
    """Takes a transaction back, since who reads waits for it; where the broker is away whoever begins next does."""
    try:
        async with asyncio.timeout(END_S):
            if producer._txn_manager.is_in_transaction():
                await producer.abort_transaction()
                return
    except (TimeoutError, KafkaError):
        log.warning("a transaction had to be broken off")
    await break_off(producer)


def _look_at_what_failed(producer: Any) -> None:
    """aiokafka notes the error also where nobody waits, and asyncio would log each as one that nobody handles."""
    batches = producer._message_accumulator._batches.values()
    for batch in chain(*batches, producer._message_accumulator._pending_batches):
        if batch._drain_waiter.done():
            batch._drain_waiter.exception()


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
