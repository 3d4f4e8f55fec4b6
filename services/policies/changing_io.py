"""Writes a change of the policy, for the command line and the console: as one transaction, of one person at a time."""

import asyncio
import logging
from collections.abc import Callable
from typing import Any, Final

from aiokafka import TopicPartition
from aiokafka.errors import ProducerFenced

from schemas.policy import PolicyInForce
from schemas.policy_topic import CHAINS_KEY, AuditChains, PolicyTopic
from schemas.topics import ALERTS, AUDIT, CHANNEL_COMMANDS, POLICY, TOPICS
from services.policies.changes import Ask, Change, RefusedError, document
from services.runtime.kafka.kafka_io import producer, read_compacted, until_committed, wait_for_broker
from services.runtime.kafka.producer_io import end, write_as_one
from services.runtime.machines.chain import Chains
from services.runtime.machines.machine import Output
from services.runtime.settings import CommonSettings

log = logging.getLogger(__name__)

IN_FORCE_KEY: Final = b"policy"
WRITER: Final = "policy"
"""The transactional id of whoever changes the policy: a second one ends the first."""
Plan = Callable[[PolicyTopic, Ask], Change]


async def read_topic(settings: CommonSettings) -> PolicyTopic:
    """All that is on the topic now."""
    topic = PolicyTopic()
    for key, value in (await read_compacted(settings, POLICY)).items():
        try:
            topic.fold(key, value)
        except ValueError:
            log.warning("a record on the policy topic is none of ours: %r", key)
    return topic


async def change(settings: CommonSettings, ask: Ask, plan: Plan) -> Change:
    """Makes a change as one transaction: whoever begins after us ends ours, so nobody writes over what they have not
    seen. Raises RefusedError."""
    await wait_for_broker(settings)
    writer = producer(settings, transactional_id=WRITER)
    try:
        await writer.start()
        topic = await read_topic(settings)
        planned = plan(topic, ask)
        if planned.records:
            await until_committed(settings, await _write(writer, settings, topic, planned))
        if planned.in_force:
            await _tell(settings)
    except ProducerFenced:
        raise RefusedError(
            "somebody else changes the policy at this moment; yours changed nothing. Look, and try again",
            "此刻有他人正在修改策略，您的修改未生效。请查看后重试",
        ) from None
    finally:
        await end(writer)
    return planned


async def _write(
    writer: Any, settings: CommonSettings, topic: PolicyTopic, planned: Change
) -> dict[TopicPartition, int]:
    """By partition, the last offset that was written."""
    messages = [Output(POLICY, key.encode(), value) for key, value in planned.records.items()]
    if planned.audit is not None:
        chains = Chains(TOPICS[AUDIT].partitions(settings.partitions), topic.chains.heads)
        record = Output(AUDIT, planned.audit.target.encode(), planned.audit.model_dump_json().encode())
        messages.append(chains.seal(record))
        heads = AuditChains(heads=list(chains.rows())).model_dump_json().encode()
        messages.append(Output(POLICY, CHAINS_KEY.encode(), heads))
    rows = [(settings.prefix + each.topic, each.value, each.key, each.partition) for each in messages]
    written = await write_as_one(writer, rows)
    return {each.topic_partition: each.offset for each in sorted(written, key=lambda each: each.offset)}


async def _tell(settings: CommonSettings) -> None:
    """Writes the active policy to the logs of commands and alerts, until what was written last is what is active.

    After the change itself, and also when nothing changed: so a command that died in between is made whole.
    """
    told, sender = None, producer(settings)
    try:
        await sender.start()
        while (now := await read_topic(settings)).active != told:
            told, policy = now.active, document(now, str(now.active))
            in_force = PolicyInForce(policy=policy).model_dump_json().encode()
            await asyncio.gather(
                *(
                    sender.send_and_wait(settings.prefix + topic, in_force, key=IN_FORCE_KEY, partition=partition)
                    for topic in (CHANNEL_COMMANDS, ALERTS)
                    for partition in range(TOPICS[topic].partitions(settings.partitions))
                )
            )
    finally:
        await end(sender)
