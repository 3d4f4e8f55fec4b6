"""The take-down drill on the whole system: it passes, and fails where the platform does not answer."""

import os
from pathlib import Path

from deploy.launcher.standard import standard_system
from deploy.launcher.system import System
from deploy.launcher.table import StandIns
from services.runtime.settings import CommonSettings
from tests.support.command_line import tidegate


async def drill(running: System, *arguments: str) -> tuple[int, str]:
    token = running.secrets.token("demo")
    given = ("drill", "take-down", "--gateway", running.url("gateway"), *arguments)
    return await tidegate(CommonSettings(kafka=running.kafka), *given, TIDEGATE_CLI_TOKEN=token)


async def test_a_take_down_is_drilled_from_the_gateway_to_the_platform_and_to_people(tmp_path: Path) -> None:
    environ = {name: value for name, value in os.environ.items() if not name.startswith("TIDEGATE_")}
    system = standard_system(tmp_path / "home", environ, lambda _: None, stand_ins=StandIns(traffic=False))
    async with system as running:
        code, said = await drill(running, "--channel", "douyin")
        assert (code, "begins with 'drill-'" in said) == (2, True), said
        page = tmp_path / "report.md"
        code, said = await drill(running, "--channel", "drill-a", "--within", "40", "--report", str(page))
        assert (code, "**Passed**" in page.read_text("utf-8")) == (0, True), said
        await running.take_down("platform")
        code, said = await drill(running, "--channel", "drill-a", "--within", "5")
        assert (code, "**Failed**: not seen within 5 s: confirmed." in said) == (1, True), said
