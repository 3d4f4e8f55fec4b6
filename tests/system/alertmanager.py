"""A real Alertmanager for the length of a `with` block."""

import asyncio
import contextlib
import json
import shutil
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from tests.integration.alert_receivers import World

PROGRAM = shutil.which("prometheus-alertmanager")
_CONFIG = """
route: {{receiver: there, group_by: [alert_id], group_wait: 0s, group_interval: 1s, repeat_interval: 1h}}
receivers:
- name: there
  webhook_configs: [{{url: '{url}/notified', send_resolved: true}}]
"""


@dataclass
class Alertmanager:
    """The program, seen from outside."""

    url: str
    client: httpx.AsyncClient
    world: World

    async def active(self) -> list[dict[str, Any]]:
        """What stands there now."""
        found = (await self.client.get("/api/v2/alerts", params={"active": "true"})).json()
        return [alert for alert in found if alert["status"]["state"] == "active"]

    def notified(self) -> list[tuple[str, str]]:
        """What it has told others: status and severity of each alert, in order."""
        bodies = [json.loads(one.body) for one in self.world.at("/notified")]
        return [(alert["status"], alert["labels"]["severity"]) for body in bodies for alert in body["alerts"]]


@contextlib.asynccontextmanager
async def alertmanager(there: World, folder: Path, port: int) -> AsyncIterator[Alertmanager]:
    """It tells `there`, without waiting."""
    (folder / "alertmanager.yml").write_text(_CONFIG.format(url=there.url))
    command = [
        str(PROGRAM),
        f"--config.file={folder / 'alertmanager.yml'}",
        f"--storage.path={folder / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--cluster.listen-address=",
    ]
    url = f"http://127.0.0.1:{port}"
    with (folder / "alertmanager.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(*command, stdout=log, stderr=log)
    try:
        async with httpx.AsyncClient(base_url=url, trust_env=False) as client:
            await eventually(lambda: _ready(client, process))
            yield Alertmanager(url, client, there)
    finally:
        process.kill()
        await process.wait()


async def _ready(client: httpx.AsyncClient, process: Process) -> bool:
    assert process.returncode is None, "it has ended"
    with contextlib.suppress(httpx.TransportError):
        return (await client.get("/-/ready")).is_success
    return False


async def eventually(condition: Callable[[], Awaitable[bool]], patience_s: float = 20.0) -> None:
    """Returns once it holds."""
    async with asyncio.timeout(patience_s):
        while not await condition():  # noqa: ASYNC110 - it is asked over HTTP
            await asyncio.sleep(0.05)
