"""A real Chromium, and a console to look at: its views are filled by hand, so that a page can show anything."""

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from playwright.async_api import Browser, BrowserContext, Page, async_playwright
from pydantic import SecretStr

from schemas.topics import ALERT_STATE, AUDIT, CHANNEL_STATE, POLICY
from services.console.app import build_app
from services.console.jobs.trials_io import Trials
from services.console.people import Role
from services.console.state.feed_io import Feed
from services.runtime.health import Health
from services.runtime.http.http_io import listen, serving
from tests.unit.console.browsing import NAMES, PASSWORD
from tests.unit.console.samples import NOW
from tests.unit.console.world import SETTINGS, World

PHONE: dict[str, Any] = {"viewport": {"width": 390, "height": 844}}
LINK_KEY = "a key of the tests, and of nobody else"
"""Of the links in messages."""


@asynccontextmanager
async def serving_console(trials: Trials | None = None) -> AsyncIterator[tuple[World, str]]:
    """A console that has read all there is, which is nothing yet; and its URL."""
    settings = SETTINGS.model_copy(update={"console_link_key": SecretStr(LINK_KEY)})
    world = World(Feed(settings, Health(), NOW))
    for topic in (CHANNEL_STATE, ALERT_STATE, AUDIT, POLICY):
        await world.read(topic)
    bound = listen("127.0.0.1", 0, "the test")
    async with serving(build_app(settings, world.feed, world, Health(), world, trials), bound) as server:
        yield world, f"http://127.0.0.1:{server.port}"
        world.feed.end()


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """The browser, Debian's."""
    program = shutil.which("chromium")
    if program is None:
        pytest.skip("chromium is not installed")
    sandbox = [] if os.geteuid() != 0 else ["--no-sandbox"]
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=program, args=sandbox)
        yield browser
        await browser.close()


@asynccontextmanager
async def visiting(browser: Browser, url: str, role: Role = "operator", **how: Any) -> AsyncIterator[Page]:
    """A page of somebody who has just signed in. how: of the context, such as `locale="zh-CN"` or PHONE."""
    async with signed_in(browser, url, NAMES[role], PASSWORD, **how) as page:
        yield page


@asynccontextmanager
async def signed_in(browser: Browser, url: str, name: str, password: str, **how: Any) -> AsyncIterator[Page]:
    """The same of anybody, of any console."""
    context: BrowserContext = await browser.new_context(locale=how.pop("locale", "en-GB"), base_url=url, **how)
    page = await context.new_page()
    await page.goto("/signin")
    await page.locator("input[name=name]").fill(name)
    await page.locator("input[name=password]").fill(password)
    await page.locator("main button").click()
    await page.wait_for_url("**/")
    yield page
    await context.close()
