"""The door for complaints in a real browser: by keyboard alone, without scripts, on a phone, in both languages."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from playwright.async_api import Browser, Page
from pydantic import SecretStr

from schemas.directory import Directory
from schemas.policy import Policy
from services.gateway.app import build_app
from services.gateway.door import form_note
from services.gateway.door.institution import Institution
from services.gateway.door.promise import Promise
from services.gateway.settings import GatewaySettings
from services.runtime.health import Health
from services.runtime.http.http_io import listen, serving
from services.runtime.http.tokens import Tokens
from tests.system.axe import violations
from tests.system.browser import PHONE, chromium
from tests.unit.gateway.samples import sender
from tests.unit.gateway.test_app import FakePublisher

pytestmark = pytest.mark.system

BANK = Institution.model_validate({"name": {"en": "Demo Bank", "zh": "演示银行"}, "phone": "95555"})
DIRECTORY = Directory.model_validate(
    {
        "channels": {
            "douyin": {"name": {"en": "Douyin", "zh": "抖音"}},
            "branch": {"name": {"en": "A branch", "zh": "营业网点"}},
        },
        "products": {"fund-3": {"name": {"en": "Steady Growth 3", "zh": "稳健增长3号"}}},
    }
)


@asynccontextmanager
async def door() -> AsyncIterator[tuple[FakePublisher, str]]:
    """A gateway whose door is open, and its URL."""
    publisher = FakePublisher()
    settings = GatewaySettings.model_construct(
        gateway_tokens_file=Tokens([sender()]),
        gateway_door_key=SecretStr("k" * 32),
        gateway_door_institution=BANK,
    )
    promise = Promise(Policy(version=1, directory=DIRECTORY))
    app = build_app(settings, publisher, Health(), lambda: promise)
    async with serving(app, listen("127.0.0.1", 0, "the test")) as server:
        yield publisher, f"http://127.0.0.1:{server.port}"


@asynccontextmanager
async def looking(browser: Browser, url: str, **how: Any) -> AsyncIterator[Page]:
    """A page of a customer."""
    context = await browser.new_context(base_url=url, **how)
    yield await context.new_page()
    await context.close()


@pytest.fixture
def no_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits three seconds to see what comes after."""
    monkeypatch.setattr(form_note, "FILLING_S", 0)


async def focused(page: Page) -> str:
    return str(await page.evaluate("document.activeElement.id || document.activeElement.type"))


@pytest.mark.usefixtures("no_hurry")
async def test_a_complaint_is_filed_by_keyboard_alone_without_scripts() -> None:
    async with (
        door() as (publisher, url),
        chromium() as browser,
        looking(browser, url, locale="zh-CN", java_script_enabled=False, **PHONE) as page,
    ):
        await page.goto("/complaints")
        for _ in range(2):  # the languages
            await page.keyboard.press("Tab")
        await page.keyboard.press("Tab")
        await page.keyboard.press("ArrowDown")
        await page.keyboard.press("Tab")
        await page.keyboard.press("Tab")
        await page.keyboard.type("宣传说保本，实际亏了。")
        await page.keyboard.press("Tab")
        await page.keyboard.type("13800138000")
        await page.keyboard.press("Enter")
        await page.get_by_role("heading", name="已收到您的投诉").wait_for(timeout=5000)
        (sent,) = publisher.sent
        assert sent.key == b"douyin"
        assert "宣传说保本".encode() in (sent.value or b"")


@pytest.mark.usefixtures("no_hurry")
async def test_the_field_for_programs_is_not_on_the_way_of_the_keyboard() -> None:
    async with door() as (_, url), chromium() as browser, looking(browser, url) as page:
        await page.goto("/complaints?lang=en")
        seen = []
        for _ in range(8):
            await page.keyboard.press("Tab")
            seen.append(await focused(page))
        assert "website" not in seen
        assert seen[2:7] == ["channel", "product", "text", "contact", "submit"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.usefixtures("no_hurry")
async def test_every_state_of_the_door_is_accessible_and_fits_a_phone(scheme: Any, language: str) -> None:
    async with (
        door() as (_, url),
        chromium() as browser,
        looking(browser, url, color_scheme=scheme, **PHONE) as page,
    ):
        await page.goto(f"/complaints?lang={language}")
        await _is_fine(page)
        await page.locator("button").click()
        assert await page.locator("[aria-invalid]").count() == 1
        await _is_fine(page)
        await page.locator("#text").fill("x" * 300)
        await page.locator("button").click()
        await page.locator(".number").wait_for(timeout=5000)
        await _is_fine(page)


async def _is_fine(page: Page) -> None:
    assert await violations(page) == []
    assert await page.evaluate("document.documentElement.scrollWidth") <= 390
