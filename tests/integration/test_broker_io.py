"""Waiting for a broker that is away, and talking to one that wants TLS with certificates and SASL."""

import asyncio
import logging
from pathlib import Path

import pytest

from deploy.embedded.broker import Broker
from deploy.ports import free_port
from schemas.topics import TOPICS
from services.runtime.kafka.broker_io import wait_for_broker
from services.runtime.kafka.kafka_io import ensure_topics, follow, producer, read_compacted
from services.runtime.settings import CommonSettings
from tests.support.secured import HOST, PASSWORD, credentials, pem_files, secured


async def test_a_start_without_a_broker_waits_says_so_and_goes_on_over_tls_and_sasl(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "services.runtime")
    ports = [free_port() for _ in range(3)]
    pem = pem_files(tmp_path)
    settings = CommonSettings(kafka=f"{HOST}:{ports[1]}", **credentials(pem))
    waiting = asyncio.create_task(wait_for_broker(settings))
    async with asyncio.timeout(10):
        while not caplog.messages:  # noqa: ASYNC110 - a log tells nobody that it grew
            await asyncio.sleep(0)
    assert caplog.messages == ["Kafka does not answer, waiting for it"]
    async with Broker(tmp_path / "kafka", ports[0], secured(ports, pem)):
        async with asyncio.timeout(30):
            await waiting
        assert caplog.messages[-1] == "Kafka answers"
        await ensure_topics(settings, [TOPICS["policy"]])
        async with producer(settings, transactional_id="w") as writer, writer.transaction():
            await writer.send("policy", b"1", key=b"active")
        assert await read_compacted(settings, "policy") == {b"active": b"1"}
    assert PASSWORD not in caplog.text


async def test_a_follower_goes_on_when_the_broker_was_killed_or_frozen(tmp_path: Path) -> None:
    async with Broker(tmp_path) as broker, asyncio.timeout(60):
        settings = CommonSettings(kafka=broker.bootstrap)
        await ensure_topics(settings, [TOPICS["policy"]])
        batches = follow(settings, "policy")
        assert (await anext(batches)).caught_up
        await asyncio.to_thread(broker.kill)
        broker.start()  # on this thread: its life is tied to the thread that started it
        broker.freeze()
        waiting = asyncio.create_task(wait_for_broker(settings))
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.shield(waiting), 0.5)
        broker.thaw()
        await waiting
        async with producer(settings) as plain:
            await plain.send_and_wait("policy", b"1", key=b"active")
        assert [record.value for record in (await anext(batches)).records] == [b"1"]
        await batches.aclose()
