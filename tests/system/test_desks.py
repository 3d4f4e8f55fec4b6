"""The pages Content, Complaints, Audit and Dead letters in a real browser."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.async_api import Page

from schemas.dead_letters import DeadLetter, Problem
from schemas.policy import Policy, PolicyRef
from schemas.readings import Cases, OpenCase
from schemas.topics import ALERT_STATE, AUDIT, DEAD_LETTERS, POLICY, READINGS
from tests.system.axe import violations
from tests.system.browser import PHONE, chromium, serving_console, visiting
from tests.unit.console.samples import NOW, alert, audit
from tests.unit.console.world import World

pytestmark = pytest.mark.system

PAGES = ("/content", "/complaints", "/audit", "/dead-letters", "/dead-letters/channel-events/0/7")


def waiting(*names: str) -> Cases:
    now = datetime.now(UTC)
    case = OpenCase(at=now - timedelta(hours=50), channel="douyin", product="fund-3", entry="regulator")
    return Cases(writer="w", at=now, waiting=dict.fromkeys(names, case))


async def fill(world: World) -> None:
    """Something of everything."""
    policy = Policy(version=1)
    letter = DeadLetter(
        topic="channel-events", partition=0, offset=7, at=NOW, size=90, raw="x",
        errors=[Problem(field="count", problem="is required")],
    )  # fmt: skip
    await world.read(POLICY, (policy.label, policy), ("active", PolicyRef(name="default", version=1)))
    await world.read(DEAD_LETTERS, ("channel-events", letter))
    await world.read(READINGS, ("w", waiting("K7F3-9QXA-22MB")))
    reminder = alert("late", indicator="complaint_sla", subject="complaint:K7F3-9QXA-22MB")
    await world.read(ALERT_STATE, (reminder.alert_id, reminder))
    await world.read(AUDIT, ("channel:douyin", audit("a", why="11 complaints", alert_id=reminder.alert_id)))


async def scan(page: Page, text: str) -> None:
    await page.goto("/content")
    await page.locator("textarea").fill(text)
    await page.locator("main form button").click()
    await page.locator("#result").wait_for(timeout=5000)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("locale", ["en-GB", "zh-CN"])
async def test_every_desk_is_accessible_and_fits_a_phone(scheme: Any, locale: str) -> None:
    async with (
        serving_console() as (world, url),
        chromium() as browser,
        visiting(browser, url, "viewer", locale=locale, color_scheme=scheme, **PHONE) as page,
    ):
        await fill(world)
        complaints: list[str] = []
        page.on("console", lambda message: complaints.append(message.text))
        for path in PAGES:
            await page.goto(path)
            assert await violations(page) == [], path
            assert await page.evaluate("document.documentElement.scrollWidth") <= 390, path
        await scan(page, "本产品保本保息，稳赚不赔。")
        assert await page.locator("mark").count() == 2
        assert await violations(page) == []
        assert await page.evaluate("document.documentElement.scrollWidth") <= 390
        assert complaints == []


async def test_a_complaint_comes_and_goes_without_the_page_being_loaded_anew() -> None:
    async with serving_console() as (world, url), chromium() as browser, visiting(browser, url) as page:
        await fill(world)
        await page.goto("/complaints")
        await page.evaluate("window.here = 1")
        await world.read(READINGS, ("w", waiting("NEW0-NEW0-NEW0")))
        await page.get_by_text("NEW0-NEW0-NEW0").wait_for(timeout=5000)
        await world.read(READINGS, ("w", Cases(writer="w", at=NOW, settled=["NEW0-NEW0-NEW0"])))
        await page.get_by_text("NEW0-NEW0-NEW0").wait_for(state="detached", timeout=5000)
        assert await page.evaluate("window.here") == 1


async def test_the_audit_is_searched_by_keyboard() -> None:
    async with serving_console() as (world, url), chromium() as browser, visiting(browser, url) as page:
        await fill(world)
        await page.goto("/audit")
        await page.get_by_label("Word").focus()
        await page.keyboard.type("no such thing")
        await page.keyboard.press("Enter")
        await page.get_by_text("Nothing was found.").wait_for(timeout=5000)
        assert "word=no" in page.url
