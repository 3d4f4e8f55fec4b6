"""A real Alertmanager for the length of a `with` block."""

import asyncio
import contextlib
import json
import shutil
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Awaitable, Callable
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


class Alertmanager:
    """The program, which tells `world` without waiting, seen from outside."""

    def __init__(self, world: World, folder: Path, port: int, client: httpx.AsyncClient) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self._world = world
        self._folder = folder
        self._client = client
        self._process: Process | None = None
        (folder / "alertmanager.yml").write_text(_CONFIG.format(url=world.url))

    async def start(self) -> None:
        """With the data that it has; returns once it is ready."""
        command = [
            str(PROGRAM),
            f"--config.file={self._folder / 'alertmanager.yml'}",
            f"--storage.path={self._folder / 'data'}",
            f"--web.listen-address={self.url.removeprefix('http://')}",
            "--cluster.listen-address=",
        ]
        with (self._folder / "alertmanager.log").open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(*command, stdout=log, stderr=log)
        await eventually(self._ready)

    async def kill(self) -> None:
        """kill -9."""
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()

    async def active(self) -> list[dict[str, Any]]:
        """What stands there now."""
        found = (await self._client.get(f"{self.url}/api/v2/alerts")).json()
        return [alert for alert in found if alert["status"]["state"] == "active"]

    def notified(self) -> list[tuple[str, str]]:
        """What it has told others, or tried to: status and severity of each alert, in order."""
        bodies = [json.loads(one.body) for one in self._world.at("/notified")]
        return [(alert["status"], alert["labels"]["severity"]) for body in bodies for alert in body["alerts"]]

    async def _ready(self) -> bool:
        assert self._process is not None
        assert self._process.returncode is None, "it has ended"
        with contextlib.suppress(httpx.TransportError):
            return (await self._client.get(f"{self.url}/-/ready")).is_success
        return False


@contextlib.asynccontextmanager
async def alertmanager(there: World, folder: Path, port: int) -> AsyncIterator[Alertmanager]:
    """One that runs."""
    async with httpx.AsyncClient(trust_env=False) as client:
        program = Alertmanager(there, folder, port, client)
        await program.start()
        try:
            yield program
        finally:
            await program.kill()


async def eventually(condition: Callable[[], Awaitable[bool]], patience_s: float = 20.0) -> None:
    """Returns once it holds."""
    async with asyncio.timeout(patience_s):
        while not await condition():  # noqa: ASYNC110 - it is asked over HTTP
            await asyncio.sleep(0.05)
