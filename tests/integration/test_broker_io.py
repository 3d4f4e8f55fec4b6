"""Waiting for a broker that is away, and talking to one that wants TLS with certificates and SASL."""

import asyncio
import logging
import socket
from pathlib import Path

import pytest
from pydantic import SecretStr

from deploy.embedded.broker import Broker
from schemas.topics import TOPICS
from services.runtime.broker_io import wait_for_broker
from services.runtime.kafka_io import ensure_topics, follow, producer, read_compacted
from services.runtime.settings import CommonSettings
from tests.certificates import self_signed

HOST = "127.0.0.1"
PASSWORD = "correct horse"


def free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind((HOST, 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


@pytest.fixture(scope="module")
def pem(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A certificate that vouches for itself, for the broker and the client alike: `cert`, `key`, and `both`."""
    folder = tmp_path_factory.mktemp("pem")
    cert_text, key_text = self_signed(HOST)
    files = {"cert": cert_text, "key": key_text, "both": key_text + cert_text}
    for file, content in files.items():
        (folder / file).write_bytes(content)
    return {file: folder / file for file in files}


def secured(ports: list[int], pem: dict[str, Path]) -> dict[str, str]:
    """Server properties of a broker with a second listener that wants a certificate and a password."""
    plain, secure, controller = ports
    login = "org.apache.kafka.common.security.plain.PlainLoginModule required"
    return {
        "listeners": f"PLAINTEXT://{HOST}:{plain},SECURE://{HOST}:{secure},CONTROLLER://{HOST}:{controller}",
        "advertised.listeners": f"PLAINTEXT://{HOST}:{plain},SECURE://{HOST}:{secure}",
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,SECURE:SASL_SSL,CONTROLLER:PLAINTEXT",
        "controller.quorum.voters": f"1@{HOST}:{controller}",
        "listener.name.secure.sasl.enabled.mechanisms": "PLAIN",
        "listener.name.secure.plain.sasl.jaas.config": f'{login} user_tidegate="{PASSWORD}";',
        "listener.name.secure.ssl.client.auth": "required",
        "ssl.keystore.type": "PEM",
        "ssl.keystore.location": str(pem["both"]),
        "ssl.truststore.type": "PEM",
        "ssl.truststore.location": str(pem["cert"]),
    }


async def test_a_start_without_a_broker_waits_says_so_and_goes_on_over_tls_and_sasl(
    tmp_path: Path, pem: dict[str, Path], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "services.runtime")
    ports = free_ports(3)
    settings = CommonSettings(
        kafka=f"{HOST}:{ports[1]}",
        kafka_tls=True,
        kafka_tls_ca_file=pem["cert"],
        kafka_tls_cert_file=pem["cert"],
        kafka_tls_key_file=pem["key"],
        kafka_sasl_mechanism="PLAIN",
        kafka_sasl_username="tidegate",
        kafka_sasl_password=SecretStr(PASSWORD),
    )
    waiting = asyncio.create_task(wait_for_broker(settings))
    async with asyncio.timeout(10):
        while not caplog.messages:  # noqa: ASYNC110 - a log tells nobody that it grew
            await asyncio.sleep(0)
    assert caplog.messages == ["Kafka does not answer, waiting for it"]
    async with Broker(tmp_path, ports[0], secured(ports, pem)):
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
