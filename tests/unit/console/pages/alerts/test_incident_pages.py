"""The pages of incidents: listed, shown with their report, put together and taken apart."""

from datetime import UTC, datetime, timedelta

import pytest

from schemas.alerts import INCIDENT_LABEL
from schemas.topics import ALERT_STATE, AUDIT, CHANNEL_STATE, POLICY
from services.console.people import Role
from services.console.state.feed_io import Feed
from services.runtime.health import Health
from services.runtime.ids import derive
from tests.unit.console.browsing import Form, browsing
from tests.unit.console.troubles import evidence, paused
from tests.unit.console.world import SETTINGS, World

A, B = paused("a"), paused("b", 5)
C = paused("c", 9, evidence=evidence("complaint_volume", "channel:c", detail={}))
PAGE = f"/incidents/{A.alert_id}"


@pytest.fixture
async def world() -> World:
    """Of three alerts two are one incident."""
    world = World(Feed(SETTINGS, Health(), datetime.now(UTC)))
    for topic in (CHANNEL_STATE, AUDIT, POLICY):
        await world.read(topic)
    await world.read(ALERT_STATE, *((each.alert_id, each) for each in (A, B, C)))
    return world


@pytest.mark.parametrize(("language", "words"), [("en", ["Incidents", "2 alerts"]), ("zh", ["事件", "2 条"])])
async def test_incidents_are_listed_the_newest_first(world: World, language: str, words: list[str]) -> None:
    async with browsing(world, "viewer", language) as browser:
        page = (await browser.get("/incidents")).text
    assert [each for each in words if each not in page] == []
    assert 0 < page.index(f'"/incidents/{C.alert_id}"') < page.index(f'"{PAGE}"')


async def test_what_is_over_for_an_hour_is_closed(world: World) -> None:
    over = {"status": "resolved", "seq": 1, "resolved_at": datetime.now(UTC) - timedelta(hours=2)}
    await world.read(ALERT_STATE, (C.alert_id, C.model_copy(update=over)))
    async with browsing(world) as browser:
        found = {
            which: (await browser.get("/incidents", params={"status": which})).text for which in ("open", "closed")
        }
    assert {which: C.alert_id in page for which, page in found.items()} == {"open": False, "closed": True}
    assert {which: A.alert_id in page for which, page in found.items()} == {"open": True, "closed": False}


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", ["Suspected cause", "Open actions", "Its alerts", "Timeline", "Who did what"]),
        ("zh", ["疑似原因", "未结事项", "所含告警", "时间线", "责任与分工"]),
    ],
)
async def test_one_incident_has_its_alerts_and_its_report(world: World, language: str, words: list[str]) -> None:
    async with browsing(world, "viewer", language) as browser:
        page = (await browser.get(f"/incidents/{B.alert_id}")).text
    assert [each for each in words if each not in page] == []
    assert f'href="/alerts/{A.alert_id}"' in page
    assert "/merge" not in page, "a viewer orders nothing"


@pytest.mark.parametrize(
    ("language", "form", "begins"), [("en", "html", "<!doctype html>"), ("zh", "markdown", "# 事件报告")]
)
async def test_the_report_is_a_file_in_the_language_of_the_reader(
    world: World, language: str, form: str, begins: str
) -> None:
    async with browsing(world, "viewer", language) as browser:
        answer = await browser.get(f"{PAGE}/report", params={"format": form})
    assert answer.text.startswith(begins)
    assert answer.headers["content-disposition"].startswith(f'attachment; filename="incident-{A.alert_id}.')
    assert "default-src 'none'" in answer.headers["content-security-policy"]


async def carried_out(world: World) -> None:
    """What channel_control and alerting make of the last order: each alert gets its label."""
    for key, ids in (world.commands[-1].incidents or {}).items():
        for alert_id in ids:
            known = world.feed.alerts.get(alert_id)
            assert known is not None
            update = {"labels": {INCIDENT_LABEL: key}, "seq": known.seq + 1}
            await world.read(ALERT_STATE, (alert_id, known.model_copy(update=update)))


async def test_people_put_together_and_take_apart_again(world: World) -> None:
    world.judge = {"outcome": "done"}
    async with browsing(world) as browser:
        form = Form((await browser.get(PAGE)).text, f"{PAGE}/merge").fields
        chosen = {"incident_ids": [C.alert_id, ""], "reason": "the same campaign"}
        answer = await browser.post(f"{PAGE}/merge", data=form | chosen)
        assert answer.status_code == 303
        await carried_out(world)
        page = (await browser.get(answer.headers["location"])).text
        assert "Done." in page
        assert f'href="/alerts/{C.alert_id}"' in page
        form = Form(page, f"{PAGE}/split").fields
        answer = await browser.post(f"{PAGE}/split", data=form | {"alert_ids": [B.alert_id], "reason": "by chance"})
        await carried_out(world)
        page = (await browser.get(answer.headers["location"])).text
    assert f'href="/alerts/{B.alert_id}"' not in page
    assert [(each.command, each.note) for each in world.commands] == [
        ("merge", "the same campaign"), ("split", "by chance"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("role", "word", "fields", "status"),
    [
        ("viewer", "merge", {"incident_ids": [C.alert_id], "reason": "x"}, 403),
        ("operator", "merge", {"reason": "x"}, 422),
        ("operator", "merge", {"incident_ids": [derive("nothing")], "reason": "x"}, 422),
        ("operator", "merge", {"incident_ids": ["x"], "reason": "x"}, 422),
        ("operator", "split", {"alert_ids": [A.alert_id, B.alert_id], "reason": "x"}, 422),
        ("operator", "split", {"alert_ids": [C.alert_id], "reason": "x"}, 422),
        ("operator", "dissolve", {"reason": "x"}, 422),
    ],
)
async def test_what_cannot_be_is_told(
    world: World, role: Role, word: str, fields: dict[str, list[str]], status: int
) -> None:
    async with browsing(world, role) as browser:
        form = Form((await browser.get(PAGE)).text, "/signout").fields
        answer = await browser.post(f"{PAGE}/{word}", data=form | {"key": "k", "back": PAGE} | fields)
    assert answer.status_code == status
    assert world.commands == []


async def test_an_unknown_incident_is_no_page(world: World) -> None:
    async with browsing(world) as browser:
        assert (await browser.get(f"/incidents/{derive('nothing')}")).status_code == 404
