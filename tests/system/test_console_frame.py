"""The frame of the console's pages in a real browser."""

import asyncio

import pytest
from playwright.async_api import Route, expect

from schemas.topics import ALERT_STATE, CHANNEL_STATE
from services.console.pages.frame import live_io
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


async def test_a_stream_that_falls_silent_is_not_taken_for_live(monkeypatch: pytest.MonkeyPatch) -> None:
    """As behind a proxy that has died without a word: the page says so, and asks for another by itself."""
    monkeypatch.setattr(live_io, "PULSE_S", 1000.0)
    async with serving_console() as (world, url), chromium() as browser, visiting(browser, url) as page:
        await page.clock.install()
        await page.goto("/")
        note, stamp = page.locator("#not-live"), page.locator("footer .as-of")
        for _ in range(2):
            await page.clock.run_for(1000)
            await expect(note).to_be_hidden()
            before = await stamp.inner_text()
            await page.clock.run_for(26_000)
            await expect(note).to_be_visible()
            await expect(note).to_contain_text(f"Not live. What you see is as of {before}. Trying to connect again")
            await page.clock.run_for(4000)
            await expect(note).to_be_hidden()
        await world.read(CHANNEL_STATE, ("channel:douyin", channel("channel:douyin")))
        await page.get_by_text("douyin").wait_for(timeout=5000)


async def test_a_stream_that_is_never_answered_is_given_up() -> None:
    """As behind a proxy that takes connections and has nobody to pass them to."""
    async with serving_console() as (_, url), chromium() as browser, visiting(browser, url) as page:
        await page.clock.install()
        await page.route("**/live?*", lambda _: None, times=1)
        await page.goto("/")
        note = page.locator("#not-live")
        await page.clock.run_for(26_000)
        await expect(note).to_be_visible()
        await page.clock.run_for(4000)
        await expect(note).to_be_hidden()


async def test_a_part_that_cannot_be_had_is_asked_for_again() -> None:
    async with serving_console() as (world, url), chromium() as browser, visiting(browser, url) as page:
        await page.wait_for_load_state()
        await page.route("**/?part=channels", lambda route: route.fulfill(status=500), times=1)
        await world.read(CHANNEL_STATE, ("channel:douyin", channel("channel:douyin")))
        note = page.locator("#not-live")
        await expect(note).to_be_visible()
        await page.get_by_text("douyin").wait_for(timeout=20_000)
        await expect(note).to_be_hidden()


async def slowly(route: Route) -> None:
    """Slower than the server's words about changes follow each other."""
    await asyncio.sleep(0.6)
    await route.continue_()
