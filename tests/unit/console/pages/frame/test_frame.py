"""The frame of the pages: who is let in, in which language, and how forms give orders."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime

import httpx
import pytest

from schemas.topics import AUDIT
from services.console.state.changes import Changes
from services.runtime.machines.machine import Output
from tests.unit.console.browsing import Form, browsing
from tests.unit.console.samples import audit
from tests.unit.console.world import World

pytestmark = pytest.mark.usefixtures("complete")


async def test_nobody_sees_a_page_without_having_signed_in(world: World) -> None:
    async with browsing(world, None) as browser:
        answer = await browser.get("/?status=open")
        part = await browser.get("/", headers={"HX-Request": "true"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/signin?next=/%3Fstatus%3Dopen")
    assert (part.status_code, part.headers["hx-redirect"]) == (204, "/signin?next=/")


async def test_the_browser_says_the_language_until_one_is_chosen(world: World) -> None:
    async with browsing(world, language="zh-CN,zh;q=0.9,en;q=0.8") as browser:
        assert '<html lang="zh">' in (await browser.get("/")).text
        await browser.get("/language/en")
        assert '<html lang="en">' in (await browser.get("/")).text


async def test_pages_load_nothing_from_elsewhere_and_run_no_script_but_ours(world: World) -> None:
    async with browsing(world) as browser:
        answer = await browser.get("/")
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "http" not in policy
    assert " style=" not in answer.text
    assert "<style" not in answer.text


async def test_a_form_gives_an_order_and_its_page_tells_the_outcome(world: World) -> None:
    world.judge = {"outcome": "done"}
    async with browsing(world) as browser:
        answer = await browser.post("/do/pause", data=await pausing(browser))
        page = await browser.get(answer.headers["location"])
    assert answer.status_code == 303
    (command,) = world.commands
    assert (command.command, command.target, command.issued_by) == ("pause", "channel:a", "person:li.wei")
    assert command.note == "too many complaints"
    assert "Done." in page.text


async def test_a_refusal_is_told_with_its_reason(world: World) -> None:
    world.judge = {"outcome": "refused", "why": "there is no <such> hold"}
    async with browsing(world) as browser:
        answer = await browser.post("/do/pause", data=await pausing(browser))
        page = await browser.get(answer.headers["location"])
    assert "Refused." in page.text
    assert "there is no &lt;such&gt; hold" in page.text


async def test_the_same_form_twice_is_one_order(world: World) -> None:
    world.judge = {"outcome": "done"}
    async with browsing(world) as browser:
        fields = await pausing(browser)
        first, second = [await browser.post("/do/pause", data=fields) for _ in range(2)]
    assert first.headers["location"] == second.headers["location"]
    assert len(world.commands) == 1


async def test_a_form_with_an_end_that_is_pressed_twice_is_one_order(world: World) -> None:
    world.judge = {"outcome": "done"}
    async with browsing(world) as browser:
        fields = await pausing(browser) | {"minutes": "30"}
        answers = [await browser.post("/do/pause", data=fields) for _ in range(2)]
        longer = await browser.post("/do/pause", data=fields | {"minutes": "60"})
    assert [answer.status_code for answer in answers] == [303, 303]
    assert longer.status_code == 422, "another order, of which nobody is to hear that it was done"
    assert len({command.command_id for command in world.commands}) == 1


async def test_a_form_may_say_until_when_on_the_clocks_of_the_policy(world: World) -> None:
    world.judge = {"outcome": "done"}
    async with browsing(world) as browser:
        fields = await pausing(browser) | {"minutes": "30"}
        for until in ("2020-01-01T00:00", "soon"):
            assert (await browser.post("/do/pause", data=fields | {"until": until})).status_code == 422
        answer = await browser.post("/do/pause", data=fields | {"until": "2999-07-01T18:30"})
    assert answer.status_code == 303
    (command,) = world.commands
    assert command.expires_at == datetime(2999, 7, 1, 10, 30, tzinfo=UTC), "Shanghai is the default zone"


async def test_what_may_still_be_carried_out_is_not_said_not_to_be_given(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def lost(messages: Sequence[Output]) -> set[int]:
        return set(range(len(messages)))

    monkeypatch.setattr(world, "publish", lost)
    async with browsing(world) as browser:
        answer = await browser.post("/do/pause", data=await pausing(browser))
    assert answer.status_code == 503
    assert "may still be carried out" in answer.text
    assert "Not given" not in answer.text


async def test_a_form_that_is_not_of_this_visitor_gives_nothing(world: World) -> None:
    async with browsing(world) as browser:
        fields = await pausing(browser)
        answer = await browser.post("/do/pause", data=fields | {"csrf": "guessed"})
    assert answer.status_code == 403
    assert world.commands == []


async def test_the_role_is_asked_for(world: World) -> None:
    async with browsing(world, "viewer") as browser:
        answer = await browser.post("/do/pause", data=await pausing(browser))
    assert answer.status_code == 403
    assert world.commands == []


@pytest.mark.parametrize(
    ("word", "changed"),
    [
        ("pause", {"reason": " "}),
        ("throttle", {"percent": "lots"}),
        ("throttle", {"percent": "nan"}),
        ("pause", {"minutes": "9e99"}),
    ],
)
async def test_a_form_that_makes_no_sense_is_told_what_is_wrong(
    world: World, word: str, changed: dict[str, str]
) -> None:
    async with browsing(world) as browser:
        answer = await browser.post(f"/do/{word}", data=await pausing(browser) | changed)
    assert answer.status_code == 422
    assert world.commands == []


async def test_there_are_no_other_orders(world: World) -> None:
    async with browsing(world) as browser:
        assert (await browser.post("/do/merge", data=await pausing(browser))).status_code == 404


async def test_when_kafka_is_away_the_page_says_so(world: World) -> None:
    world.away = True
    async with browsing(world) as browser:
        answer = await browser.post("/do/pause", data=await pausing(browser))
    assert answer.status_code == 503
    assert "the order was not given" in answer.text


async def test_a_change_is_told_at_once(world: World) -> None:
    seen = world.feed.seen()
    waiting = asyncio.create_task(world.feed.wait_for_change(seen))
    await world.read(AUDIT, ("channel:a", audit("c1")))
    assert await waiting == ["audit"]
    assert await world.feed.wait_for_change(seen) == ["audit"]


async def test_whoever_waits_for_a_change_is_let_go_at_the_end(world: World) -> None:
    waiting = asyncio.create_task(world.feed.wait_for_change(world.feed.seen()))
    await asyncio.sleep(0)
    world.feed.end()
    assert await waiting == []


@pytest.mark.parametrize("seen", ["", "other.0.0.0.0", "x.1", "x.0.0.0.0.0.0.0"])
def test_what_another_process_has_shown_has_all_changed(seen: str) -> None:
    assert Changes("x").since(seen) == list(Changes("x")._counts)


async def pausing(browser: httpx.AsyncClient) -> dict[str, str]:
    """A form that pauses channel:a."""
    fields = Form((await browser.get("/")).text, "/signout").fields
    return fields | {"key": "k1", "back": "/", "target": "channel:a", "reason": "too many complaints"}
