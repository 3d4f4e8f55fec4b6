"""Signing in by both doors in a real browser, the second against a real provider."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page
from pydantic import SecretStr

from schemas.topics import ALERT_STATE, AUDIT, CHANNEL_STATE, POLICY
from services.console.app import build_app
from services.console.signin import asking_io, provider_io
from services.console.state.feed_io import Feed
from services.runtime import logs
from services.runtime.health import Health
from services.runtime.http.http_io import listen, serving
from tests.support.waiting import eventually
from tests.system import keycloak
from tests.system.browser import chromium
from tests.unit.console.browsing import PASSWORD
from tests.unit.console.samples import NOW
from tests.unit.console.world import SETTINGS, World

pytestmark = pytest.mark.system

PEOPLE = {"an.zhou": ["tidegate-operator"], "guest": [], "li.wei": ["tidegate-admin"]}


@asynccontextmanager
async def world_with_both_doors(folder: Path) -> AsyncIterator[tuple[World, str, keycloak.Keycloak, Browser]]:
    """A console, its URL, its provider, and a browser. The local user `night` is `an.zhou` of nobody."""
    bound = listen("127.0.0.1", 0, "the test")
    url = f"http://127.0.0.1:{bound.getsockname()[1]}"
    async with keycloak.keycloak(url, PEOPLE, folder / "keycloak.log") as provider, chromium() as browser:
        known = {
            "console_url": url,
            "console_oidc_issuer": provider.issuer,
            "console_oidc_client_id": "tidegate",
            "console_oidc_client_secret": SecretStr(keycloak.SECRET),
            "console_oidc_name_claim": "preferred_username",
        }
        settings = SETTINGS.model_copy(update=known)
        world = World(Feed(settings, Health(), NOW))
        for topic in (CHANNEL_STATE, ALERT_STATE, AUDIT, POLICY):
            await world.read(topic)
        async with serving(build_app(settings, world.feed, world, Health(), world), bound):
            yield world, url, provider, browser
            world.feed.end()


async def by_provider(page: Page, name: str) -> None:
    """Fills in what Keycloak asks for."""
    await page.get_by_role("link", name="Sign in with your company account").click()
    await page.locator("#username").fill(name)
    await page.locator("#password").fill(keycloak.PASSWORD)
    await page.locator("#kc-login").click()


async def test_a_working_day_with_both_doors(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.DEBUG)
    for name in logs.NOISY:  # as the service does, whatever its own level
        caplog.set_level(logging.WARNING, logger=name)
    async with world_with_both_doors(tmp_path) as (world, url, provider, browser):
        context = await browser.new_context(locale="en-GB", base_url=url)
        page = await context.new_page()

        await page.goto("/account?x=1")
        await by_provider(page, "an.zhou")
        await page.wait_for_url("**/account?x=1")
        assert await page.locator("h1").inner_text() == "an.zhou"
        assert "operator" in await page.locator("main").inner_text()
        await eventually(lambda: bool(world.commands), "the audit is told")
        assert world.commands[-1].note == "by the OpenID Connect provider, as operator"

        await page.goto("/signin/again?next=/account")
        await page.get_by_role("link", name="Sign in with your company account").click()
        await page.locator("#password").fill(keycloak.PASSWORD)  # it asks again, though it knows this browser
        await page.locator("#kc-login").click()
        await page.wait_for_url("**/account")
        await eventually(lambda: len(world.commands) == 2, "the audit is told")
        assert str(world.commands[-1].note).endswith("once more")
        assert world.commands[0].session == world.commands[1].session

        monkeypatch.setattr(asking_io, "CHECK_S", 0)
        await provider.roles("an.zhou", "tidegate-approver")
        await page.reload()
        assert "approver" in await page.locator("main").inner_text(), "a role of now counts"
        await provider.roles("an.zhou")
        await page.reload()
        await page.wait_for_url("**/signin?next=**")
        monkeypatch.setattr(asking_io, "CHECK_S", 60)

        for name, said in (("guest", "have no role here"), ("li.wei", "A local user has this name")):
            stranger = await browser.new_context(locale="en-GB", base_url=url)
            page = await stranger.new_page()
            await page.goto("/signin")
            await by_provider(page, name)
            await page.get_by_text(said).wait_for()
            await page.goto("/")
            assert "/signin" in page.url
            await stranger.close()

        await provider.roles("an.zhou", "tidegate-viewer")
        page = await context.new_page()
        await page.goto("/account")
        await page.get_by_role("link", name="Sign in with your company account").click()
        await page.wait_for_url("**/account")  # the provider knows this browser
        await page.get_by_role("button", name="Sign out", exact=True).first.click()
        await page.get_by_role("link", name="Sign out of the company's sign-in too").click()
        await page.locator("#kc-logout").click()
        await page.wait_for_url(f"{url}/signin**")
        await page.get_by_role("link", name="Sign in with your company account").click()
        await page.locator("#username").wait_for()

        monkeypatch.setattr(provider_io, "KNOWN_S", 0.0)
        await provider.stop()
        await page.goto("/signin")
        await page.get_by_role("link", name="Sign in with your company account").click()
        await page.get_by_text("The company's sign-in does not answer").wait_for()
        await page.goto("/signin")
        await page.locator("input[name=name]").fill("li.wei")
        await page.locator("input[name=password]").fill(PASSWORD)
        await page.get_by_role("button", name="Sign in").click()
        await page.wait_for_url(f"{url}/")
        (cookie,) = [each for each in await context.cookies(url) if each["name"] == "tidegate"]
        assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Lax")

        said = caplog.text + "".join(each.model_dump_json() for each in world.commands)
        for secret in (keycloak.SECRET, keycloak.PASSWORD, PASSWORD, "code_verifier", "refresh_token"):
            assert secret not in said
