"""The frame of the console's pages in a real browser."""

import asyncio

import pytest
from playwright.async_api import Route

from schemas.topics import ALERT_STATE, CHANNEL_STATE
from services.runtime.ids import derive
from tests.system.browser import PHONE, chromium, serving_console, visiting
from tests.unit.console.samples import alert, channel

pytestmark = pytest.mark.system


async def test_a_page_follows_what_happens_without_being_loaded_anew() -> None:
    async with serving_console() as (world, url), chromium() as browser, visiting(browser, url) as page:
        complaints: list[str] = []
        page.on("console", lambda message: complaints.append(message.text))
        await page.reload()
        await page.evaluate("window.here = 1")
        await world.read(CHANNEL_STATE, ("channel:douyin", channel("channel:douyin")))
        await page.get_by_text("douyin").wait_for(timeout=5000)
        assert await page.evaluate("window.here") == 1
        assert complaints == []


async def test_a_choice_of_language_stays() -> None:
    async with (
        serving_console() as (_, url),
        chromium() as browser,
        visiting(browser, url, locale="zh-CN", **PHONE) as page,
    ):
        assert await page.locator("h1").inner_text() == "渠道"
        await page.get_by_text("English").click()
        assert await page.locator("h1").inner_text() == "Channels"
        assert await page.evaluate("document.documentElement.scrollWidth") <= 390


async def test_the_last_of_a_storm_is_shown_also_where_the_server_is_slow() -> None:
    async with serving_console() as (world, url), chromium() as browser, visiting(browser, url) as page:
        await page.goto("/alerts")
        await page.route("**/alerts", lambda route: asyncio.ensure_future(slowly(route)))
        for number in range(12):
            name = f"storm {number}"
            await world.read(ALERT_STATE, (derive(name), alert(name, subject=f"channel:c{number}")))
            await asyncio.sleep(0.1)  # a storm has a pace
        await page.get_by_text("c11", exact=True).first.wait_for(timeout=8000)


async def slowly(route: Route) -> None:
    """Slower than the server's words about changes follow each other."""
    await asyncio.sleep(0.6)
    await route.continue_()
