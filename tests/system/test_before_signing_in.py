"""What people see outside a session, in a real browser: the doors, their own session, and what a message leads to."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from playwright.async_api import Browser, Page

from schemas.topics import ALERT_STATE
from services.runtime.http.signed_notes import seal
from tests.system.axe import violations
from tests.system.browser import LINK_KEY, PHONE, chromium, serving_console, visiting
from tests.unit.console.troubles import paused

pytestmark = pytest.mark.system
A = paused()
LATER, LONG_AGO = 2**37, 1
LOOKS: list[dict[str, Any]] = [
    {"color_scheme": "light", "locale": "en-GB", **PHONE},
    {"color_scheme": "dark", "locale": "zh-CN", **PHONE},
]


def link(purpose: str, *words: str, expires_s: int = LATER) -> str:
    """The path of a link in a message."""
    return f"/{purpose}/{seal(LINK_KEY.encode(), expires_s, purpose, *words)}"


@asynccontextmanager
async def stranger(browser: Browser, url: str, look: dict[str, Any]) -> AsyncIterator[Page]:
    """A page of nobody that the console knows."""
    context = await browser.new_context(base_url=url, **look)
    yield await context.new_page()
    await context.close()


async def keeps_nobody_out(page: Page) -> None:
    assert await violations(page) == [], page.url
    assert await page.evaluate("document.documentElement.scrollWidth") <= 390, page.url


@pytest.mark.parametrize("look", LOOKS)
async def test_the_sign_in_and_ones_own_session_keep_nobody_out(look: dict[str, Any]) -> None:
    async with serving_console() as (_, url), chromium() as browser:
        async with stranger(browser, url, look) as page:
            for path in ("/signin", "/signin?out=true"):
                await page.goto(path)
                await keeps_nobody_out(page)
            await page.locator("input[name=name]").fill("li.wei")
            await page.locator("input[name=password]").fill("not this one")
            await page.locator("main button").click()
            await page.locator("[role=alert]").wait_for()
            await keeps_nobody_out(page)
        async with visiting(browser, url, **look) as page:
            for path in ("/account", "/signin/again?next=/account", f"/alerts/{A.alert_id}"):
                await page.goto(path)
                await keeps_nobody_out(page)


@pytest.mark.parametrize("look", LOOKS)
async def test_what_a_message_leads_to_keeps_nobody_out(look: dict[str, Any]) -> None:
    acknowledge = link("ack", A.alert_id, "chat")
    async with (
        serving_console() as (world, url),
        chromium() as browser,
        stranger(browser, url, look) as page,
    ):
        await world.read(ALERT_STATE, (A.alert_id, A))
        for path in (link("alert", A.alert_id), link("alert", A.alert_id, expires_s=LONG_AGO), acknowledge):
            await page.goto(path)
            await keeps_nobody_out(page)
        world.judge = {"outcome": "done"}
        await page.get_by_role("button").press("Enter")
        await page.get_by_text("You have taken charge").wait_for()
        await keeps_nobody_out(page)
        taken = A.model_copy(update={"acknowledged_by": "person:chat via link"})
        await world.read(ALERT_STATE, (A.alert_id, taken))
        await page.goto(acknowledge)
        assert await page.get_by_role("button").count() == 0
        await keeps_nobody_out(page)
