"""A whole incident by clicks, on everything that `make run` starts: complaints come in through the gateway, the channel
is paused while the console is away, the one on call takes charge on a phone and in Chinese, others check and agree on
their screens, the channel runs again, midnight ends the incident, and its report tells all of it."""

import asyncio
import os
import random
import re
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from itertools import groupby
from pathlib import Path
from typing import Any, Final
from unittest.mock import patch

import pytest
from playwright.async_api import Download, Locator, Page, expect

from deploy.demo import incidents
from deploy.demo.naming import story_policy
from deploy.demo.stage import Stage, until
from deploy.demo.stories import Event, Source
from deploy.demo.story import yesterday
from deploy.launcher.standard import standard_system
from deploy.launcher.system import System
from deploy.launcher.table import StandIns, environment
from schemas.topics import CHANNEL_COMMANDS
from services.console.api import incidents_io
from services.console.app import build_app
from services.console.pages.alerts import incidents_io as pages_of_incidents
from services.console.settings import ConsoleSettings
from services.console.state.feed_io import Feed
from services.runtime.health import Health
from services.runtime.http.http_io import listen, serving
from services.runtime.kafka.publisher_io import Publisher
from services.runtime.settings import CommonSettings, load
from tests.system.axe import violations
from tests.system.browser import PHONE, chromium, signed_in

pytestmark = pytest.mark.system

CHANNEL: Final = "channel:douyin"
PATIENCE_MS: Final = 15_000
expect.set_options(timeout=PATIENCE_MS)
TOLD: Final = (
    ("demo-operator", "确认告警"),
    ("demo-operator", "恢复 抖音"),
    ("demo-approver", "批准对 抖音 的待批措施"),
    ("demo-admin", "批准对 抖音 的待批措施"),
)
"""Who did what, by the report."""


class Day:
    """What customers did yesterday; the system is told what time it is."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._source = Source(f"incident-{time.time_ns():x}", random.Random(7))
        self._midnight = yesterday(datetime.now(UTC))

    async def calm(self, hour: float) -> None:
        await self._send(hour, list(self._source.calm(self._at(hour), 600, 0.1)))

    async def complaints(self, hour: float, count: int) -> None:
        """Of as many customers, within ten minutes."""
        at = self._at(hour)
        await self._send(hour, list(incidents.complaints(self._source, at, 600, "douyin", count)))

    async def end(self) -> None:
        """Past the next midnight, at which a day's count ends."""
        await self._send(24.2, [])

    async def _send(self, hour: float, events: list[Event]) -> None:
        if events:
            await self._stage.send(events)
        await self._stage.tell_time(self._at(hour) + timedelta(minutes=10))

    def _at(self, hour: float) -> datetime:
        return self._midnight + timedelta(hours=hour)


@asynccontextmanager
async def running(home: Path) -> AsyncIterator[tuple[System, Stage]]:
    environment = {**os.environ, "TIDEGATE_CLOCK": "events"}
    system = standard_system(
        home / "system", environment, lambda _: None, stand_ins=StandIns(traffic=False), policy=story_policy(home)
    )
    async with system, Stage(system, CommonSettings(kafka=system.kafka, clock="events")) as stage:
        yield system, stage


def complaints_of(page: Page) -> list[str]:
    """What the browser has to say against a page from now on, save that an order was refused, which the page says."""
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text) if "status of 422" not in message.text else None)
    page.on("pageerror", lambda error: said.append(str(error)))
    return said


async def stay(page: Page) -> None:
    """From now on the page must not be loaded anew."""
    await page.evaluate("window.here = 1")


async def stayed(page: Page) -> bool:
    return bool(await page.evaluate("window.here == 1"))


async def fits(page: Page) -> None:
    """A phone, and everybody. That a page is not live lies over its text, and comes and goes with the load."""
    note = "document.getElementById('not-live')?.style"
    assert await page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0, page.url
    await page.evaluate(f"{note}.setProperty('visibility', 'hidden')")
    assert await violations(page) == [], page.url
    await page.evaluate(f"{note}.removeProperty('visibility')")


async def fill(form: Locator, why: str, confirm: str | None = None) -> None:
    """Opens a form that gives an order and sends it."""
    await form.locator("summary").click()
    if confirm is not None:
        await form.locator("input[name=confirm]").fill(confirm)
    await form.locator("input[name=reason]").fill(why)
    await form.locator("button").click()


async def on_platform(stage: Stage) -> list[Any]:
    """The statuses that the platform was ordered one after the other."""
    return [status for status, _ in groupby(call["status"] for call in await stage.orders_to_platform(CHANNEL))]


async def test_an_incident_from_the_first_complaint_to_the_report(tmp_path: Path) -> None:
    async with running(tmp_path) as (system, stage), chromium() as browser:
        url, day = system.url("console"), Day(stage)

        def person(role: str, **how: Any) -> Any:
            return signed_in(browser, url, f"demo-{role}", system.secrets.token(role), **how)

        async with (
            person("operator", locale="zh-CN", **PHONE) as phone,
            person("approver") as desk,
            person("admin", color_scheme="dark", **PHONE) as other,
        ):
            said = [complaints_of(page) for page in (phone, desk, other)]
            await day.calm(10)
            await desk.goto("/")
            await it_begins(day, phone, desk)
            assert said == [[], [], []]
            await it_is_stopped_while_nobody_can_look(day, system, stage, phone, desk)
            await somebody_takes_charge(phone)
            await somebody_checks(desk)
            await a_dangerous_button_asks(phone, stage)
            await two_let_it_go_on(phone, desk, other, stage)
            assert [line for each in said for line in each if "Security Policy" in line] == []
            await it_is_over(day, system, desk, phone)


async def it_begins(day: Day, phone: Page, desk: Page) -> None:
    """The warning is in the inbox as soon as it is known."""
    await phone.get_by_role("link", name="告警", exact=True).click()
    await expect(phone.locator("#inbox")).to_contain_text("没有符合条件的告警。")
    await expect(desk.locator("tr", has_text="Douyin")).to_contain_text("▶ runs")
    for page in (phone, desk):
        await stay(page)
    await day.complaints(10.5, 13)
    await expect(phone.locator("#inbox")).to_contain_text("渠道 抖音：今日投诉 13 件，阈值 20 件")
    await expect(phone.locator("#inbox")).to_contain_text("警告")


async def it_is_stopped_while_nobody_can_look(day: Day, system: System, stage: Stage, phone: Page, desk: Page) -> None:
    """The console dies. Open pages say that they are old, in both languages, while the channel is held all the same;
    when it is back they show what happened meanwhile, without being loaded anew."""
    await system.take_down("console")
    for page, words in ((phone, "页面未实时更新。 所示内容截至"), (desk, "Not live. What you see is as of")):
        await expect(page.locator("#not-live")).to_be_visible()
        stamp = await page.locator("footer .as-of").inner_text()
        await expect(page.locator("#not-live")).to_contain_text(f"{words} {stamp}")
    await fits(phone)
    await day.complaints(11, 8)
    await until(lambda: _is_on_platform(stage, "paused"), "the platform pauses it")
    await expect(desk.locator("tr", has_text="Douyin")).to_contain_text("▶ runs")

    system.bring_up("console")
    row = desk.locator("tr", has_text="Channel Douyin: 21 complaints today, limit 20")
    await expect(row).to_contain_text("■ paused", timeout=60_000)
    await expect(row).not_to_contain_text("not confirmed yet")
    await expect(phone.locator("#inbox tr", has_text="今日投诉 21 件")).to_contain_text("严重", timeout=60_000)
    for page in (phone, desk):
        await expect(page.locator("#not-live")).to_be_hidden()
        assert await stayed(page)
    assert await on_platform(stage) == ["paused"]


async def somebody_takes_charge(phone: Page) -> None:
    """On a phone at night: read what happened and on which data, and say that one is at it."""
    await fits(phone)
    await phone.locator("#inbox a", has_text="今日投诉 21 件").click()
    await expect(phone.locator("h1")).to_have_text("渠道 抖音：今日投诉 21 件，阈值 20 件")
    await expect(phone.locator("#alert")).to_contain_text("共收到投诉 21 件，计入 21 件")
    evidence = phone.locator("section.card", has=phone.get_by_role("heading", name="依据"))
    await expect(evidence).to_contain_text("计入的投诉")
    await fits(phone)
    await phone.get_by_role("button", name="确认接手").click()
    await expect(phone.locator("#told")).to_have_text("已执行。 抖音。")
    await expect(phone.locator("#alert")).to_contain_text("demo-operator")


async def somebody_checks(desk: Page) -> None:
    """By the board to the alert: who has it, what was done, and whether that follows from the log."""
    await desk.locator("tr", has_text="Douyin").get_by_title("critical").click()
    await desk.locator("#inbox a", has_text="21 complaints today").click()
    glance = desk.locator("section.card", has=desk.get_by_role("heading", name="At a glance"))
    await expect(glance).to_contain_text("demo-operator")
    story = desk.locator("section.card", has=desk.get_by_role("heading", name="Orders and what came of them"))
    await expect(story).to_contain_text("confirmed by the platform")
    await expect(story.get_by_role("heading", name="What was done")).to_be_visible()
    await expect(story).to_contain_text("demo-operator acknowledged the alert")
    await desk.get_by_role("button", name="Derive the decisions again").click()
    proof = desk.locator("#proof")
    await expect(proof).to_contain_text("Proved: the log gives the same decisions.", timeout=60_000)
    await expect(proof).to_contain_text("pause Douyin level 1: proved")


async def a_dangerous_button_asks(phone: Page, stage: Stage) -> None:
    """In words; whoever types another name has given no order."""
    await phone.locator("#alert").get_by_role("link", name="抖音", exact=True).click()
    freeze = phone.locator("details", has=phone.locator("form[action='/do/freeze']"))
    await expect(freeze).to_contain_text("高于暂停的停止。")
    await fill(freeze, "以防万一", confirm="kuaishou")
    await expect(phone.locator("h1")).to_have_text("指令未提交：请输入 douyin 以确认。")
    await phone.go_back()
    assert await on_platform(stage) == ["paused"]


async def two_let_it_go_on(phone: Page, desk: Page, other: Page, stage: Stage) -> None:
    """One asks, and two others agree, each on the page that was open already."""
    await expect(phone.locator("#state")).to_contain_text("不会自动恢复，须人工解除。")
    lift = phone.locator("details", has=phone.locator("form[action='/do/resume']"))
    await lift.locator("summary").click()
    await expect(lift).to_contain_text("须另有 2 人同意")
    await lift.locator("input[name=reason]").fill("活动文案已更正")
    await expect(phone.locator("#not-live")).to_be_hidden()  # after going back it lies over the page for a moment
    await fits(phone)
    await lift.locator("button").click()
    await expect(phone.locator("#told")).to_contain_text("等待其他人批准。")
    await expect(phone.locator("#state")).to_contain_text("这是您的申请，由他人决定。")

    await expect(desk.locator("#alert")).to_contain_text("0 of 2 have agreed")
    await fill(desk.locator("details[id^=approve]"), "I have read the new text")
    await expect(desk.locator("#told")).to_contain_text("It waits for the agreement of others.")
    await expect(desk.locator("#alert")).to_contain_text("You have agreed. Others have yet to.")
    assert await on_platform(stage) == ["paused"]

    await other.goto("/alerts")
    await fits(other)
    card = other.locator("#approvals article", has_text="活动文案已更正")
    await expect(card).to_contain_text("1 of 2 have agreed: demo-approver")
    await expect(card).to_contain_text("Yours is the last yes that is needed: it happens at once.")
    await fill(card.locator("details[id^=approve]"), "so have I")
    await expect(other.locator("#told")).to_contain_text("Done")

    await expect(phone.locator("#state")).to_contain_text("▶ 运行中")
    await expect(phone.locator("#state")).to_contain_text("平台确认时间")
    await until(lambda: _is_on_platform(stage, "running"), "the platform lets it run")
    assert await on_platform(stage) == ["paused", "running"]


async def _is_on_platform(stage: Stage, status: str) -> bool:
    there = await stage.on_platform(CHANNEL)
    return there is not None and there["status"] == status


async def it_is_over(day: Day, system: System, desk: Page, phone: Page) -> None:
    """At midnight the alert is resolved, and an hour later the incident is closed."""
    await desk.get_by_role("link", name="What belongs together with it").click()
    await expect(desk.locator("#incident")).to_contain_text("Not over yet")
    await stay(desk)
    await day.end()
    await expect(desk.locator("#incident")).to_contain_text(re.compile("● open closes in (59 min|1 h)"))
    assert await stayed(desk)
    async with console_of_later(system, timedelta(hours=1)) as url:
        await phone.goto(url)
        await phone.get_by_role("link", name="事件", exact=True).click()
        await phone.get_by_role("link", name="已关闭", exact=True).click()
        await phone.locator("#incidents a", has_text="抖音").click()
        await expect(phone.locator("#incident")).to_contain_text("✓ 已关闭")
        timeline = phone.locator("section.card", has=phone.get_by_role("heading", name="时间线"))
        for who, what in TOLD:
            await expect(timeline.locator("tr", has_text=who).filter(has_text=what)).to_be_visible()
        await fits(phone)
        async with phone.expect_download() as downloading:
            await phone.get_by_role("link", name="下载网页版报告（HTML）").click()
        report = await _saved(await downloading.value)
    for words in ("已于", "demo-operator", "活动文案已更正", "I have read the new text"):
        assert words in report


async def _saved(download: Download) -> str:
    return (await asyncio.to_thread(Path(await download.path()).read_bytes)).decode()


@asynccontextmanager
async def console_of_later(system: System, much: timedelta) -> AsyncIterator[str]:
    """The URL of one more console, which reads the same log and for whose incidents it is later. Cookies know no ports,
    so whoever is signed in at the one is at the other."""
    told = environment(system.options.env, system.services["console"], system.kafka)
    settings, health, now = load(ConsoleSettings, told), Health(), datetime.now(UTC)
    feed = Feed(settings, health, now)
    publisher = Publisher(settings, [CHANNEL_COMMANDS], health.part("kafka"), client="later", ack_timeout_s=1)
    reading = asyncio.create_task(feed.run())
    with patch.object(incidents_io, "datetime") as clock, patch.object(pages_of_incidents, "datetime", clock):
        clock.now.return_value = now + much
        async with serving(build_app(settings, feed, publisher, health), listen("127.0.0.1", 0, "the test")) as server:
            await until(lambda: _is_complete(feed), "the console has read what there is")
            yield f"http://127.0.0.1:{server.port}"
            feed.end()
    reading.cancel()
    await asyncio.wait([reading])


async def _is_complete(feed: Feed) -> bool:
    return feed.complete
