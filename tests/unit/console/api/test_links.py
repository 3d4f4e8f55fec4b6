"""Links in messages: whoever has one may look and take charge, of this alert, for a while, and by pressing only."""

import base64
import hashlib
import re
from collections.abc import AsyncIterator

import httpx
import pytest
from pydantic import SecretStr

from schemas.base import Bilingual
from schemas.topics import ALERT_STATE, AUDIT, CHANNEL_STATE, POLICY
from services.console.app import build_app
from services.console.state.feed_io import Feed
from services.runtime.health import Health
from services.runtime.http.signed_notes import seal
from tests.unit.console.samples import NOW, alert
from tests.unit.console.world import SETTINGS, World

KEY = "a key of the tests, and of nobody else"
LATER = 2**37
OPEN = alert("a", title=Bilingual(en="20 <complaints>", zh="投诉 20 起"))


def link(purpose: str, *words: str, expires_s: int = LATER, key: str = KEY) -> str:
    """The path of a link."""
    return f"/{purpose}/{seal(key.encode(), expires_s, purpose, *words)}"


ACK = link("ack", OPEN.alert_id, "chat")


@pytest.fixture
async def world() -> World:
    health = Health()
    world = World(Feed(SETTINGS, health, NOW))
    for topic in (CHANNEL_STATE, AUDIT, POLICY):
        await world.read(topic)
    await world.read(ALERT_STATE, (OPEN.alert_id, OPEN))
    return world


@pytest.fixture
async def client(world: World) -> AsyncIterator[httpx.AsyncClient]:
    """Of somebody without a token."""
    settings = SETTINGS.model_copy(update={"console_link_key": SecretStr(KEY)})
    app = build_app(settings, world.feed, world, Health())
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://console") as client:
        yield client


async def test_looking_acknowledges_nothing(world: World, client: httpx.AsyncClient) -> None:
    for _ in range(3):
        page = await client.get(ACK)
        assert page.status_code == 200
        assert "投诉 20 起" in page.text
        assert '<h1 lang="en">20 &lt;complaints&gt;</h1>' in page.text, "or it is read out as Chinese"
        assert page.text.count("<button") == 1
    assert world.commands == []


async def test_pressing_the_button_takes_charge_once_by_whom_the_link_was_for(
    world: World, client: httpx.AsyncClient
) -> None:
    world.judge = {"outcome": "done"}
    for _ in range(2):
        answer = await client.post(ACK)
        assert answer.status_code == 200
        assert "已确认接手" in answer.text
        assert "You have taken charge" in answer.text
    (command,) = world.commands
    assert command.command == "acknowledge"
    assert command.alert_id == OPEN.alert_id
    assert command.target == OPEN.subject
    assert command.issued_by == "person:chat via link"


async def test_a_link_of_a_later_message_takes_charge_anew(world: World, client: httpx.AsyncClient) -> None:
    world.judge = {"outcome": "done"}
    await client.post(ACK)
    await client.post(link("ack", OPEN.alert_id, "chat", expires_s=LATER + 3600))
    assert len({command.command_id for command in world.commands}) == 2


@pytest.mark.parametrize(
    ("path", "status"),
    [
        (ACK[:-3] + "abc", 404),
        (link("ack", OPEN.alert_id, "chat", key="another key, which is of somebody else"), 404),
        (link("ack", OPEN.alert_id, "chat", expires_s=1000), 410),
        (link("ack", "0" * 32, "chat"), 404),
        (link("ack", OPEN.alert_id), 404),
        ("/ack/" + link("alert", OPEN.alert_id).removeprefix("/alert/"), 404),
        ("/ack/" + "A" * 5000, 404),
    ],
)
async def test_any_other_link_does_nothing_and_says_so(
    world: World, client: httpx.AsyncClient, path: str, status: int
) -> None:
    for answer in (await client.get(path), await client.post(path)):
        assert answer.status_code == status
        assert "<button" not in answer.text
        assert "投诉" not in answer.text
    assert world.commands == []


async def test_the_link_to_look_has_no_button_and_does_not_acknowledge(world: World, client: httpx.AsyncClient) -> None:
    path = link("alert", OPEN.alert_id)
    page = await client.get(path)
    assert page.status_code == 200
    assert "<button" not in page.text
    assert (await client.post(path)).status_code == 405
    assert world.commands == []


async def test_what_is_taken_or_over_asks_nothing(world: World, client: httpx.AsyncClient) -> None:
    await world.read(ALERT_STATE, (OPEN.alert_id, OPEN.model_copy(update={"acknowledged_by": "li", "seq": 1})))
    page = await client.get(ACK)
    assert "li 已接手" in page.text
    assert "<button" not in page.text
    await world.read(ALERT_STATE, (OPEN.alert_id, alert("a", "resolved", seq=2)))
    page = await client.get(ACK)
    assert "已恢复" in page.text
    assert "<button" not in page.text


async def test_the_pages_load_and_run_nothing_and_stay_nowhere(client: httpx.AsyncClient) -> None:
    page = await client.get(ACK)
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script" not in policy + page.text
    assert "unsafe" not in policy
    (style,) = re.findall(r"<style>(.*?)</style>", page.text)
    assert base64.b64encode(hashlib.sha256(style.encode()).digest()).decode() in policy
    assert re.findall(r"""(?:src|href)=["'](.*?)["']""", page.text) == [f"/alerts/{OPEN.alert_id}"]
    assert not re.search(r"""style=["']""", page.text)
    assert page.headers["cache-control"] == "no-store"
    assert page.headers["referrer-policy"] == "no-referrer"


async def test_without_kafka_the_page_says_that_it_was_not_passed_on(world: World, client: httpx.AsyncClient) -> None:
    world.away = True
    answer = await client.post(ACK)
    assert answer.status_code == 503
    assert "please try again" in answer.text


async def test_before_all_is_read_it_says_so(client: httpx.AsyncClient) -> None:
    fresh = World(Feed(SETTINGS, Health(), NOW))
    app = build_app(SETTINGS.model_copy(update={"console_link_key": SecretStr(KEY)}), fresh.feed, fresh, Health())
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://console") as early:
        assert (await early.get(ACK)).status_code == 503


async def test_without_a_key_there_are_no_such_pages(world: World) -> None:
    app = build_app(SETTINGS, world.feed, world, Health())
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://console") as client:
        assert (await client.get(ACK)).status_code == 404
