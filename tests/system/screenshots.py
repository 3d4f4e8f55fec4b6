"""Takes the pictures of the documentation: a console and a complaint door with made records, in Debian's Chromium.

python -m tests.system.screenshots      writes docs/screenshots/*.png
"""

import asyncio
from pathlib import Path
from typing import Any, Final
from unittest.mock import patch

from playwright.async_api import Browser, Page

from services.console.pages.frame import frame_io
from services.console.people import Role
from services.gateway.door import door_io
from tests.system.browser import PHONE, chromium, serving_console, visiting
from tests.system.screenshot_story import TARGET, tell
from tests.system.test_complaint_door import door, looking
from tests.unit.console.samples import NOW
from tests.unit.console.troubles import paused

FOLDER: Final = Path(__file__).resolve().parents[2] / "docs" / "screenshots"
MOST_BYTES: Final = 150_000
_DESK: Final = {"viewport": {"width": 1200, "height": 860}}
_SMALL: Final = {"viewport": {"width": 1000, "height": 720}}
_LIGHT: Final = {"color_scheme": "light"}
_DARK: Final = {"color_scheme": "dark"}
_CHINESE: Final = {"locale": "zh-CN"}
_ALERT: Final = f"/alerts/{paused('short-video').alert_id}"
PICTURES: Final[dict[str, tuple[str, str, Role, dict[str, Any]]]] = {
    "board": ("/", "h1", "operator", _DESK | _LIGHT),
    "business-dark-zh": ("/", "#figures", "operator", _SMALL | _DARK | _CHINESE),
    "channel-dark": (f"/channels/{TARGET}?hours=6", "#charts", "operator", _DESK | _DARK),
    "alert-phone": (_ALERT, "h1", "approver", PHONE | _LIGHT),
    "policy": ("/policy", "#complaint_rate", "viewer", _DESK | _LIGHT),
}
"""Of the console: where it is found, what is seen of it, by whom, and how the browser is set."""


async def taken() -> None:
    """All pictures, at a moment that is always the same."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with patch.object(frame_io, "datetime") as console, patch.object(door_io, "datetime") as gateway:
        console.now.return_value = gateway.now.return_value = NOW
        async with chromium() as browser:
            await _console(browser)
            await _door(browser)


async def _console(browser: Browser) -> None:
    async with serving_console() as (world, url):
        await tell(world)
        for name, (path, seen, role, how) in PICTURES.items():
            async with visiting(browser, url, role, **how) as page:
                await page.goto(path)
                await page.locator(seen).first.evaluate(_SHOW)
                await _take(page, name)


_SHOW: Final = """shown => {
  if (shown.tagName == "DETAILS") shown.open = true
  if (shown.tagName != "H1") shown.scrollIntoView()
}"""


async def _door(browser: Browser) -> None:
    async with door() as (_, url), looking(browser, url, **PHONE | _LIGHT | _CHINESE) as page:
        await page.goto("/complaints")
        await page.locator("#text").fill("客户经理说这只产品保本，到期却亏了。")
        await _take(page, "complaint-door-phone-zh")


async def _take(page: Page, name: str) -> None:
    path = FOLDER / f"{name}.png"
    await page.screenshot(path=path, animations="disabled", caret="hide")
    size = path.stat().st_size
    if size > MOST_BYTES:
        raise SystemExit(f"{path.name} has {size:,} bytes, more than {MOST_BYTES:,}")
    print(f"{path.name}  {size / 1000:.0f} KB")


if __name__ == "__main__":
    asyncio.run(taken())
