"""A real Alertmanager for the length of a `with` block."""

import contextlib
import json
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx

from tests.integration.alert_receivers import World
from tests.system.program import Program

PROGRAM = shutil.which("prometheus-alertmanager")
_CONFIG = """
route: {{receiver: there, group_by: [alert_id], group_wait: 0s, group_interval: 1s, repeat_interval: 1h}}
receivers:
- name: there
  webhook_configs: [{{url: '{url}/notified', send_resolved: true}}]
"""


class Alertmanager(Program):
    """The program, which tells `world` without waiting, seen from outside."""

    def __init__(self, world: World, folder: Path, port: int, client: httpx.AsyncClient) -> None:
        super().__init__(PROGRAM, "alertmanager", folder, port, client)
        self._world = world
        (folder / "alertmanager.yml").write_text(_CONFIG.format(url=world.url))

    async def start(self, *options: str) -> None:
        """Alone."""
        await super().start(f"--storage.path={self._folder / 'data'}", "--cluster.listen-address=", *options)

    async def active(self) -> list[dict[str, Any]]:
        """What stands there now."""
        found = (await self._client.get(f"{self.url}/api/v2/alerts")).json()
        return [alert for alert in found if alert["status"]["state"] == "active"]

    def notified(self) -> list[tuple[str, str]]:
        """What it has told others, or tried to: status and severity of each alert, in order."""
        bodies = [json.loads(one.body) for one in self._world.at("/notified")]
        return [(alert["status"], alert["labels"]["severity"]) for body in bodies for alert in body["alerts"]]


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
