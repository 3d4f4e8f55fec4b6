"""The embedded broker: its data outlives a clean stop and a SIGKILL, and it serves records of four megabytes."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import UnknownTopicOrPartitionError

from deploy.embedded.broker import Broker, BrokerError

TOPIC = "kept"
PARTITION = TopicPartition(TOPIC, 0)


@pytest.fixture(scope="module")
def own_broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    with Broker(tmp_path_factory.mktemp("own")) as broker:
        yield broker


async def create_topic(broker: Broker) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=broker.bootstrap)
    await admin.start()
    try:
        limits = {"max.message.bytes": str(4 * 1024 * 1024 + 65536)}
        await admin.create_topics([NewTopic(TOPIC, 1, 1, topic_configs=limits)])
    finally:
        await admin.close()


async def send(broker: Broker, value: bytes) -> None:
    async with AIOKafkaProducer(
        bootstrap_servers=broker.bootstrap, max_request_size=5 * 1024 * 1024, enable_idempotence=True
    ) as producer:
        await producer.send_and_wait(TOPIC, value, partition=0)


async def read_all(broker: Broker) -> list[bytes]:
    async with AIOKafkaConsumer(
        bootstrap_servers=broker.bootstrap, max_partition_fetch_bytes=5 * 1024 * 1024
    ) as consumer:
        consumer.assign([PARTITION])
        await consumer.seek_to_beginning(PARTITION)
        end = (await consumer.end_offsets([PARTITION]))[PARTITION]
        return [(await consumer.getone()).value or b"" for _ in range(end)]


async def test_data_outlives_stop_and_kill(own_broker: Broker) -> None:
    await create_topic(own_broker)
    address = own_broker.bootstrap
    large = b"x" * (4 * 1024 * 1024)
    await send(own_broker, b"before the stop")
    own_broker.restart()
    await send(own_broker, large)
    own_broker.kill()
    assert own_broker.pid is None
    own_broker.start()
    assert own_broker.bootstrap == address
    assert await read_all(own_broker) == [b"before the stop", large]


async def test_a_topic_that_nobody_created_stays_unknown(broker: Broker) -> None:
    async with AIOKafkaProducer(bootstrap_servers=broker.bootstrap, request_timeout_ms=2000) as producer:
        with pytest.raises(UnknownTopicOrPartitionError):
            await producer.send_and_wait("a-typo", b"lost?")


async def test_a_second_broker_on_the_same_data_is_refused(broker: Broker, tmp_path: Path) -> None:
    second = Broker(broker.data_dir)
    try:
        with pytest.raises(BrokerError, match=f"in use by process {os.getpid()}"):
            second.start()
    finally:
        second.close()
    assert broker.pid is not None


async def test_a_second_broker_on_the_same_port_is_refused(broker: Broker, tmp_path: Path) -> None:
    second = Broker(tmp_path, broker.port)
    try:
        with pytest.raises(BrokerError, match=f"{broker.bootstrap} is in use"):
            second.start()
    finally:
        second.close()
    assert broker.pid is not None
