"""The harness on a real broker, with workers that are real processes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from aiokafka import TopicPartition
from aiokafka.admin.records_to_delete import RecordsToDelete

from deploy.embedded.broker import Broker
from services.runtime.end_io import EXIT_CODE
from services.runtime.kafka import broker_io, kafka_io
from services.runtime.settings import CommonSettings
from tests.support import toy
from tests.support.waiting import eventually
from tests.support.workers import (
    Worker,
    append,
    committed,
    fleet,
    given,
    guest,
    new_settings,
    snapshot,
    truth,
    wait_for_commit,
    wait_for_outputs,
)

NEVER = "1000"
"""Seconds between snapshots in tests that do without."""


@pytest.fixture
async def settings(broker: Broker) -> CommonSettings:
    """A log of our own."""
    settings = new_settings(broker.bootstrap)
    await kafka_io.ensure_topics(settings)
    return settings


@pytest.fixture
async def workers() -> AsyncIterator[list[Worker]]:
    """Workers that do not outlive the test."""
    async with fleet() as workers:
        yield workers


def keys(count: int, first: int = 0) -> list[bytes]:
    return [b"k%d" % (number % 7) for number in range(first, first + count)]


def ports(pid: int) -> list[int]:
    """On which a process listens, as Linux tells it."""
    table = Path(f"/proc/{pid}/net/tcp").read_text().splitlines()[1:]
    rows = [line.split() for line in table]
    inodes = {row[9]: int(row[1].partition(":")[2], 16) for row in rows if row[3] == "0A"}
    links = [str(link.readlink()) for link in Path(f"/proc/{pid}/fd").iterdir()]
    return [port for inode, port in inodes.items() if f"socket:[{inode}]" in links]


def next_offset(stored: dict[bytes, bytes]) -> int:
    return int(json.loads(stored[b"progress"])["next"])


async def saved(settings: CommonSettings, partition: int) -> int | None:
    """Where the stored snapshot of a partition goes on, None while there is none."""
    stored = await snapshot(settings, partition)
    return next_offset(stored) if stored else None


async def test_a_clean_stop_saves_and_the_next_start_goes_on_exactly_there(
    settings: CommonSettings, workers: list[Worker], tmp_path: Path
) -> None:
    await append(settings, keys(200))
    workers.append(first := Worker(settings, tmp_path, TOY_SNAPSHOT_S=NEVER))
    await wait_for_outputs(settings, 200)
    assert await first.stop() == 0
    stored = {number: await snapshot(settings, number) for number in (0, 1)}
    ends = {number: next_offset(each) for number, each in stored.items()}
    assert sum(ends.values()) == 200
    assert await committed(settings) == ends

    workers.append(second := Worker(settings, tmp_path, TOY_SNAPSHOT_S=NEVER))
    await second.ready()
    assert {each["partition"]: each["from_offset"] for each in second.events("partition loaded")} == ends
    await append(settings, keys(50))
    await wait_for_outputs(settings, 250)
    assert await second.stop() == 0
    assert await given(settings) == await truth(settings), "each output once, and right"


async def test_the_committed_offset_follows_the_snapshot_not_the_acks(
    settings: CommonSettings, workers: list[Worker], tmp_path: Path
) -> None:
    await append(settings, keys(100))
    workers.append(worker := Worker(settings, tmp_path, TOY_SNAPSHOT_S=NEVER))
    await wait_for_outputs(settings, 100)
    assert await committed(settings) == {0: None, 1: None}
    worker.kill()
    workers.append(worker := Worker(settings, tmp_path, TOY_SNAPSHOT_S="0.5"))
    await wait_for_outputs(settings, 100)
    await eventually(lambda: len(worker.events("partition loaded")) == 2, "loaded")
    assert [each["from_offset"] for each in worker.events("partition loaded")] == [0, 0]
    await wait_for_commit(settings, 100)
    # The broker commits and shows each partition by a marker of its own, one after the other.
    async with asyncio.timeout(20):
        while await committed(settings) != {n: await saved(settings, n) for n in (0, 1)}:  # noqa: ASYNC110 - over Kafka
            await asyncio.sleep(0.1)


async def test_what_a_snapshot_leaves_out_is_folded_again(
    settings: CommonSettings, workers: list[Worker], tmp_path: Path
) -> None:
    await append(settings, keys(300))
    options = {"TOY_MACHINE": "Recent", "TOY_SNAPSHOT_S": NEVER}
    workers.append(worker := Worker(settings, tmp_path, **options))
    await wait_for_outputs(settings, 300)
    assert await worker.stop() == 0
    ends = {number: next_offset(await snapshot(settings, number)) for number in (0, 1)}
    rewound = {number: end - toy.Recent.WINDOW for number, end in ends.items()}
    assert await committed(settings) == rewound

    workers.append(worker := Worker(settings, tmp_path, **options))
    await worker.ready()
    assert {each["partition"]: each["from_offset"] for each in worker.events("partition loaded")} == rewound
    await append(settings, keys(50, first=300))
    await wait_for_outputs(settings, 350)
    assert await given(settings) == await truth(settings, toy.Recent), "nothing was judged twice"


async def test_a_log_that_lost_its_beginning_is_refused(
    settings: CommonSettings, workers: list[Worker], tmp_path: Path
) -> None:
    await append(settings, keys(100))
    workers.append(worker := Worker(settings, tmp_path, TOY_SNAPSHOT_S=NEVER))
    await wait_for_outputs(settings, 100)
    assert await worker.stop() == 0
    await append(settings, keys(100))
    end = next_offset(await snapshot(settings, 0))
    async with broker_io.admin_client(settings) as admin:
        partition = TopicPartition(settings.prefix + toy.LOG, 0)
        await admin.delete_records({partition: RecordsToDelete(before_offset=end + 3)})
    workers.append(worker := Worker(settings, tmp_path))
    assert await worker.ended() == EXIT_CODE
    (entry,) = worker.events("ending the process: TruncatedLogError")
    assert (entry["partition"], "3 records are gone" in entry["event"]) == (0, True)


async def test_a_gap_in_the_log_ends_the_process(
    settings: CommonSettings, workers: list[Worker], tmp_path: Path
) -> None:
    workers.append(worker := Worker(settings, tmp_path))
    await append(settings, keys(20))
    await wait_for_outputs(settings, 20)
    # The marker of a transaction takes an offset and is not handed out: to a reader that is a hole.
    async with kafka_io.producer(settings, transactional_id="hole") as producer, producer.transaction():
        await producer.send_and_wait(settings.prefix + toy.LOG, b"x", key=b"a", partition=1)
    async with kafka_io.producer(settings, transactional_id="hole"):
        pass  # The broker writes the marker after it has answered; a successor's start is what waits for it.
    async with kafka_io.producer(settings) as producer:
        await producer.send_and_wait(settings.prefix + toy.LOG, b"x", key=b"after the hole", partition=1)
    assert await worker.ended() == EXIT_CODE
    assert worker.events("ending the process: GapError")[0]["partition"] == 1
    assert not any(b"after the hole" in value for value in (await given(settings))[1])


async def test_an_exception_ends_the_process_and_the_record_is_applied_later(
    settings: CommonSettings, workers: list[Worker], tmp_path: Path
) -> None:
    boom = tmp_path / "boom"
    boom.touch()
    options = {"TOY_BOOM": str(boom), "TOY_SNAPSHOT_S": "0.5"}
    await append(settings, keys(50))
    workers.append(worker := Worker(settings, tmp_path, **options))
    await wait_for_outputs(settings, 50)
    await append(settings, [b"k1"], b"boom")
    assert await worker.ended() == EXIT_CODE
    entry = worker.events("ending the process: a record could not be applied")[0]
    assert "RuntimeError: boom" in entry["error"]
    assert (await snapshot(settings, entry["partition"])).get(b"progress", b'{"next":0}') <= b'{"next":%d' % (
        entry["offset"] + 1
    )
    await append(settings, keys(10))

    workers.append(worker := Worker(settings, tmp_path, **options))
    assert await worker.ended() == EXIT_CODE, "as often as it is tried"
    boom.unlink()
    workers.append(worker := Worker(settings, tmp_path, **options))
    await wait_for_outputs(settings, 61)
    assert {number: sorted(set(each)) for number, each in (await given(settings)).items()} == {
        number: sorted(each) for number, each in (await truth(settings)).items()
    }


async def test_a_restart_within_the_session_takes_up_at_once(
    settings: CommonSettings, workers: list[Worker], tmp_path: Path
) -> None:
    await append(settings, keys(20))
    workers.append(worker := Worker(settings, tmp_path, TOY_SESSION_S="90"))
    await wait_for_outputs(settings, 20)
    worker.kill()
    await append(settings, keys(1))
    workers.append(Worker(settings, tmp_path, TOY_SESSION_S="90"))
    await wait_for_outputs(settings, 21, timeout_s=40)  # a member that is not static waits for the old session


async def test_partitions_move_to_a_second_worker_and_back(
    settings: CommonSettings, workers: list[Worker], tmp_path: Path
) -> None:
    """No snapshot but those of the revocations; the first of them comes when nothing was ever committed."""
    await append(settings, keys(3000))
    workers.append(one := Worker(settings, tmp_path, "1", TOY_SNAPSHOT_S=NEVER))
    workers.append(two := Worker(settings, tmp_path, "2", TOY_SNAPSHOT_S=NEVER))
    await asyncio.gather(one.ready(), two.ready())
    await append(settings, keys(1000))
    await wait_for_outputs(settings, 4000)
    assert await two.stop() == 0
    await append(settings, keys(1000))
    await wait_for_outputs(settings, 5000)
    assert await one.stop() == 0
    assert await given(settings) == await truth(settings), "clean handovers repeat nothing"


async def test_rebalances_on_a_quiet_log_lose_nothing(
    settings: CommonSettings, workers: list[Worker], tmp_path: Path
) -> None:
    """A fetch waits all the time, and is still waiting when the partitions have been taken up anew."""
    workers.append(worker := Worker(settings, tmp_path))
    await worker.ready()
    async with guest(settings):
        await worker.ready(2)
        await append(settings, keys(10))
    await worker.ready(3)
    await append(settings, keys(10))
    await wait_for_outputs(settings, 20)
    assert await worker.stop() == 0
    assert await given(settings) == await truth(settings)


async def test_a_frozen_worker_ends_when_it_wakes(
    settings: CommonSettings, workers: list[Worker], tmp_path: Path
) -> None:
    await append(settings, keys(20))
    workers.append(frozen := Worker(settings, tmp_path, "1", TOY_SNAPSHOT_S=NEVER))
    await wait_for_outputs(settings, 20)
    frozen.freeze()
    workers.append(successor := Worker(settings, tmp_path, "2"))
    await successor.ready()
    await append(settings, keys(20))
    await wait_for_outputs(settings, 40)
    frozen.wake()
    assert await frozen.ended() == EXIT_CODE
    assert frozen.events("ending the process: the process was frozen")
    assert successor.process.poll() is None


async def test_who_loses_the_partitions_transactional_id_ends(
    settings: CommonSettings, workers: list[Worker], tmp_path: Path
) -> None:
    """As a zombie does that was not frozen for long enough to notice, when it wants to write."""
    workers.append(worker := Worker(settings, tmp_path, TOY_SNAPSHOT_S="0.5"))
    await worker.ready()
    async with kafka_io.producer(settings, transactional_id="toy-1"):
        await append(settings, keys(20))
        assert await worker.ended() == EXIT_CODE
    assert worker.events("ending the process: another worker has taken the partition over")[0]["partition"] == 1
    assert await snapshot(settings, 1) == {}, "nothing of it was written"


async def test_a_broker_that_does_not_acknowledge_ends_the_process(
    broker: Broker, settings: CommonSettings, workers: list[Worker], tmp_path: Path
) -> None:
    workers.append(worker := Worker(settings, tmp_path, TOY_ACK_S="0.001", TOY_SNAPSHOT_S=NEVER))
    await append(settings, keys(200))
    assert await worker.ended() == EXIT_CODE
    assert worker.events("ending the process: outputs were not acknowledged")[0]["error"].endswith("TimeoutError")
    workers.append(worker := Worker(settings, tmp_path))
    await wait_for_outputs(settings, 200)


async def test_one_port_is_open_which_tells_how_it_goes_and_no_files_are_left(
    settings: CommonSettings, workers: list[Worker], tmp_path: Path
) -> None:
    workers.append(worker := Worker(settings, tmp_path))
    await worker.ready()
    listening = ports(worker.pid)
    port = worker.events("serving HTTP")[0]["port"]
    assert listening == [port]
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
        ready = await client.get("/readyz")
        assert ready.json() == {"ok": True, "parts": {"group": "ok", "partition 0": "ok", "partition 1": "ok"}}
        assert "tidegate_machine_load_seconds_count" in (await client.get("/metrics")).text
    assert await worker.stop() == 0
    assert not list(Path.cwd().glob(f"{settings.prefix}toy*")), "Faust would make a data folder"


async def test_a_stop_while_kafka_is_away_is_quick(workers: list[Worker], tmp_path: Path) -> None:
    workers.append(worker := Worker(new_settings("127.0.0.1:9"), tmp_path))
    await eventually(lambda: bool(worker.events("Kafka does not answer")), "it waits for Kafka")
    assert await worker.stop() == 0
