"""One of our services with HTTP, as a process of its own on a free port."""

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import httpx

PATIENCE_S = 30.0


class HttpService:
    """`python -m services.<name>`; its log goes to a file, from which the port is read."""

    def __init__(self, name: str, environ: dict[str, str], log_file: Path) -> None:
        own = {key: value for key, value in os.environ.items() if not key.startswith("TIDEGATE_")}
        self._log_file = log_file
        with log_file.open("wb") as output:
            command = [sys.executable, "-m", f"services.{name}"]
            self.process = subprocess.Popen(command, env=own | environ, stdout=output, stderr=output)
        try:
            self.url = f"http://127.0.0.1:{self._port()}"
        except BaseException:
            self.end(signal.SIGKILL)
            raise

    def log(self) -> str:
        """All that it has written."""
        return self._log_file.read_text()

    def end(self, number: signal.Signals = signal.SIGTERM, patience_s: float = PATIENCE_S) -> int:
        """Sends the signal and waits; the exit code."""
        self.process.send_signal(number)
        return self.process.wait(patience_s)

    def _port(self) -> int:
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline and self.process.poll() is None:
            for line in self.log().splitlines():
                if '"serving HTTP"' in line:
                    return int(json.loads(line)["port"])
            time.sleep(0.02)
        raise RuntimeError(f"it does not serve:\n{self.log()}")


@contextlib.contextmanager
def running(name: str, environ: dict[str, str], log_file: Path) -> Iterator[HttpService]:
    """The service for the length of a `with` block."""
    service = HttpService(name, environ, log_file)
    try:
        yield service
    finally:
        service.end(signal.SIGKILL)


async def until(condition: Callable[[], Awaitable[bool]], patience_s: float = PATIENCE_S) -> None:
    """Returns once the condition holds; TimeoutError if it does not within `patience_s`."""
    async with asyncio.timeout(patience_s):
        while not await condition():  # noqa: ASYNC110 - it is another process that we wait for
            await asyncio.sleep(0.02)


async def until_ready(client: httpx.AsyncClient) -> None:
    """Returns once /readyz says yes."""

    async def ready() -> bool:
        return (await client.get("/readyz")).status_code == 200

    await until(ready)


def ends_badly(name: str, environ: dict[str, str]) -> tuple[int, str]:
    """Starts a service that cannot start; its exit code and what it says."""
    own = {key: value for key, value in os.environ.items() if not key.startswith("TIDEGATE_")}
    command = [sys.executable, "-m", f"services.{name}"]
    done = subprocess.run(command, env=own | environ, capture_output=True, text=True, timeout=60, check=False)
    return done.returncode, done.stderr
