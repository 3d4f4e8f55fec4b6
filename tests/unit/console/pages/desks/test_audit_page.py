"""The page of the audit: search, export, and the chains checked when somebody asks."""

import asyncio
import csv
import io
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from aiokafka.errors import KafkaConnectionError

from schemas.audit import AuditRecord
from schemas.topics import AUDIT
from services.auditing.rows import COLUMNS
from services.console.jobs.chain_check_io import ChainCheck, Checked
from services.console.pages.desks.audit import PAGE, Finder, Search
from services.console.people import Role
from services.runtime.ids import derive
from services.runtime.kafka import kafka_io
from services.runtime.kafka.kafka_io import Batch, Received
from tests.unit.cli.audit.logs import Log, record, written
from tests.unit.console.browsing import Form, browsing
from tests.unit.console.samples import NOW, audit
from tests.unit.console.world import SETTINGS, World


def told(number: int, **fields: Any) -> AuditRecord:
    return audit(f"n{number}", at=NOW + timedelta(minutes=number), **fields)


RECORDS = [
    told(0, why="too many complaints"),
    told(1, target="channel:weibo", who="indicator:complaint_rate", alert_id=derive("alert")),
    told(2, what="deliver", who="alerting", detail={"alerts": [derive("alert")], "note": "已致电 平台"}),
]
ENTRIES = [((number, 0, number), record) for number, record in enumerate(RECORDS)]


@pytest.mark.parametrize(
    ("search", "expected"),
    [
        (Search(), [2, 1, 0]),
        (Search(target="WEIBO"), [1]),
        (Search(who="li.wei"), [0]),
        (Search(word="complaints"), [0]),
        (Search(word="已致电"), [2]),
        (Search(command=derive("n1")), [1]),
        (Search(command=derive("alert")), [2, 1]),
        (Search(since="2026-03-02T17:31"), [2, 1]),
        (Search(until="2026-03-02T17:31"), [0]),
        (Search(since="2026-03-02T09:31:00+00:00", until="2026-03-02T17:32"), [1]),
        (Search(word="nothing like it"), []),
    ],
)
def test_what_a_search_finds(world: World, search: Search, expected: list[int]) -> None:
    found, more = Finder(search, world.feed.policy.zone).page(ENTRIES, 1)
    assert ([place[2] for place, _ in found], more) == (expected, False)


def test_pages_are_of_a_hundred(world: World) -> None:
    entries = [((number, 0, number), RECORDS[0]) for number in range(2 * PAGE + 1)]
    finder = Finder(Search(), world.feed.policy.zone)
    pages = [finder.page(entries, number) for number in (1, 2, 3, 4)]
    assert [(len(found), more) for found, more in pages] == [(100, True), (100, True), (1, False), (0, False)]
    assert pages[2][0][0][0] == (0, 0, 0)


async def shown(world: World) -> None:
    await world.read(AUDIT, *((record.target, record) for record in RECORDS))


@pytest.mark.usefixtures("complete")
@pytest.mark.parametrize(("language", "words"), [("en", "Who did what"), ("zh", "谁在何时")])
@pytest.mark.parametrize("role", ["viewer", "admin"])
async def test_everybody_who_is_signed_in_may_search(world: World, role: Role, language: str, words: str) -> None:
    await shown(world)
    async with browsing(world, role, language) as client:
        page = (await client.get("/audit")).text
        assert words in page
        assert f'href="/alerts/{derive("alert")}"' in page
        assert 'href="/channels/channel%3Aweibo"' in page
        only = (await client.get("/audit", params={"word": "complaints", "who": "li.wei"})).text
        assert ("too many complaints" in only, "已致电" in only) == (True, False)
        assert (await client.get("/audit?since=yesterday")).status_code == 422


@pytest.mark.usefixtures("complete")
async def test_what_is_found_is_handed_over_as_the_command_line_does(world: World) -> None:
    await shown(world)
    async with browsing(world) as client:
        sheet = await client.get("/audit/export", params={"format": "csv", "who": "li.wei"})
        assert sheet.headers["Content-Disposition"] == 'attachment; filename="audit.csv"'
        header, row = csv.reader(io.StringIO(sheet.content.decode("utf-8-sig")))
        assert header == list(COLUMNS)
        assert dict(zip(header, row, strict=True))["why"] == "too many complaints"
        lines = (await client.get("/audit/export", params={"format": "jsonl"})).text.splitlines()
        assert [json.loads(line)["what"] for line in lines] == ["pause", "pause", "deliver"]
        assert (await client.get("/audit/export", params={"format": "xml"})).status_code == 422
    async with browsing(world, None) as client:
        assert (await client.get("/audit/export")).status_code == 303


def follows(monkeypatch: pytest.MonkeyPatch, log: Log, go: asyncio.Event | None = None) -> None:
    """The topic holds this; it is read once `go` is set."""

    async def follow(*_: object) -> AsyncIterator[Batch]:
        if go is not None:
            await go.wait()
        records = [
            Received(AUDIT, partition, offset, 0, key, value)
            for partition, found in log.items()
            for offset, (key, value) in enumerate(found)
        ]
        yield Batch(records[:2], caught_up=False)
        yield Batch(records[2:], caught_up=True)
        raise AssertionError("read on after all was seen")

    monkeypatch.setattr(kafka_io, "follow", follow)


async def checked(check: ChainCheck) -> Checked:
    check.start("li.wei")
    await check.finished()
    assert check.last is not None
    return check.last


async def test_chains_that_follow_are_said_to(monkeypatch: pytest.MonkeyPatch) -> None:
    follows(monkeypatch, written(record(number) for number in range(7)))
    found = await checked(ChainCheck(SETTINGS, lambda: NOW))
    assert (found.records, found.chains, found.found, found.by, found.at) == (7, 1, 0, "li.wei", NOW)


async def test_what_was_changed_is_named_with_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    log = written(record(number) for number in range(7))
    partition = next(each for each in log if log[each])
    key, value = log[partition][3]
    log[partition][3] = (key, value.replace(b"for reason", b"for another reason"))
    follows(monkeypatch, log)
    found = await checked(ChainCheck(SETTINGS, lambda: NOW))
    assert found.found == 1
    assert str(found.findings[0]).startswith(f"audit/{partition} offset 3")


async def test_a_kafka_that_is_away_is_told_and_the_last_result_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    async def away(*_: object) -> AsyncIterator[Batch]:
        raise KafkaConnectionError
        yield

    follows(monkeypatch, written([record(1)]))
    check = ChainCheck(SETTINGS, lambda: NOW)
    before = await checked(check)
    monkeypatch.setattr(kafka_io, "follow", away)
    assert await checked(check) == before
    assert check.failed


@pytest.mark.usefixtures("complete")
async def test_the_chains_are_checked_by_a_button_and_one_check_runs_at_a_time(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    go = asyncio.Event()
    follows(monkeypatch, written(record(number) for number in range(5)), go)
    async with browsing(world, "viewer") as client:
        page = (await client.get("/audit")).text
        assert "Not checked since" in page
        csrf = Form(page, "/audit/verify").fields["csrf"]
        assert (await client.post("/audit/verify", data={"csrf": "forged"})).status_code == 403
        for _ in range(2):
            assert (await client.post("/audit/verify", data={"csrf": csrf})).status_code == 303
        assert "Going along the chains" in (await client.get("/audit")).text
        go.set()

        async with asyncio.timeout(10):
            while "Going along" in (page := (await client.get("/audit")).text):
                pass
        assert "All follow: 5 records in 1 chains." in " ".join(page.split())


@pytest.mark.usefixtures("complete")
@pytest.mark.parametrize(
    ("language", "told"), [("en", {"it is held back": 1, "because of the limit": 1}), ("zh", {"被拦下": 1})]
)
async def test_nothing_is_said_twice_in_either_language(world: World, language: str, told: dict[str, int]) -> None:
    said = {"who": "governor", "what": "declined", "why": "it is held back", "why_zh": "被拦下"}
    await world.read(AUDIT, ("channel:a", audit("n", **said, detail={"note": "because of the limit"})))
    async with browsing(world, "viewer", language) as client:
        page = (await client.get("/audit")).text
    assert {words: page.count(words) for words in told} == told
