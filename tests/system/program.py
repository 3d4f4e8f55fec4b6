"""A real program of Prometheus's family, run as a process of its own."""

import asyncio
import contextlib
from asyncio.subprocess import Process
from collections.abc import Awaitable, Callable
from pathlib import Path

import httpx


class Program:
    """The program at `path`, with its configuration `<name>.yml`, its log and its data in `folder`."""

    def __init__(self, path: str | None, name: str, folder: Path, port: int, client: httpx.AsyncClient) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self._path = path
        self._name = name
        self._folder = folder
        self._client = client
        self._process: Process | None = None

    async def start(self, *options: str) -> None:
        """With the data that it has; returns once it is ready."""
        command = [
            str(self._path),
            f"--config.file={self._folder / f'{self._name}.yml'}",
            f"--web.listen-address={self.url.removeprefix('http://')}",
            *options,
        ]
        with (self._folder / f"{self._name}.log").open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(*command, stdout=log, stderr=log)
        await eventually(self._ready)

    async def kill(self) -> None:
        """kill -9."""
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()

    async def _ready(self) -> bool:
        assert self._process is not None
        assert self._process.returncode is None, "it has ended"
        with contextlib.suppress(httpx.TransportError):
            return (await self._client.get(f"{self.url}/-/ready")).is_success
        return False


async def eventually(condition: Callable[[], Awaitable[bool]], patience_s: float = 20.0) -> None:
    """Returns once it holds."""
    async with asyncio.timeout(patience_s):
        while not await condition():  # noqa: ASYNC110 - it is asked over HTTP
            await asyncio.sleep(0.05)
