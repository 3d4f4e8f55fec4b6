"""Ingest under SIGKILL, SIGSTOP and a broker that goes: nothing lost, nothing double, and the books say so."""

from __future__ import annotations

import asyncio
import random
import signal
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.admin import RecordsToDelete

from deploy.embedded.broker import Broker
from schemas.policy import Policy
from services.runtime.kafka.broker_io import admin_client
from tests.support.ingest import IngestProcess, Ingests, Record, ingests
from tests.support.waiting import eventually
from tests.unit.ingest.samples import raw

POLICY = Policy(version=1)
EVENTS = "channel-events"


@pytest.fixture
async def system(broker: Broker, tmp_path: Path) -> AsyncIterator[Ingests]:
    async with ingests(broker.bootstrap, tmp_path) as found:
        yield found


def _click(event_id: str, **changes: Any) -> bytes:
    return raw("click", event_id=event_id, **changes)


def _load(rng: random.Random, run: int, count: int) -> Iterator[Record]:
    """Events of several topics over many channels, with duplicates and bad records among them."""
    for number in range(count):
        partition = rng.randrange(2)
        event_id = f"{run}-{number}" if rng.random() > 0.1 else f"{run}-{max(0, number - rng.randrange(50))}"
        channel = f"channel-{rng.randrange(40)}"
        kind = rng.random()
        if kind < 0.05:
            yield EVENTS, partition, rng.choice([b"", b"{", None, b'{"type":"click"}', b"\xff"])
        elif kind < 0.6:
            yield EVENTS, partition, _click(event_id, channel_id=channel, ip=f"192.0.2.{rng.randrange(200)}")
        elif kind < 0.8:
            yield EVENTS, partition, raw("impression", event_id=event_id, channel_id=channel)
        elif kind < 0.9:
            yield "conversion-events", partition, raw("conversion", event_id=event_id, channel_id=channel)
        elif kind < 0.95:
            yield "complaint-events", partition, raw("complaint_opened", event_id=event_id, complaint_id=event_id)
        else:
            yield "mention-events", partition, raw("mention", event_id=event_id)


def _truth(system: Ingests) -> dict[tuple[str, int], Counter[str]]:
    """What must become of what was sent, with nothing of ingest's: all of it within every window of duplicates."""
    counts: dict[tuple[str, int], Counter[str]] = {}
    seen: set[tuple[str, int, bytes]] = set()
    for topic, partition, value in system.sent:
        count = counts.setdefault((topic, partition), Counter())
        count["read"] += 1
        if value is None or b'"event_id"' not in value:
            count["dead"] += 1
            continue
        event_id = value.split(b'"event_id": "')[1].split(b'"')[0]
        if (topic, partition, event_id) in seen:
            count["duplicate"] += 1
            continue
        seen.add((topic, partition, event_id))
        count["valid"] += 1
        count["channel"] += topic != "mention-events"
        count["complaint"] += topic == "complaint-events"
        count["brand"] += topic == "mention-events"
        count["actor"] += b'"click"' in value
    return counts


async def _assert_exact(system: Ingests) -> None:
    """Everything that was sent is in the books and, once, in the frames."""
    ledgers = await system.until_read()
    for at, count in _truth(system).items():
        ledger = ledgers[at]
        found = {name: getattr(ledger, name) for name in ("read", "valid", "duplicate", "dead")} | ledger.routed
        assert +Counter(found) == +count, at
    for subject in ("channel", "actor", "complaint", "brand"):
        rows = await system.rows(subject)
        assert len(rows) == len(set(rows)), "none double"
        assert len(rows) == sum(count[subject] for count in _truth(system).values()), "none lost"
    letters = {(letter.topic, letter.partition, letter.offset) for letter in await system.dead_letters()}
    assert len(letters) == sum(count["dead"] for count in _truth(system).values())


async def test_a_restart_knows_the_ids_from_before_it(system: Ingests) -> None:
    await system.publish(POLICY)
    first = system.start()
    await system.send([(EVENTS, 0, _click(f"{number}")) for number in range(100)])
    await system.send([("complaint-events", 1, raw("complaint_opened"))])
    await system.until_read()
    first.kill()
    await system.send([(EVENTS, 0, _click(f"{number}")) for number in range(50, 150)])
    await system.send([("complaint-events", 1, raw("complaint_opened")), (EVENTS, 1, _click("1"))])
    system.start()
    await _assert_exact(system)
    ledgers = await system.until_read()
    assert ledgers[EVENTS, 0].duplicate == 50
    assert ledgers["complaint-events", 1].duplicate == 1


@pytest.mark.parametrize("seed", [1, 2])
async def test_it_is_killed_at_random_moments(system: Ingests, seed: int) -> None:
    rng = random.Random(seed)
    await system.publish(POLICY)
    process = system.start()
    for run in range(6):
        sending = asyncio.create_task(system.send(_load(rng, run, 2_000)))
        if run % 2:
            await sending  # then a backlog is waiting
        await asyncio.sleep(rng.uniform(0, 0.7))
        process.kill()
        await sending
        process = system.start()
    await _assert_exact(system)


async def test_two_share_the_partitions_and_each_takes_over_from_the_other(system: Ingests) -> None:
    rng = random.Random(3)
    await system.publish(POLICY)
    first = system.start("0")
    await system.send(_load(rng, 0, 1_000))
    second = system.start("1")
    await second.until_said("partitions assigned")
    await eventually(lambda: [len(_assigned(each)) for each in (first, second)] == [5, 5], "sharing", 40)
    assert not _assigned(first) & _assigned(second)
    await system.send(_load(rng, 1, 1_000))
    first.process.send_signal(signal.SIGSTOP)
    await system.send(_load(rng, 2, 1_000))
    await eventually(lambda: len(_assigned(second)) == 10, "the takeover", 40)
    await system.send(_load(rng, 3, 1_000))
    await _assert_exact(system)
    first.process.send_signal(signal.SIGCONT)
    await first.until_said("the process was frozen, it joins the group again")
    await eventually(lambda: len(_assigned(second)) < 10, "sharing again", 40)
    await system.send(_load(rng, 4, 1_000))
    await _assert_exact(system)
    assert await first.stop() == 0
    assert await second.stop() == 0


def _assigned(process: IngestProcess) -> set[str]:
    said = process.said("partitions assigned")
    return set(said[-1]["partitions"]) if said else set()


async def test_a_committed_offset_below_the_start_of_the_log_is_refused(system: Ingests) -> None:
    await system.publish(POLICY)
    process = system.start()
    await system.send([(EVENTS, 0, _click("1"))])
    await system.until_read()
    assert await process.stop() == 0
    await system.send([(EVENTS, 0, _click(f"{number}")) for number in range(2, 12)])
    async with admin_client(system.settings) as admin:
        at = TopicPartition(system.settings.prefix + EVENTS, 0)
        await admin.delete_records({at: RecordsToDelete(before_offset=5)})
    process = system.start()
    said = await process.until_said("partition is not read")
    assert said["partition"] == "channel-events/0"
    assert "committed offset 1 is below the log's start 5" in said["reason"]
    await system.send([(EVENTS, 1, _click("1"))])
    await system.until_mark(lambda mark: any(read.source == 1 and read.next == 1 for read in mark.read), "of others")
    assert (await system.committed())[EVENTS, 0][0] == 1, "never skipped"
    assert "below the log's start" in (await process.get("/readyz")).text


async def test_a_clean_stop_commits_to_the_last_record(system: Ingests) -> None:
    await system.publish(POLICY)
    process = system.start()
    await process.until_said("policy in force")
    await system.send([(EVENTS, 0, _click("1"))])
    await eventually_framed(system, 1)
    assert await process.stop() == 0
    assert (await system.committed())[EVENTS, 0][0] == 1
    assert process.said("a round failed") == []


async def eventually_framed(system: Ingests, rows: int) -> None:
    """Until so many rows are in the frames."""
    for _ in range(200):
        if len(await system.rows("channel")) >= rows:
            return
        await asyncio.sleep(0.02)
    raise AssertionError(f"not {rows} rows")


async def test_a_broker_that_is_away_is_waited_for(tmp_path: Path) -> None:
    rng = random.Random(5)
    with Broker(tmp_path / "kafka") as broker:
        async with ingests(broker.bootstrap, tmp_path) as system:
            await system.publish(POLICY)
            broker.stop()
            process = system.start()
            await process.until_said("Kafka does not answer, waiting for it")
            assert (await process.get("/healthz")).status_code == 200
            assert (await process.get("/readyz")).status_code == 503
            await asyncio.to_thread(broker.start)
            await system.send(_load(rng, 0, 1_000))
            await _assert_exact(system)
            broker.kill()
            await process.until_said("Kafka does not answer, waiting for it", times=2)
            parts = (await process.get("/readyz")).json()["parts"]
            assert parts["reading"] == "waiting for Kafka"
            await asyncio.to_thread(broker.start)
            await system.send(_load(rng, 1, 1_000))
            await _assert_exact(system)
            assert process.process.poll() is None, "it went on by itself"


async def test_without_acknowledgements_it_ends_and_its_successor_goes_on(tmp_path: Path) -> None:
    rng = random.Random(6)
    with Broker(tmp_path / "kafka") as broker:
        async with ingests(broker.bootstrap, tmp_path) as system:
            await system.publish(POLICY)
            process = system.start(TIDEGATE_INGEST_ACK_S="2")
            await system.send(_load(rng, 0, 500))
            await eventually_framed(system, 1)
            broker.freeze()
            assert await process.ended() == 70
            assert "not acknowledged" in process.text or "could not be committed" in process.text
            broker.thaw()
            system.start()
            await system.send(_load(rng, 1, 500))
            await _assert_exact(system)


async def test_a_stop_before_everything_is_there_is_a_stop(tmp_path: Path, system: Ingests) -> None:
    process = system.start(TIDEGATE_KAFKA="127.0.0.1:1")
    await process.until_said("Kafka does not answer, waiting for it")
    assert await process.stop() == 0
