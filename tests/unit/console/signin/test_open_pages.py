"""An open page of somebody who came by the provider: its stream says when it is time to ask, the page asks."""

import secrets
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from services.console.app import build_app
from services.console.people import Person
from services.console.signin.provider_io import Provider, ProviderRefusedError, Vouched
from services.console.signin.sealing import NONCE_BYTES
from services.console.signin.sessions import Session, seal, unseal
from services.console.signin.users import Users
from services.console.state.changes import NAMES
from services.runtime.health import Health
from services.runtime.ids import derive
from tests.unit.console.browsing import COOKIE
from tests.unit.console.world import SETTINGS as PLAIN
from tests.unit.console.world import World

pytestmark = pytest.mark.usefixtures("complete")

KNOWN: dict[str, Any] = {
    "console_url": "http://console",
    "console_oidc_issuer": "https://login.bank.example",
    "console_oidc_client_id": "tidegate",
}
SETTINGS = PLAIN.model_copy(update=KNOWN)
KEYS = SETTINGS.session_keys("")
BY_ITSELF = {"HX-Request": "true"}


@pytest.fixture
def spent(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The refresh tokens that the provider was given; for each there is another, but for one that was revoked."""
    given: list[str] = []

    async def renew(_: Provider, refresh: str, users: Users) -> Vouched:
        given.append(refresh)
        if refresh == "revoked":
            raise ProviderRefusedError
        return Vouched(Person(name="wang", role="operator"), 0, f"{refresh}+")

    monkeypatch.setattr(Provider, "renew", renew)
    return given


@asynccontextmanager
async def browsing(world: World, *, refresh: str = "r", checked_ago_s: int = 90) -> AsyncIterator[httpx.AsyncClient]:
    """The browser of somebody about whom the provider was asked so long ago; streams end once they have told all."""
    now = int(time.time())
    session = Session(
        session_id=derive("wang"), name="wang", role="operator", door="provider",
        began_s=now - 900, proved_s=now, seen_s=now, checked_s=now - checked_ago_s, refresh=refresh,
    )  # fmt: skip
    world.feed.end()
    transport = httpx.ASGITransport(build_app(SETTINGS, world.feed, world, Health(), world))
    async with httpx.AsyncClient(transport=transport, base_url="http://console") as browser:
        browser.cookies.set(COOKIE, seal(KEYS, session, secrets.token_bytes(NONCE_BYTES)))
        yield browser


async def streamed(world: World, browser: httpx.AsyncClient) -> str:
    """What the stream tells."""
    headers = {"Accept": "text/event-stream"}
    return (await browser.get("/live", params={"seen": world.feed.seen()}, headers=headers)).text


async def test_the_stream_uses_up_no_token_and_the_page_gets_the_next_one(world: World, spent: list[str]) -> None:
    async with browsing(world) as browser:
        assert "event: check\n" in await streamed(world, browser)
        assert spent == []
        answer = await browser.get("/still", headers=BY_ITSELF)
        assert (answer.status_code, spent) == (204, ["r"])
        assert unseal(KEYS, answer.cookies[COOKIE]).refresh == "r+"
        assert "check" not in await streamed(world, browser), "it has been asked, whatever cookie the stream began with"


async def test_nothing_is_checked_before_it_is_time(world: World, spent: list[str]) -> None:
    async with browsing(world, checked_ago_s=10) as browser:
        assert "check" not in await streamed(world, browser)
        page = await browser.get("/audit?page=2")
    assert 'hx-get="/still?back=/audit%3Fpage%3D2" hx-trigger="sse:check" hx-swap="none"' in page.text
    assert spent == []


async def test_whom_the_provider_has_ended_is_led_out_and_comes_back_to_the_page(
    world: World, spent: list[str]
) -> None:
    async with browsing(world, refresh="revoked") as browser:
        answer = await browser.get("/still?back=/audit", headers=BY_ITSELF)
        assert (answer.status_code, answer.headers["hx-redirect"]) == (204, "/signin?next=/still%3Fback%3D/audit")
        told = await streamed(world, browser)
        assert all(f"event: {topic}\n" in told for topic in NAMES.values())
    assert spent == ["revoked"]
    async with browsing(world, checked_ago_s=1) as browser:
        back = await browser.get("/still?back=/audit")
    assert back.status_code == 303


async def test_a_stream_about_which_nobody_asks_ends(world: World, spent: list[str]) -> None:
    async with browsing(world, checked_ago_s=15 * 60) as browser:
        told = await streamed(world, browser)
    assert all(f"event: {topic}\n" in told for topic in NAMES.values())
    assert spent == []
