"""The containers of docker-compose.yml as processes of this machine: each command, environment and health check."""

import asyncio
import contextlib
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, STDOUT, Process
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx

from deploy.launcher.secrets import make_secrets
from deploy.ports import free_port
from tests.support.compose import ROOT, Container, containers

PROGRAMS = {"python": [sys.executable], "tidegate": [sys.executable, "-m", "services.cli"]}
PATIENCE_S = 120.0


class Stand:
    """The containers of the file on this machine: names become ports of loopback, places of a container folders."""

    def __init__(self, kafka: str, folder: Path) -> None:
        self.folder = folder
        self.secrets = make_secrets(folder / "secrets")
        self.containers = containers()
        self.ports = {name: free_port() for name in self.containers}
        self._kafka = kafka
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
            "kafka:9092": self._kafka,
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
                *PROGRAMS[program],
                *map(self._here, arguments),
                env=self.environment(container),
                cwd=ROOT,
                stdout=log,
                stderr=STDOUT,
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
        arguments = [each.replace("/9092", f"/{self._kafka.rpartition(':')[2]}") for each in arguments]
        process = await asyncio.create_subprocess_exec(
            *PROGRAMS.get(program, [program]), *arguments, env=self.environment(container), cwd=ROOT, stdout=DEVNULL
        )
        try:
            await asyncio.wait_for(process.wait(), container.seconds("timeout"))
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):  # it has just ended by itself
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

    def lasting(self) -> list[str]:
        """Ours that run until they are stopped."""
        return [name for name, each in self.containers.items() if each.is_ours and not each.runs_once]

    async def start_all(self) -> None:
        """In the order of the file; returns when all are healthy."""
        for name in ("topics", "policy"):
            await self.once(name)
        for name in self.lasting():
            await self.start(name)
        probed = [name for name in self.lasting() if self.containers[name].probe is not None]
        await asyncio.gather(*(self.healthy(name) for name in probed))

    async def twenty_complaints_pause_a_channel(self) -> None:
        """From the gateway's door to what the console shows."""
        gateway, console = (f"http://127.0.0.1:{self.ports[each]}" for each in ("gateway", "console"))
        sender, viewer = ({"authorization": f"Bearer {self.secrets.token(each)}"} for each in ("demo", "viewer"))
        async with httpx.AsyncClient(trust_env=False) as client, asyncio.timeout(PATIENCE_S):
            sent = await client.post(f"{gateway}/v1/events", json=complaints(25), headers=sender)
            assert sent.json() == {"accepted": 25}
            while True:
                answer = await client.get(f"{console}/api/v1/channels/channel:douyin", headers=viewer)
                if answer.is_success and answer.json()["status"] == "paused":
                    return
                await asyncio.sleep(0.2)

    async def stop(self, name: str) -> int:
        """As the engine does: SIGTERM, and the grace period to end in."""
        process = self.running.pop(name)
        process.send_signal(signal.SIGTERM)
        return await asyncio.wait_for(process.wait(), self.containers[name].seconds("stop_grace_period"))


@contextlib.asynccontextmanager
async def standing(kafka: str, folder: Path) -> AsyncIterator[Stand]:
    """kafka: `host:port`. Whatever runs is ended."""
    stand = Stand(kafka, folder)
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
