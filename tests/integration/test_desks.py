"""Dead letters opened, the audit's chains gone along, and complaints listed, all from a real Kafka."""

import asyncio
import contextlib
import json
import uuid
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydantic import SecretStr

from deploy.embedded.broker import Broker
from schemas.base import to_ms
from schemas.dead_letters import DeadLetter
from schemas.readings import Cases, OpenCase
from schemas.topics import AUDIT, CHANNEL_EVENTS, DEAD_LETTERS, READINGS, TOPICS
from services.cli.__main__ import parser
from services.cli.settings import CliSettings
from services.console.jobs.chain_check_io import ChainCheck
from services.console.settings import ConsoleSettings
from services.console.state.feed_io import Feed
from services.gateway.bodies import NDJSON, split
from services.gateway.checking import check
from services.ingest.reading.validation import judge
from services.ingest.sources.quarantine import dead_letter
from services.ingest.sources.sealing import Sealer
from services.runtime.health import Health
from services.runtime.kafka.kafka_io import ensure_topics, producer
from services.runtime.machines.machine import Output
from tests.support.machines import send
from tests.support.waiting import eventually
from tests.unit.cli.audit.logs import record, written
from tests.unit.console.world import SETTINGS
from tests.unit.gateway.samples import click, sender

KEY = "a" * 43 + "="
NOW = datetime.now(UTC)


@pytest.fixture
async def settings(broker: Broker) -> CliSettings:
    key = SecretStr(KEY)
    settings = CliSettings(kafka=broker.bootstrap, prefix=f"{uuid.uuid4().hex[:8]}.", ingest_dead_letter_key=key)
    await ensure_topics(settings)
    return settings


def console_of(settings: CliSettings) -> ConsoleSettings:
    return SETTINGS.model_copy(update={"kafka": settings.kafka, "prefix": settings.prefix})


@contextlib.asynccontextmanager
async def reading(settings: CliSettings) -> AsyncIterator[Feed]:
    feed = Feed(console_of(settings), Health(), NOW)
    task = asyncio.create_task(feed.run())
    yield feed
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def rejected(offset: int, raw: bytes) -> DeadLetter:
    """As ingest writes it."""
    problems = judge(CHANNEL_EVENTS, raw)
    assert isinstance(problems, list)
    return dead_letter(CHANNEL_EVENTS, 0, offset, to_ms(NOW), raw, problems, Sealer(KEY).seal)


def as_output(letter: DeadLetter) -> Output:
    return Output(DEAD_LETTERS, letter.topic.encode(), letter.model_dump_json().encode())


async def opened(settings: CliSettings, out: Path, *arguments: str) -> int:
    parsed = parser().parse_args(["dead-letters", "open", "--out", str(out), *arguments])
    return int(await parsed.run(parsed, settings))


async def test_what_was_rejected_is_opened_mended_and_taken(
    settings: CliSettings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    letters = [rejected(7, click("e-1", count=-1)), rejected(8, click("e-2", count="5", link_id="0815"))]
    async with producer(settings) as kafka:
        await send(settings, kafka, *map(as_output, letters))
    out = tmp_path / "mend.ndjson"
    assert await opened(settings, out, "--topic", CHANNEL_EVENTS) == 0
    assert out.stat().st_mode & 0o777 == 0o600
    told = "".join(capsys.readouterr())
    assert "channel-events/0 offset 7: count Input should be greater than or equal to 0" in told
    assert "0815" not in told
    mended = [json.dumps(json.loads(line) | {"count": 5}).encode() for line in out.read_bytes().splitlines()]
    judged = check(split(b"\n".join(mended), NDJSON, 10), sender(), NOW)
    assert [type(each) for each in judged] == [Output, Output]
    assert await opened(settings, out, "--topic", CHANNEL_EVENTS) == 2, "never over what is there"
    assert await opened(settings, tmp_path / "one", "--partition", "0", "--offset", "8") == 0
    assert len((tmp_path / "one").read_bytes().splitlines()) == 1
    assert await opened(settings, tmp_path / "none", "--offset", "9") == 1


async def test_without_the_key_nothing_is_opened(settings: CliSettings, tmp_path: Path) -> None:
    keyless = settings.model_copy(update={"ingest_dead_letter_key": None})
    assert await opened(keyless, tmp_path / "out") == 2
    assert not (tmp_path / "out").exists()


async def test_the_console_keeps_why_and_nothing_sealed(settings: CliSettings) -> None:
    letter = rejected(7, b"not json")
    async with producer(settings) as kafka, reading(settings) as feed:
        await send(settings, kafka, as_output(letter))
        await eventually(
            lambda: feed.letters.get((letter.topic, letter.partition, letter.offset)) is not None, "the letter"
        )
        assert letter.raw not in repr(vars(feed.letters))


async def test_the_console_lists_who_waits_until_it_is_settled(settings: CliSettings) -> None:
    case = OpenCase(at=NOW, channel="douyin", entry="one_click")
    told = Cases(writer="indicators:complaint:0", at=NOW, waiting={"c-1": case})
    over = told.model_copy(update={"waiting": {}, "settled": ["c-1"]})
    async with producer(settings) as kafka, reading(settings) as feed:
        await send(settings, kafka, Output(READINGS, told.writer.encode(), told.model_dump_json().encode()))
        await eventually(lambda: feed.complaints.entries() == {"c-1": case}, "the complaint")
        await send(settings, kafka, Output(READINGS, over.writer.encode(), over.model_dump_json().encode()))
        await eventually(lambda: not feed.complaints.entries(), "its end")


async def test_the_chains_are_gone_along_and_a_change_is_named(settings: CliSettings) -> None:
    log = written(record(number) for number in range(50))
    partitions = TOPICS[AUDIT].partitions(settings.partitions)
    assert len(log) <= partitions
    check = ChainCheck(console_of(settings))
    async with producer(settings) as kafka:
        for partition, records in log.items():
            for key, value in records:
                await kafka.send_and_wait(settings.prefix + AUDIT, value, key=key, partition=partition)
        check.start("li.wei")
        await check.finished()
        assert check.last is not None
        assert (check.last.records, check.last.found) == (50, 0)
        key, value = next(records[0] for records in log.values() if records)
        altered = value.replace(b"for reason", b"for no reason")
        await kafka.send_and_wait(settings.prefix + AUDIT, altered, key=key, partition=0)
        check.start("li.wei")
        await check.finished()
        assert check.last.found > 0
