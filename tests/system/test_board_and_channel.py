"""The board and the page of a channel in a real browser: quick with many channels, for everybody, on a phone too."""

import asyncio
from datetime import datetime, timedelta
from statistics import median, quantiles
from time import time
from typing import Any

import pytest
from playwright.async_api import Page
from pydantic import BaseModel

from schemas.directory import Directory
from schemas.policy import Policy, PolicyRef
from schemas.readings import Reading
from schemas.topics import ALERT_STATE, AUDIT, CHANNEL_STATE, POLICY, READINGS
from tests.system.axe import violations
from tests.system.browser import PHONE, chromium, serving_console, visiting
from tests.unit.console.samples import NOW, alert, asked, audit
from tests.unit.console.targets import hold, in_all_states, override, state
from tests.unit.console.world import World

pytestmark = pytest.mark.system

CHANNELS, ALERTS = 500, 5_000
PAINT_MS, UPDATE_MS = 1000, 200
LOOKS: list[dict[str, Any]] = [
    {"locale": "en-GB", "color_scheme": "light"},
    {"locale": "zh-CN", "color_scheme": "dark"},
    PHONE | {"locale": "zh-CN", "color_scheme": "light"},
    PHONE | {"locale": "en-GB", "color_scheme": "dark"},
]
SEVERITIES = ("info", "warning", "critical")
INDICATORS = ("complaint_volume", "complaint_rate", "conversion_drop", "cac_spike", "engagement_drop")
PANE = timedelta(minutes=5)


async def named(world: World, count: int) -> None:
    names = {f"c{number:03}": {"name": {"en": f"Channel {number}", "zh": f"渠道 {number}"}} for number in range(count)}
    policy = Policy(version=1, directory=Directory.model_validate({"channels": names}))
    await world.read(POLICY, (policy.label, policy), ("active", PolicyRef(name="default", version=1)))


async def crowded(world: World) -> None:
    """Each tenth channel is held."""
    await named(world, CHANNELS)
    held = [f"channel:c{number:03}" for number in range(0, CHANNELS, 10)]
    await world.read(CHANNEL_STATE, *((target, state(target, "paused", hold(target))) for target in held))
    alerts = [
        alert(str(number), subject=f"channel:c{number % CHANNELS:03}", severity=SEVERITIES[number % 3])
        for number in range(ALERTS)
    ]
    await world.read(ALERT_STATE, *((each.alert_id, each) for each in alerts))
    for number in range(288, 0, -1):
        world.feed.readings.fold(reading(NOW - number * PANE, number % 19))


def reading(at: datetime, value: float) -> Reading:
    """All indicators of all channels read the same."""
    subjects = {f"channel:c{number:03}": (float(value), 20.0, "calm") for number in range(CHANNELS)}
    values = dict.fromkeys(INDICATORS, subjects)
    return Reading.model_validate({"writer": "w", "subject_kind": "channel", "at": at, "values": values})


async def every_state(world: World) -> None:
    await named(world, 3)
    for number in range(40, 0, -1):
        world.feed.readings.fold(reading(NOW - number * PANE, 22.0 - number / 4))
    for each in in_all_states().values():
        await world.read(CHANNEL_STATE, (each.target, each))
    guarded = hold("seen")
    busy = state(
        "channel:c000",
        "paused",
        guarded,
        hold("m", masked=True),
        requests=[asked("r", 0, guarded)],
        override=override(),
    )
    await world.read(CHANNEL_STATE, (busy.target, busy))
    known = alert("seen", subject="channel:c000")
    await world.read(ALERT_STATE, (known.alert_id, known))
    await world.read(AUDIT, *(("channel:c000", audit(str(number), target="channel:c000")) for number in range(5)))


PAINTED = """() => new Promise(done => new PerformanceObserver(list => list.getEntries()
  .filter(each => each.name == "first-contentful-paint").forEach(each => done(each.startTime)))
  .observe({type: "paint", buffered: true}))"""
SHOWN = """text => new Promise(done => new MutationObserver(() => {
  if (document.body.textContent.includes(text))
    requestAnimationFrame(() => done(performance.timeOrigin + performance.now()))
}).observe(document.body, {childList: true, subtree: true}))"""


async def painted_ms(page: Page, path: str) -> float:
    """From the beginning of the navigation to the first contentful paint."""
    await page.goto(path)
    found: float = await page.evaluate(PAINTED)
    return found


async def updated_ms(world: World, page: Page, number: int) -> float:
    """From a record of a hold that the console reads to the frame in which the page shows it."""
    target, news = f"channel:c{number * 10:03}", f"news {number}."
    changed = state(target, "frozen", hold(target, kind="freeze", reason=news, indicator=None), generation=4)
    return await shown_ms(world, page, news, CHANNEL_STATE, (target, changed))


async def redrawn_ms(world: World, page: Page, number: int) -> float:
    """The same of readings, which draw every line anew."""
    told = reading(NOW + number * PANE, 100_000 + number)
    return await shown_ms(world, page, f"{100_000 + number:,}", READINGS, ("w", told))


async def shown_ms(world: World, page: Page, news: str, topic: str, message: tuple[str, BaseModel]) -> float:
    shown = asyncio.create_task(page.evaluate(SHOWN, news))
    await asyncio.sleep(0.3)  # the page has begun to look, and a word of the same topic may go out at once
    begun = time()
    await world.read(topic, message)
    return float(await shown) - begun * 1000


async def test_the_board_is_quick_with_many_channels_and_alerts() -> None:
    async with serving_console() as (world, url), chromium() as browser, visiting(browser, url, "admin") as page:
        await crowded(world)
        paints = [await painted_ms(page, "/") for _ in range(5)]
        size = len(await page.content())
        updates = [await updated_ms(world, page, number) for number in range(1, 21)]
        redrawn = [await redrawn_ms(world, page, number) for number in range(5)]
        print(f"\n{CHANNELS} channels, {ALERTS} alerts: first paint {sorted(map(round, paints))} ms, ", end="")
        print(f"update p50 {median(updates):.0f}, p95 {quantiles(updates, n=20)[-1]:.0f} ms, ", end="")
        print(f"by readings {sorted(map(round, redrawn))} ms, ", end="")
        print(f"page {size / 1000:.0f} KB")
        assert median(paints) < PAINT_MS
        assert median(updates) < UPDATE_MS
        assert median(redrawn) < UPDATE_MS
        assert size < 300_000


async def test_the_last_of_a_storm_is_shown() -> None:
    async with serving_console() as (world, url), chromium() as browser, visiting(browser, url) as page:
        await named(world, 3)
        await page.goto("/")
        for number in range(200):
            slowed = hold("storm", kind="throttle", factor=0.5, reason=f"word {number}", indicator=None)
            after = state("channel:c001", "throttled", slowed, generation=number + 1)
            await world.read(CHANNEL_STATE, (after.target, after))
            await asyncio.sleep(0.005)
        await page.get_by_text("word 199").wait_for(timeout=5000)


async def test_a_form_that_was_begun_stays_while_the_page_follows_what_happens() -> None:
    async with serving_console() as (world, url), chromium() as browser, visiting(browser, url) as page:
        await every_state(world)
        await page.goto("/channels/channel:c000")
        pause = page.locator("details", has=page.locator("form[action='/do/pause']"))
        await pause.locator("summary").click()
        await pause.locator("input[name=reason]").fill("half a sent")
        news = alert("news", subject="channel:c000", title={"en": "later news", "zh": "新告警"})
        await world.read(ALERT_STATE, (news.alert_id, news))
        await page.get_by_text("later news").wait_for(timeout=5000)
        assert await pause.locator("input[name=reason]").input_value() == "half a sent"


async def test_nothing_keeps_anybody_out() -> None:
    async with serving_console() as (world, url), chromium() as browser:
        await every_state(world)
        for look in LOOKS:
            async with visiting(browser, url, "admin", **look) as page:
                for path in (
                    "/",
                    "/?kind=product",
                    "/?q=nobody",
                    "/channels/channel:c000",
                    "/channels/channel:opening",
                ):
                    await page.goto(path)
                    for each in await page.locator("details").all():
                        await each.locator("summary").click()
                    assert await violations(page) == [], (look, path)
                    wide = await page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
                    assert wide <= 0, (look, path)
