"""Changing the policy in a real browser: written, mended, compared, tried on the past, proposed, and agreed to."""

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from schemas.policy import FourEyes
from services.console.jobs.trials_io import Trials
from services.policies.changes import Ask, apply
from services.policies.reading import read_policy
from tests.system.axe import violations
from tests.system.browser import PHONE, chromium, serving_console, visiting
from tests.unit.console.past import archived
from tests.unit.console.world import World

pytestmark = pytest.mark.system

PLACES = ("/policy", "/policy/edit", "/policy/diff?a=default/1&b=default/2", "/policy/version?label=default/1")
DEFAULT = Path(__file__).parents[2] / "deploy/policy.yaml"


async def put_in_force(world: World) -> None:
    first = read_policy(DEFAULT)
    await world.change(Ask("zhao", datetime.now(UTC), "the first"), lambda topic, ask: apply(topic, first, ask))


async def figure(page: Page, name: str, value: str, subject: str = "") -> None:
    """Sets one by the form."""
    await page.locator("select[name=figure]").select_option(name)
    await page.locator("input[name=subject]").fill(subject)
    await page.locator("input[name=value]").fill(value)
    await page.get_by_role("button", name="Set it in the document").click()


async def test_a_policy_is_written_tried_proposed_and_agreed_to(tmp_path: Path) -> None:
    trials = Trials(archived(tmp_path))
    async with serving_console(trials) as (world, url), chromium() as browser:
        await put_in_force(world)
        async with visiting(browser, url) as page:
            complaints: list[str] = []
            page.on("console", lambda message: complaints.append(message.text))
            await page.goto("/policy")
            await page.get_by_role("link", name="Edit").click()
            document, told = page.locator("textarea"), page.locator("#checked")
            sound = await document.input_value()
            await document.fill(sound.replace("complaints: 20", "complaints: 0", 1) + "tresholds: 1\n")
            await expect(told).to_contain_text("2 to mend")
            await expect(told).to_contain_text("tresholds is not known")
            await document.fill(sound)
            await expect(told).to_contain_text("They mean the same.")
            await figure(page, "complaint_volume.thresholds.complaints", "30")
            await expect(told).to_contain_text("Counted complaints of a business day.")
            await figure(page, "cac_spike.maturity.throttle", "auto", "douyin")
            await expect(told).to_contain_text("waits until 2 others agree")
            assert await violations(page) == []
            await page.get_by_role("button", name="Try it").click()
            await page.get_by_role("heading", name="New, gone, changed").wait_for(timeout=90_000)
            await expect(page.locator("main")).to_contain_text("level 2")
            assert await page.locator("svg.chart").count() >= 2
            assert await violations(page) == []
            await page.get_by_label("Why, for the audit").fill("a large channel")
            await page.get_by_role("button", name="Put in force, or propose").click()
            await expect(page.locator("main")).to_contain_text("default/2 waits for the agreement of others.")
            await expect(page.locator("main")).to_contain_text("You proposed it")
            assert complaints == []
            async with visiting(browser, url, "approver", **PHONE) as second, visiting(browser, url, "admin") as third:
                for agreeing in (second, third):
                    await agreeing.goto("/policy")
                    await agreeing.get_by_text("Agree to default/2").click()
                    await agreeing.locator("form[action='/policy/approve'] input[name=reason]").fill("looked at it")
                    await agreeing.get_by_role("button", name="I agree").click()
                    await agreeing.wait_for_url(re.compile(r"/policy\?about=default"))
            await expect(page.locator("main")).to_contain_text("default/2 is in force.")
    assert world.feed.policies.active == "default/2"


async def test_a_trial_is_cancelled_by_its_button(tmp_path: Path) -> None:
    settings = archived(tmp_path)
    async with serving_console(Trials(settings)) as (world, url), chromium() as browser:
        await put_in_force(world)
        async with visiting(browser, url) as page:
            await page.goto("/policy/edit")
            await page.get_by_role("button", name="Try it").click()
            await page.get_by_role("button", name="Cancel").click()
            await expect(page.locator("main")).to_contain_text("It was cancelled.")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("locale", ["en-GB", "zh-CN"])
async def test_nothing_keeps_people_out(scheme: str, locale: str) -> None:
    async with serving_console() as (world, url), chromium() as browser:
        await put_in_force(world)
        default = read_policy(DEFAULT)
        wanted = default.model_copy(update={"version": 2, "four_eyes": FourEyes(approvals=1)})
        await world.change(Ask("qian", datetime.now(UTC), "why"), lambda topic, ask: apply(topic, wanted, ask))
        async with visiting(browser, url, "admin", locale=locale, color_scheme=scheme, **PHONE) as page:
            for place in (
                "/policy",
                "/policy/edit",
                "/policy/diff?a=default/1&b=default/2",
                "/policy/version?label=default/1",
                "/high-risk",
            ):
                await page.goto(place)
                if place == "/policy":
                    await page.get_by_text("default/2").first.wait_for()
                    assert await page.locator("form[action='/policy/reject']").count() == 1
                await page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
                assert await violations(page) == [], place
                assert await page.evaluate("document.documentElement.scrollWidth") <= 390, place
