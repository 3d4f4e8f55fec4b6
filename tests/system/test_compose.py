"""What docker-compose.yml says, run as processes: each command, environment and health check, read from the file.

No container engine is needed, so images, mounts, networks and limits are not tried; see docs/install.md.
"""

import asyncio
import contextlib
import os
import signal
import sys
from asyncio.subprocess import PIPE, STDOUT, Process
from collections.abc import AsyncIterator, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from deploy.embedded.broker import Broker
from deploy.launcher.secrets import make_secrets
from deploy.ports import free_port
from tests.support.compose import ROOT, Container, containers

pytestmark = pytest.mark.system

PROGRAMS = {"python": [sys.executable], "tidegate": [sys.executable, "-m", "services.cli"]}
PATIENCE_S = 120.0


class Stand:
    """The containers of the file on this machine: names become ports of loopback, places of a container folders."""

    def __init__(self, broker: Broker, folder: Path) -> None:
        self.folder = folder
        self.secrets = make_secrets(folder / "secrets")
        self.containers = containers()
        self.ports = {name: free_port() for name in self.containers}
        self._broker = broker
        self.running: dict[str, Process] = {}

    def environment(self, container: Container) -> dict[str, str]:
        """What the file says, and nothing of this process's own."""
        here = {
            name: str(self.ports[container.name]) if name.endswith("_PORT") else self._here(value)
            for name, value in container.environment.items()
        }
        return {**here, "PATH": os.environ["PATH"]}

    def _here(self, value: str) -> str:
        places = {
            "kafka:9092": self._broker.bootstrap,
            "0.0.0.0": "127.0.0.1",  # noqa: S104
            "/run/secrets": str(self.secrets.folder),
            "/var/lib/tidegate": str(self.folder),
        }
        for there, here in places.items():
            value = value.replace(there, here)
        return value

    async def start(self, name: str) -> Process:
        container = self.containers[name]
        program, *arguments = container.command
        with (self.folder / f"{name}.log").open("ab") as log:
            process = await asyncio.create_subprocess_exec(
                *PROGRAMS[program], *arguments, env=self.environment(container), cwd=ROOT, stdout=log, stderr=STDOUT
            )
        self.running[name] = process
        return process

    async def once(self, name: str) -> str:
        """Runs one that ends; what it said."""
        process = await self.start(name)
        code = await asyncio.wait_for(process.wait(), PATIENCE_S)
        assert code == 0, self.said(name)
        return self.said(name)

    def said(self, name: str) -> str:
        return (self.folder / f"{name}.log").read_text("utf-8")

    async def check(self, name: str) -> bool:
        """Its health check, as the container would run it."""
        container = self.containers[name]
        assert container.probe is not None
        program, *arguments = container.probe
        arguments = [each.replace("/9092", f"/{self._broker.port}") for each in arguments]
        process = await asyncio.create_subprocess_exec(
            *PROGRAMS.get(program, [program]), *arguments, env=self.environment(container), cwd=ROOT, stdout=PIPE
        )
        try:
            await asyncio.wait_for(process.communicate(), container.seconds("timeout"))
        except TimeoutError:
            process.kill()
            await process.wait()
        return process.returncode == 0

    async def healthy(self, name: str) -> None:
        """Before the engine would call it unhealthy."""
        container = self.containers[name]
        patience = container.seconds("start_period") + container.retries * container.seconds("interval")
        async with asyncio.timeout(patience):
            while not await self.check(name):
                assert self.running[name].returncode is None, self.said(name)
                await asyncio.sleep(container.seconds("start_interval"))

    def resident_bytes(self, name: str) -> int:
        status = Path(f"/proc/{self.running[name].pid}/status").read_text("utf-8")
        return next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmHWM:"))

    async def stop(self, name: str) -> int:
        """As the engine does: SIGTERM, and the grace period to end in."""
        process = self.running.pop(name)
        process.send_signal(signal.SIGTERM)
        return await asyncio.wait_for(process.wait(), self.containers[name].seconds("stop_grace_period"))


@contextlib.asynccontextmanager
async def standing(broker: Broker, folder: Path) -> AsyncIterator[Stand]:
    stand = Stand(broker, folder)
    try:
        yield stand
    finally:
        for process in stand.running.values():
            if process.returncode is None:
                process.kill()
                await process.wait()


def complaints(count: int) -> list[dict[str, Any]]:
    now = datetime.now(UTC).isoformat()
    return [
        {
            "event_id": f"compose-{number}",
            "type": "complaint_opened",
            "occurred_at": now,
            "channel_id": "douyin",
            "complaint_id": f"c-{number}",
            "entry": "hotline",
            "account_id": f"a-{number}",
        }
        for number in range(count)
    ]


async def paused(client: httpx.AsyncClient, url: str, token: str) -> None:
    """Until the console says that the channel stands still."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            answer = await client.get(f"{url}/api/v1/channels/channel:douyin", headers={"authorization": token})
            if answer.is_success and answer.json()["status"] == "paused":
                return
            await asyncio.sleep(0.2)


def lasting(all_of_them: Iterable[Container]) -> list[str]:
    return [each.name for each in all_of_them if each.is_ours and not each.runs_once]


async def test_all_of_it_runs_and_twenty_complaints_pause_a_channel(broker: Broker, tmp_path: Path) -> None:
    async with standing(broker, tmp_path) as stand:
        assert await stand.check("kafka")
        assert "created" in await stand.once("topics")
        assert "in force now" in await stand.once("policy")
        names = lasting(stand.containers.values())
        for name in names:
            await stand.start(name)
        await asyncio.gather(*(stand.healthy(name) for name in names if stand.containers[name].probe is not None))

        async with httpx.AsyncClient(trust_env=False) as client:
            sender = {"authorization": f"Bearer {stand.secrets.token('demo')}"}
            gateway, console = (f"http://127.0.0.1:{stand.ports[each]}" for each in ("gateway", "console"))
            sent = await client.post(f"{gateway}/v1/events", json=complaints(25), headers=sender)
            assert sent.json() == {"accepted": 25}
            await paused(client, console, f"Bearer {stand.secrets.token('viewer')}")

        # Once more, as at the next `up`: nothing to do, and nothing is changed.
        assert "all topics are there" in await stand.once("topics")
        await stand.once("policy")
        assert stand.running["audit"].returncode is None, stand.said("audit")
        for name in names:
            limit = stand.containers[name].spec["deploy"]["resources"]["limits"]["memory"]
            unit = {"M": 1024**2, "G": 1024**3}[limit[-1]]
            used = stand.resident_bytes(name)
            print(f"{name}: {used / 1024**2:.0f} MB of {limit}")
            assert used < int(limit[:-1]) * unit / 2, name
        codes = await asyncio.gather(*(stand.stop(name) for name in names))
        # The command line says 130 when it was told to stop.
        assert dict(zip(names, codes, strict=True)) == {**dict.fromkeys(names, 0), "audit": 130}
