"""axe-core, which looks for what keeps people out of a page."""

from typing import Final

from axe_core_python.base import AXE_SCRIPT
from playwright.async_api import Page

SERIOUS: Final = ("serious", "critical")


async def violations(page: Page) -> list[str]:
    """What is serious on a page, and where. The debugger evaluates it, so the page may forbid scripts."""
    await page.evaluate(AXE_SCRIPT)
    found = await page.evaluate("axe.run()")
    return [
        f"{each['id']} ({each['impact']}): {each['help']}: {[node['target'] for node in each['nodes']]}"
        for each in found["violations"]
        if each["impact"] in SERIOUS
    ]
