"""The drills on the whole system: they pass, and a take-down fails where the platform does not answer."""

import asyncio
import hashlib
import json
import os
from pathlib import Path

import httpx

from deploy.launcher.standard import ROOT, standard_system
from deploy.launcher.system import System
from deploy.launcher.table import StandIns
from deploy.ports import free_port
from services.cli.drill.outage import ELSEWHERE, PlayedPlatform
from services.cli.drill.outage_io import app_of
from services.runtime.http import http_io
from services.runtime.settings import CommonSettings
from tests.support.command_line import tidegate

CHANNEL = "{drill-b: {name: {en: Drill, zh: 演练}, platform: drill-ads}}"


async def drill(running: System, kind: str, *arguments: str, **more: str) -> tuple[int, str]:
    return await tidegate(CommonSettings(kafka=running.kafka), "drill", kind, *arguments, **more)


def system(folder: Path, port: int) -> System:
    """With a channel whose platform is played on that port, and no patience."""
    platforms, policy = folder / "platforms.yaml", folder / "policy.yaml"
    platforms.write_text(f"platforms: {{drill-ads: {{kind: generic, url: 'http://127.0.0.1:{port}'}}}}", "utf-8")
    usual = (ROOT / "deploy" / "policy.yaml").read_text("utf-8")
    policy.write_text(usual.replace("  channels: {} ", f"  channels: {CHANNEL} "), "utf-8")
    environ = {name: value for name, value in os.environ.items() if not name.startswith("TIDEGATE_")}
    environ |= {"TIDEGATE_CONTROL_PLATFORMS": str(platforms)}
    environ |= {"TIDEGATE_CONTROL_AWAY_AFTER": "1", "TIDEGATE_CONTROL_BACKOFF_CAP": "1"}
    stand_ins = StandIns(traffic=False)
    return standard_system(folder / "home", environ, lambda _: None, stand_ins=stand_ins, policy=policy)


async def test_all_drills_from_the_first_order_to_the_platform_and_to_people(tmp_path: Path) -> None:
    port = free_port()
    async with system(tmp_path, port) as running:
        await outage(running, port)
        await leak(running)
        await take_down(running, tmp_path / "report.md")


async def take_down(running: System, page: Path) -> None:
    gateway, token = ("--gateway", running.url("gateway")), {"TIDEGATE_CLI_TOKEN": running.secrets.token("viewer")}
    code, said = await drill(running, "take-down", *gateway, "--channel", "douyin", **token)
    assert (code, "begins with 'drill-'" in said) == (2, True), said
    code, said = await drill(running, "take-down", *gateway, "--channel", "drill-a", "--report", str(page), **token)
    assert (code, has_passed(page)) == (0, True), said
    await running.take_down("platform")
    code, said = await drill(running, "take-down", *gateway, "--channel", "drill-a", "--within", "15", **token)
    assert (code, "**Failed**: not seen within 15 s: confirmed." in said) == (1, True), said


def has_passed(page: Path) -> bool:
    return "**Passed**" in page.read_text("utf-8")


async def outage(running: System, port: int) -> None:
    token = running.secrets.token("operator")
    given = ("--console", running.url("console"), "--listen", f"127.0.0.1:{port}", "--within", "40")
    code, said = await drill(running, "outage", *given, "--channel", "drill-a", TIDEGATE_CLI_TOKEN=token)
    assert (code, "not on 'default'" in said) == (2, True), said
    await played_by_somebody_else(running, port, token)
    code, said = await drill(running, "outage", *given, "--channel", "drill-b", TIDEGATE_CLI_TOKEN=token)
    assert (code, "**Passed**" in said) == (0, True), said
    async with httpx.AsyncClient(headers={"Authorization": f"Bearer {token}"}) as client:
        state = (await client.get(f"{running.url('console')}/api/v1/channels/channel:drill-b")).json()
    assert (state["holds"], state["platform"]["confirmed"]) == ([], "running")


async def played_by_somebody_else(running: System, port: int, token: str) -> None:
    given = ("--console", running.url("console"), "--listen", f"127.0.0.1:{free_port()}", "--within", "40")
    other = app_of(PlayedPlatform("channel:drill-b"))
    async with http_io.serving(other, http_io.listen("127.0.0.1", port, "the test")):
        code, said = await drill(running, "outage", *given, "--channel", "drill-b", TIDEGATE_CLI_TOKEN=token)
    assert (code, ELSEWHERE in said) == (1, True), said


async def leak(running: System) -> None:
    """The token that leaks is taken out while the drill waits for it; from then on another one is the sender's."""
    given = ("--gateway", running.url("gateway"), "--channel", "drill-a", "--search", str(running.home / "logs"))
    environ = {
        "TIDEGATE_CLI_TOKEN": running.secrets.token("demo"),
        "TIDEGATE_CLI_NEW_TOKEN": running.secrets.token("viewer"),
        "TIDEGATE_INGEST_PSEUDONYM_KEY_FILE": running.secrets.path("pseudonym-key"),
    }
    drilling = asyncio.create_task(drill(running, "leak", *given, "--within", "40", **environ))
    await until_taken(running, 2)
    await running.take_down("gateway")
    give_to_demo(environ["TIDEGATE_CLI_NEW_TOKEN"], running.secrets.path("gateway-tokens.yaml"))
    running.bring_up("gateway")
    code, said = await drilling
    assert (code, "**Passed**" in said) == (0, True), said
    assert "`frames.actor` (1)" in said


async def until_taken(running: System, count: int) -> None:
    """The gateway has taken so many events."""
    wanted = f'tidegate_gateway_events_total{{outcome="accepted"}} {count:.1f}'
    async with asyncio.timeout(20), httpx.AsyncClient() as client:
        while True:
            if wanted in (await client.get(f"{running.url('gateway')}/metrics")).text:
                return
            await asyncio.sleep(0.1)


def give_to_demo(token: str, file: str) -> None:
    """The only sender has this token now."""
    owner = {"name": "demo", "sha256": hashlib.sha256(token.encode()).hexdigest(), "channels": "*", "types": "*"}
    Path(file).write_text(json.dumps([owner]), "utf-8")
