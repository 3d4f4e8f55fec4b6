"""The archive of a real broker's topics, by a process that is killed in between."""

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.admin import RecordsToDelete

from deploy.embedded.broker import Broker
from schemas.base import from_ms
from schemas.events import TOPIC_OF
from schemas.policy import Policy
from schemas.topics import RAW_TOPICS
from services.cli.archive.alike import Alike
from services.cli.archive.archived_log_io import ArchivedLog
from services.cli.archive.columns import columns_of
from services.cli.archive.parquet_io import pieces_in, read
from services.cli.archive.rows import Masking, Row
from services.cli.backtest.pipeline import Pipeline, RawRecord
from services.cli.backtest.raw_log_io import Archived, raw_log
from services.ingest.reading.records import Records
from services.runtime.kafka import kafka_io
from services.runtime.kafka.broker_io import admin_client
from tests.support.indicator_log import commands
from tests.support.ingest import PSEUDONYM_KEY, ROOT, Ingests, Record, ingests
from tests.support.waiting import eventually
from tests.unit.ingest.samples import AT_MS, TYPES, event

KEY = PSEUDONYM_KEY.encode()
PARTITIONS = 2


@pytest.fixture
async def system(broker: Broker, tmp_path: Path) -> AsyncIterator[Ingests]:
    async with ingests(broker.bootstrap, tmp_path) as found:
        yield found


def _value(kind: str, number: int, at_ms: int) -> bytes:
    return json.dumps(
        event(
            kind,
            event_id=f"e-{number % 5000}",
            occurred_at=from_ms(at_ms + number % 60_000).isoformat(),
            **({"ip": f"203.0.113.{number % 50}"} if kind == "click" else {}),
            **({"complaint_id": f"k-{number}"} if kind == "complaint_opened" else {}),
        )
    ).encode()


def _records(count: int, at_ms: int, begin: int = 0) -> list[Record]:
    """Of every type, on every partition; among them duplicates and what is no event."""
    found: list[Record] = []
    for number in range(begin, begin + count):
        kind = "click" if number % 3 else TYPES[number // 3 % len(TYPES)]
        value = b"{" if number % 100 == 0 else _value(kind, number, at_ms)
        found.append((TOPIC_OF[kind], number // 7 % PARTITIONS, value))
    return found


async def _start(system: Ingests, folder: Path, *more: str) -> asyncio.subprocess.Process:
    environ = {name: value for name, value in os.environ.items() if not name.startswith("TIDEGATE_")}
    environ |= {"TIDEGATE_KAFKA": system.settings.kafka, "TIDEGATE_PREFIX": system.settings.prefix}
    environ |= {"TIDEGATE_INGEST_PSEUDONYM_KEY": PSEUDONYM_KEY}
    command = (sys.executable, "-m", "services.cli", "archive", "--to", str(folder), *more)
    pipe = subprocess.PIPE
    return await asyncio.create_subprocess_exec(*command, env=environ, cwd=ROOT, stdout=pipe, stderr=pipe)


async def _archive(system: Ingests, folder: Path) -> tuple[int | None, str, str]:
    process = await _start(system, folder)
    output, errors = await process.communicate()
    return process.returncode, output.decode(), errors.decode()


async def _raw(system: Ingests) -> list[RawRecord]:
    """What the topics hold, read without any of the archive's code."""
    found = []
    for topic in RAW_TOPICS:
        reading = kafka_io.follow(system.settings, topic)
        async for batch in reading:
            found += [RawRecord(topic, r.partition, r.offset, r.timestamp_ms, r.value) for r in batch.records]
            if batch.caught_up:
                break
        await reading.aclose()
    return found


def _rows(folder: Path) -> list[Row]:
    there = pieces_in(folder)
    return [
        {name: row.get(name) for name in columns_of(topic)}
        for topic in RAW_TOPICS
        for partition in there.partitions(topic)
        for piece in there.of(topic, partition)
        for row in read(folder, piece)
    ]


def _expected(given: list[RawRecord]) -> list[Row]:
    rows: list[Row] = []
    for topic in RAW_TOPICS:
        masking = Masking(topic, KEY)
        for partition in range(PARTITIONS):
            own = sorted((r for r in given if (r.topic, r.partition) == (topic, partition)), key=lambda r: r.offset)
            offsets, stamps = [r.offset for r in own], [r.stamp_ms for r in own]
            made = masking.rows(partition, Records(0, len(own), offsets, stamps, [r.value for r in own]))
            rows += [{name: row.get(name) for name in columns_of(topic)} for row in made]
    return rows


def _through(given: list[RawRecord], archived: bool) -> tuple[list[Any], dict[str, int]]:
    pipeline = Pipeline(Policy(version=1), KEY, ("channel", "actor"), archived=archived)
    begin, end = given[0].stamp_ms, given[-1].stamp_ms
    pipeline.mark(begin - 1)
    outputs = pipeline.feed(given, end) + pipeline.mark(end + 3_600_000)
    return outputs, pipeline.counts


async def _killed_in_the_middle(system: Ingests, at: Path, count: int) -> Path:
    """The folder of an archive that has some of the records; one that was done before we looked is no use."""
    for number in range(10):
        folder = at / f"archive-{number}"
        process = await _start(system, folder)
        await eventually(lambda folder=folder: any(folder.rglob("*.parquet")), "a first file", 30)  # type: ignore[misc]
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()
        if len(_rows(folder)) < count:
            return folder
    raise AssertionError("it was never killed in the middle")


async def test_every_offset_is_archived_once_whenever_it_is_killed(system: Ingests, tmp_path: Path) -> None:
    now_ms = time.time_ns() // 1_000_000 - 60_000
    await system.send(_records(40_000, now_ms))
    folder = await _killed_in_the_middle(system, tmp_path, 40_000)
    before = sorted(folder.rglob("*.parquet"))

    await system.send(_records(5_000, now_ms, begin=40_000))
    code, _, errors = await _archive(system, folder)
    assert (code, errors) == (0, "")
    assert set(before) - set(folder.rglob("*.parquet")) == set()
    assert (await _archive(system, folder))[:2] == (0, "archived 0 records in 0 files\n")

    given = await _raw(system)
    assert len(given) == 45_000
    _assert_same(_rows(folder), _expected(given))
    assert sum(row["problem"] is not None for row in _rows(folder)) == 450

    live = sorted(given, key=lambda each: (each.stamp_ms, RAW_TOPICS.index(each.topic), each.partition, each.offset))
    kept = list(ArchivedLog(folder, 0, now_ms + 86_400_000).records())
    _assert_same([replace(each, value=None) for each in kept], [replace(each, value=None) for each in live])
    outputs, counts = _through(live, archived=False)
    again, counted = _through(kept, archived=True)
    _assert_same(again, outputs)
    assert counted == counts == {"read": 45_000, "dead": 450}
    assert commands(outputs), "a log in which nothing trips proves nothing"

    await system.send(_records(1_000, now_ms, begin=45_000))
    archive = ArchivedLog(folder, 0, now_ms + 86_400_000)
    earlier = Archived(archive.sources(), archive.positions, archive.total, Alike(KEY))
    async with raw_log(system.settings, 0, now_ms + 86_400_000, earlier) as log:
        both = [record async for records, _ in log.blocks() for record in records]
    order, alike = attrgetter("topic", "partition", "offset"), Alike(KEY)
    of_all = sorted(await _raw(system), key=order)
    wanted = [each for _, own in groupby(of_all, attrgetter("topic", "partition")) for each in alike.records(own)]
    _assert_same([_said(each) for each in sorted(both, key=order)], [_said(each) for each in wanted])
    assert (len(both), log.total, log.gaps) == (46_000, 46_000, [])
    assert [each.stamp_ms for each in both] == sorted(each.stamp_ms for each in both)


def _said(record: RawRecord) -> tuple[Any, ...]:
    """What a record says, in whichever order its fields are written."""
    value = None if record.value is None else json.loads(record.value)
    return record.topic, record.partition, record.offset, record.stamp_ms, value


def _assert_same(found: Sequence[Any], wanted: Sequence[Any]) -> None:
    """Without a picture of all that differs, which takes minutes of lists so long."""
    assert len(found) == len(wanted)
    different = next((each for each in zip(found, wanted, strict=True) if each[0] != each[1]), None)
    assert different is None


async def test_it_follows_and_keeps_a_second_one_out(system: Ingests, tmp_path: Path) -> None:
    folder = tmp_path / "archive"
    await system.send(_records(10, AT_MS))
    process = await _start(system, folder, "--follow", "0.2")
    try:
        await eventually(lambda: folder.exists() and len(_rows(folder)) == 10, "the first ten", 30)
        code, _, errors = await _archive(system, folder)
        assert code == 1 and "somebody else is writing" in errors
        await system.send(_records(10, AT_MS, begin=10))
        await eventually(lambda: len(_rows(folder)) == 20, "ten more", 30)
    finally:
        process.kill()
        await process.wait()


async def test_what_is_gone_or_of_another_system_is_said(system: Ingests, tmp_path: Path) -> None:
    folder = tmp_path / "archive"
    await system.send([("channel-events", 0, _value("click", n, AT_MS)) for n in range(10)])
    assert (await _archive(system, folder))[0] == 0
    await system.send([("channel-events", 0, _value("click", n, AT_MS)) for n in range(10, 20)])
    async with admin_client(system.settings) as admin:
        at = TopicPartition(f"{system.settings.prefix}channel-events", 0)
        await admin.delete_records({at: RecordsToDelete(before_offset=15)})
    code, output, errors = await _archive(system, folder)
    assert (code, output) == (1, "archived 5 records in 1 files\n")
    assert errors == "channel-events/0: 10 to 14 were gone before they were archived\n"
    (gap,) = ArchivedLog(folder, 0, AT_MS + 400 * 86_400_000).gaps
    assert gap.startswith("channel-events/0 10-15 (")

    (last,) = folder.glob("channel-events/*/0-15-20.parquet")
    last.rename(last.with_name("0-15-1000.parquet"))
    code, _, errors = await _archive(system, folder)
    assert code == 1
    assert errors == ("channel-events/0: the archive goes up to 1000, the topic to 20: is it that of another system?\n")
