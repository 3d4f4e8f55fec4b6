"""Producers, consumers and whole-topic readers on a real broker."""

import asyncio
import gc
import os
import signal
import uuid
from collections.abc import Iterator
from contextlib import aclosing

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import MessageSizeTooLargeError, ProducerFenced

from deploy.embedded.broker import Broker
from schemas.topics import RECORD_BYTES, TOPICS
from services.runtime.kafka import kafka_io
from services.runtime.kafka.kafka_io import (
    Batch,
    consumer,
    ensure_topics,
    follow,
    producer,
    read_compacted,
)
from services.runtime.kafka.producer_io import Row, end, write_as_one
from services.runtime.settings import CommonSettings

STATE = "state.alerting"
RAW = "channel-events"


@pytest.fixture
async def settings(broker: Broker) -> CommonSettings:
    settings = CommonSettings(kafka=broker.bootstrap, prefix=f"{uuid.uuid4().hex[:8]}.")
    await ensure_topics(settings, [TOPICS[STATE], TOPICS[RAW], TOPICS["policy"]])
    return settings


async def write(settings: CommonSettings, records: dict[bytes, bytes | None], partition: int = 0) -> None:
    async with producer(settings) as plain:
        for key, value in records.items():
            await plain.send_and_wait(settings.prefix + STATE, value, key=key, partition=partition)


async def test_the_last_value_of_each_key_is_read_and_tombstones_are_left_out(settings: CommonSettings) -> None:
    await write(settings, {b"a": b"1", b"b": b"1", b"c": b"1"})
    await write(settings, {b"a": b"2", b"b": None})
    await write(settings, {b"d": b"1"}, partition=1)
    assert await read_compacted(settings, STATE) == {b"a": b"2", b"c": b"1", b"d": b"1"}
    assert await read_compacted(settings, STATE, [1]) == {b"d": b"1"}


async def test_an_empty_topic_is_an_empty_dict(settings: CommonSettings) -> None:
    assert await asyncio.wait_for(read_compacted(settings, STATE), 10) == {}


async def test_reading_ends_behind_a_transactions_marker(settings: CommonSettings) -> None:
    topic = settings.prefix + STATE
    for outcome in ("commit", "abort"):
        async with producer(settings, transactional_id="writer") as writer:
            await writer.begin_transaction()
            await writer.send_and_wait(topic, outcome.encode(), key=b"kept", partition=0)
            await (writer.commit_transaction() if outcome == "commit" else writer.abort_transaction())
        # The broker writes the marker after it has answered; a successor's start is what waits for it.
        async with producer(settings, transactional_id="writer"):
            assert await asyncio.wait_for(read_compacted(settings, STATE), 10) == {b"kept": b"commit"}


async def test_reading_ends_where_an_open_transaction_begins(settings: CommonSettings) -> None:
    topic = settings.prefix + STATE
    await write(settings, {b"a": b"1"})
    async with producer(settings, transactional_id="writer") as writer:
        await writer.begin_transaction()
        await writer.send_and_wait(topic, b"2", key=b"a", partition=0)
        await write(settings, {b"b": b"1"})
        assert await asyncio.wait_for(read_compacted(settings, STATE), 10) == {b"a": b"1"}
        await writer.commit_transaction()
    async with producer(settings, transactional_id="writer"):
        assert await read_compacted(settings, STATE) == {b"a": b"2", b"b": b"1"}


async def test_a_successor_fences_its_predecessor_and_sees_nothing_of_its_last_transaction(
    settings: CommonSettings,
) -> None:
    topic = settings.prefix + STATE
    async with producer(settings, transactional_id="p0") as frozen:
        await frozen.begin_transaction()
        await frozen.send_and_wait(topic, b"half", key=b"a", partition=0)
        async with producer(settings, transactional_id="p0"):
            assert await asyncio.wait_for(read_compacted(settings, STATE), 10) == {}
            with pytest.raises(ProducerFenced):
                await frozen.commit_transaction()


async def write_until_refused(settings: CommonSettings) -> None:
    """Writes two records as one whose transactional id another has taken; the second once the first was refused."""
    old, new = (producer(settings, transactional_id="partition-0") for _ in range(2))
    send = old.send

    async def send_slowly(*record: object) -> object:
        sent = await send(*record)
        await asyncio.wait([old._sender.sender_task], timeout=20)
        return sent

    old.send = send_slowly
    await old.start()
    await new.start()
    try:
        await write_as_one(old, [(settings.prefix + STATE, b"value", b"key", partition) for partition in range(2)])
    finally:
        await end(old)
        await new.stop()


async def test_who_is_fenced_between_two_records_is_told_so_and_leaves_no_traceback(settings: CommonSettings) -> None:
    unhandled: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, context: unhandled.append(context))
    with pytest.raises(ProducerFenced):
        await write_until_refused(settings)
    gc.collect()
    assert unhandled == []


async def test_a_transaction_that_is_cancelled_is_taken_back_at_once(settings: CommonSettings) -> None:
    def cancelled() -> Iterator[Row]:
        yield settings.prefix + STATE, b"value", b"key", 0
        raise asyncio.CancelledError

    async with producer(settings, transactional_id="partition-0") as writer:
        with pytest.raises(asyncio.CancelledError):
            await write_as_one(writer, cancelled())
        await write_as_one(writer, [(settings.prefix + STATE, b"another", b"key", 0)])
    async with producer(settings, transactional_id="partition-0"):  # which waits for the marker
        assert await read_compacted(settings, STATE) == {b"key": b"another"}


async def test_a_transaction_can_be_cancelled_while_the_broker_is_away(
    broker: Broker, settings: CommonSettings
) -> None:
    async with asyncio.timeout(20):
        writer = producer(settings, transactional_id="partition-0")
        await writer.start()
        assert broker.pid is not None
        os.kill(broker.pid, signal.SIGSTOP)
        try:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.2):
                    await write_as_one(writer, [(settings.prefix + STATE, b"value", b"key", 0)])
        finally:
            os.kill(broker.pid, signal.SIGCONT)
        await end(writer)
    async with producer(settings, transactional_id="partition-0") as successor:
        await write_as_one(successor, [(settings.prefix + STATE, b"another", b"key", 0)])
    async with producer(settings, transactional_id="partition-0"):  # which waits for the marker
        assert await read_compacted(settings, STATE) == {b"key": b"another"}


async def test_following_gives_what_is_there_and_then_what_comes(settings: CommonSettings) -> None:
    await write(settings, {b"a": b"1", b"b": b"1"})
    batches = follow(settings, STATE)
    seen: list[Batch] = []
    async for batch in batches:
        seen.append(batch)
        if batch.caught_up:
            break
    records = [record for batch in seen for record in batch.records]
    assert [(record.topic, record.partition, record.offset, record.key) for record in records] == [
        (STATE, 0, 0, b"a"),
        (STATE, 0, 1, b"b"),
    ]
    assert records[0].timestamp_ms > 1_700_000_000_000
    await write(settings, {b"a": None}, partition=1)
    async with asyncio.timeout(10):
        batch = await anext(batches)
    assert batch.caught_up
    assert [(record.partition, record.key, record.value) for record in batch.records] == [(1, b"a", None)]
    await batches.aclose()


async def test_following_an_empty_topic_says_at_once_that_there_is_nothing(settings: CommonSettings) -> None:
    batches = follow(settings, "policy")
    async with asyncio.timeout(10):
        assert await anext(batches) == Batch([], caught_up=True)
    await batches.aclose()


async def test_following_may_begin_at_a_moment(settings: CommonSettings) -> None:
    topic = settings.prefix + STATE
    async with producer(settings) as plain, asyncio.timeout(20):
        old = [await plain.send_and_wait(topic, b"old", b"a", partition=number) for number in (0, 1)]
        new = old[0]
        while new.timestamp <= max(one.timestamp for one in old):
            new = await plain.send_and_wait(topic, b"new", b"a", partition=0)
        batches = follow(settings, STATE, since_ms=new.timestamp)
        batch = await anext(batches)
        assert batch.caught_up
        assert [(record.partition, record.offset) for record in batch.records] == [(0, new.offset)]
        await plain.send_and_wait(topic, b"newer", b"a", partition=1)
        assert [record.value for record in (await anext(batches)).records] == [b"newer"]
        await batches.aclose()


async def test_a_partition_is_followed_on_at_once_though_its_records_waited_and_the_others_are_silent(
    settings: CommonSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    wait_ms = 30_000
    monkeypatch.setattr(kafka_io, "FOLLOW_WAIT_MS", wait_ms)
    async with aclosing(follow(settings, STATE)) as batches:
        assert (await anext(batches)).caught_up
        await write(settings, {b"a": b"1"})
        await asyncio.sleep(0.3)  # it waits to be taken
        async with asyncio.timeout(wait_ms / 1000 / 2):
            for value in (b"1", b"2"):
                assert [each.value for each in (await anext(batches)).records] == [value]
                await write(settings, {b"a": b"2"})


async def test_a_group_begins_at_the_earliest_and_commits_only_when_told(settings: CommonSettings) -> None:
    await write(settings, {b"a": b"1"})
    first = TopicPartition(settings.prefix + STATE, 0)
    for _ in range(2):
        async with consumer(settings, STATE, group="readers") as member, asyncio.timeout(20):
            assert (await member.getone()).offset == 0
            assert await member.committed(first) is None
    async with consumer(settings, STATE, group="readers") as member, asyncio.timeout(20):
        await member.getone()
        await member.commit({first: 1})
    async with consumer(settings, STATE, group="readers") as member:
        assert await member.committed(first) == 1


async def test_the_largest_record_passes_and_a_larger_one_is_refused(settings: CommonSettings) -> None:
    async with producer(settings) as plain, consumer(settings, RAW, group="large") as reader, asyncio.timeout(20):
        await plain.send_and_wait(settings.prefix + RAW, b"x" * RECORD_BYTES, key=b"k" * 1000)
        assert len((await reader.getone()).value) == RECORD_BYTES
        with pytest.raises(MessageSizeTooLargeError):
            await plain.send(settings.prefix + RAW, b"x" * (RECORD_BYTES + 128 * 1024))


async def test_a_small_topic_takes_large_batches_of_small_records(settings: CommonSettings) -> None:
    """The limit of a topic is on a batch: one that the producer filled to its own limit must pass."""
    async with producer(settings, linger_ms=50) as plain:
        sent = [await plain.send(settings.prefix + "policy", b"x" * 10_000, key=b"k", partition=0) for _ in range(200)]
        await asyncio.gather(*sent)
