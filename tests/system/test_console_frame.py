"""The frame of the console's pages in a real browser."""

import pytest

from schemas.topics import CHANNEL_STATE
from tests.system.browser import PHONE, chromium, serving_console, visiting
from tests.unit.console.samples import channel

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
