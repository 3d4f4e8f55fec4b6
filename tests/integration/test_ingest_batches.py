"""Batches in every compression, and such as no client of ours would send, on a real broker."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiokafka.errors import KafkaError, NotLeaderForPartitionError, for_code
from aiokafka.protocol.produce import ProduceRequest
from aiokafka.structs import TopicPartition

from deploy.embedded.broker import Broker
from schemas.policy import Policy
from services.ingest.reading.batches_io import BATCH_RECORDS
from services.runtime.kafka import kafka_io
from tests.support.batches import CODECS, batch, checked, encode, repacked
from tests.support.ingest import IngestProcess, Ingests, ingests
from tests.unit.ingest.samples import raw

EVENTS = "channel-events"


@pytest.fixture
async def system(broker: Broker, tmp_path: Path) -> AsyncIterator[Ingests]:
    async with ingests(broker.bootstrap, tmp_path) as found:
        await found.publish(Policy(version=1))
        yield found


async def _produce(system: Ingests, data: bytes) -> None:
    """Appends one batch to partition 0 as it is."""
    topic = system.settings.prefix + EVENTS
    async with kafka_io.consumer(system.settings) as consumer:
        client = consumer._client
        await client.add_topic(topic)
        error: type[KafkaError] = NotLeaderForPartitionError
        deadline = time.monotonic() + 20
        while error is NotLeaderForPartitionError and time.monotonic() < deadline:  # a topic this new has none yet
            await client.force_metadata_update()
            node = client.cluster.leader_for_partition(TopicPartition(topic, 0))
            response = await client.send(node, ProduceRequest(None, -1, 10_000, [(topic, [(0, data)])]))
            error = for_code(response.topics[0][1][0][1])
    assert error.errno == 0, error


def _batch(*values: bytes | None, codec: int = 0, header: bytes = b"") -> bytes:
    """A batch as a client sends it; `header` is the name of a header of each record."""
    plain = batch(0, *values, headers=[("k" * len(header), b"v")] if header else [])
    body = plain[61:].replace(b"k" * len(header), header) if header else plain[61:]
    data = bytearray(repacked(plain, encode(codec, body) if codec else body, codec))
    data[22] &= ~0b1000  # the time is the broker's to say
    return checked(data)


def _peak_mb(process: IngestProcess) -> int:
    """The most memory that the process has had."""
    status = Path(f"/proc/{process.process.pid}/status").read_text(encoding="ascii")
    return int(status.split("VmHWM:")[1].split()[0]) // 1024


def _click(event_id: str) -> bytes:
    return raw("click", event_id=event_id)


@pytest.mark.parametrize("codec", CODECS)
async def test_events_and_transactions_in_every_compression(system: Ingests, codec: str) -> None:
    system.start()
    topic = system.settings.prefix + EVENTS
    async with kafka_io.producer(system.settings, compression=codec, linger_ms=20) as producer:
        for sent in [await producer.send(topic, _click(f"{n}"), partition=0) for n in range(50)]:
            await sent
    async with kafka_io.producer(system.settings, compression=codec, transactional_id="sender") as producer:
        for number, commit in enumerate((False, True, False, True)):
            await producer.begin_transaction()
            await producer.send_and_wait(topic, _click(f"t{number}"), partition=0)
            await (producer.commit_transaction() if commit else producer.abort_transaction())
    async with kafka_io.producer(system.settings, transactional_id="sender"):
        pass  # The broker writes the marker after it has answered; a successor's start is what waits for it.
    ledger = (await system.until_read())[EVENTS, 0]
    assert (ledger.read, ledger.valid) == (52, 52)
    assert await system.rows("actor") == [(0, offset) for offset in [*range(50), 52, 56]]


async def test_bombs_are_dead_letters_and_take_no_memory(system: Ingests) -> None:
    process = system.start()
    await system.send([(EVENTS, 0, _click("first"))])
    await system.until_read()
    before = _peak_mb(process)
    bombs = [_batch(bytes(60 << 20), codec=codec) for codec in CODECS.values()]
    bombs.append(_batch(*[None] * (BATCH_RECORDS + 1), codec=1))
    for number, bomb in enumerate(bombs):
        await _produce(system, bomb)
        await system.send([(EVENTS, 0, _click(f"after-{number}"))])
    ledger = (await system.until_read())[EVENTS, 0]
    assert (ledger.read, ledger.valid, ledger.dead) == (11, 6, 5)
    letters = sorted(await system.dead_letters(), key=lambda letter: letter.offset)
    assert [letter.offset for letter in letters] == [1, 3, 5, 7, 9 + BATCH_RECORDS]
    assert ["16,777,216 bytes" in letter.errors[0].problem for letter in letters] == [True] * 4 + [False]
    assert "100,001 records" in letters[-1].errors[0].problem
    assert [offset for _, offset in await system.rows("actor")] == [0, 2, 4, 6, 8, 10 + BATCH_RECORDS]
    assert _peak_mb(process) - before < 120
    assert await process.stop() == 0


async def test_a_header_that_is_no_text_costs_nobody_anything(system: Ingests) -> None:
    process = system.start()
    for codec in (0, *CODECS.values()):
        await _produce(
            system, _batch(_click(f"{codec}a"), _click(f"{codec}b"), codec=codec, header=b"\xff\xfe\x80name")
        )
    ledger = (await system.until_read())[EVENTS, 0]
    assert (ledger.read, ledger.valid, ledger.dead) == (10, 10, 0)
    assert await process.stop() == 0
