"""Topics are created as the registry says, and a cluster that differs is refused with every difference named."""

import asyncio
import uuid

import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from deploy.embedded.broker import Broker
from schemas.topics import TOPICS
from services.runtime.kafka.kafka_io import (
    Difference,
    TopicMismatchError,
    TopicRefusedError,
    check_topics,
    ensure_topics,
)
from services.runtime.settings import CommonSettings

SOME = [TOPICS["policy"], TOPICS["channel-commands"], TOPICS["frames.actor"]]


@pytest.fixture
def settings(broker: Broker) -> CommonSettings:
    return CommonSettings(kafka=broker.bootstrap, prefix=f"{uuid.uuid4().hex[:8]}.")


async def on_cluster(settings: CommonSettings, name: str) -> tuple[int, dict[str, str]]:
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.kafka)
    await admin.start()
    try:
        (described,) = [entry for entry in await admin.describe_topics() if entry["topic"] == settings.prefix + name]
        (answer,) = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, settings.prefix + name)])
        return len(described["partitions"]), {entry[0]: entry[1] for entry in answer.resources[0][4]}
    finally:
        await admin.close()


async def create(settings: CommonSettings, *topics: NewTopic) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.kafka)
    await admin.start()
    try:
        await admin.create_topics(list(topics))
    finally:
        await admin.close()


async def test_many_processes_create_every_topic_once(settings: CommonSettings) -> None:
    created = await asyncio.gather(*(ensure_topics(settings) for _ in range(4)))
    assert sorted(name for names in created for name in names) == sorted(settings.prefix + name for name in TOPICS)
    assert await ensure_topics(settings) == []
    await check_topics(settings)


async def test_topics_are_on_the_cluster_as_the_contracts_say(settings: CommonSettings) -> None:
    await ensure_topics(settings, [TOPICS["channel-events"], TOPICS["state.alerting"], TOPICS["policy"]])
    partitions, config = await on_cluster(settings, "channel-events")
    assert partitions == 2
    assert config["retention.ms"] == str(14 * 24 * 60 * 60 * 1000)
    assert config["cleanup.policy"] == "delete"
    assert config["message.timestamp.type"] == "LogAppendTime"
    assert int(config["max.message.bytes"]) > 4 * 1024 * 1024
    partitions, config = await on_cluster(settings, "state.alerting")
    assert (partitions, config["cleanup.policy"]) == (2, "compact")
    assert int(config["segment.bytes"]) < 1024 * 1024 * 1024
    assert (await on_cluster(settings, "policy"))[0] == 1


async def test_all_differences_are_named_and_nothing_is_created_beside_them(settings: CommonSettings) -> None:
    wrong = {"cleanup.policy": "delete", "max.message.bytes": "1000", "retention.ms": "5"}
    name = f"{settings.prefix}policy"
    await create(settings, NewTopic(name, 3, 1, topic_configs=wrong))
    with pytest.raises(TopicMismatchError) as caught:
        await ensure_topics(settings, SOME)
    assert set(caught.value.differences) == {
        Difference(name, "partitions", "1", "3"),
        Difference(name, "cleanup.policy", "compact", "delete"),
        Difference(name, "max.message.bytes", "1048576", "1000"),
        Difference(name, "message.timestamp.type", "LogAppendTime", "CreateTime"),
        Difference(name, "retention.ms", "-1", "5"),
    }
    assert f"{name}: partitions is 3, must be 1" in str(caught.value)
    with pytest.raises(TopicMismatchError) as caught:
        await check_topics(settings, SOME)
    missing = {found.topic for found in caught.value.differences if found.found == "missing"}
    assert missing == {f"{settings.prefix}channel-commands", f"{settings.prefix}frames.actor"}


async def test_another_partition_count_is_refused(settings: CommonSettings) -> None:
    await ensure_topics(settings, SOME)
    more = settings.model_copy(update={"partitions": 3})
    with pytest.raises(TopicMismatchError) as caught:
        await ensure_topics(more, SOME)
    assert {(found.topic.removeprefix(settings.prefix), found.wanted) for found in caught.value.differences} == {
        ("channel-commands", "3"),
        ("frames.actor", "3"),
    }


async def test_what_the_cluster_will_not_create_is_named_with_its_reason(settings: CommonSettings) -> None:
    copies = settings.model_copy(update={"replication": 3})
    with pytest.raises(TopicRefusedError, match=rf"{settings.prefix}policy: .*replicat"):
        await ensure_topics(copies, [TOPICS["policy"]])


async def test_what_an_operator_tuned_is_left_alone(settings: CommonSettings) -> None:
    topic = TOPICS["channel-state"]
    await create(
        settings,
        NewTopic(settings.prefix + topic.name, 2, 1, topic_configs=topic.required() | {"segment.bytes": "33554432"}),
    )
    assert await ensure_topics(settings, [topic]) == []
