"""Keeps processes running: starts again what ended, later each time, and says so."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import Callable

from deploy.embedded.broker import BrokerError
from deploy.launcher import words
from deploy.launcher.backoff import Backoff
from deploy.launcher.processes import Process, Say


class StartError(Exception):
    """The system cannot run as it was asked to; restarting would not help."""

    def __init__(self, message: str, code: int = 1) -> None:
        super().__init__(message)
        self.code = code


class Supervisor:
    """The life of one process. `run` keeps it up until `stop`; `take_down` and `bring_up` are for tests and people."""

    def __init__(
        self, process: Process, say: Say, backoff: Backoff | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.process = process
        self.restarts = 0
        self.on_start: Callable[[], None] = lambda: None
        self._say = say
        self._backoff = backoff or Backoff()
        self._clock = clock
        self._wanted = asyncio.Event()
        self._wanted.set()
        self._ended = asyncio.Event()
        self._stopping = False
        self._proven = False
        self._adopted = False

    @property
    def name(self) -> str:
        return self.process.name

    def proven(self) -> None:
        """It has been ready once: from now on no exit code is taken as a word on its settings."""
        self._proven = True

    def adopt(self) -> None:
        """The process runs already: `run` begins by waiting for its end."""
        self._adopted = True

    async def run(self) -> None:
        """Start it, and again whenever it ends; returns after `stop`. Raises StartError when that is pointless."""
        failures = 0
        while await self._may_run():
            started = self._clock()
            ending = await self._live()
            if self._stopping or not self._wanted.is_set():
                continue
            failures = self._backoff.failures(failures, self._clock() - started)
            delay = self._backoff.delay(failures)
            self.restarts += 1
            self._say(f"{self.name} {ending}")
            self._say(f"{self.name} is started again in {delay:.1f} s")
            await self._pause(delay)

    async def stop(self, grace_s: float) -> None:
        """End it for good."""
        self._stopping = True
        self._wanted.set()
        self._ended.set()
        await self.process.stop(grace_s)

    async def take_down(self, grace_s: float) -> None:
        """End it and do not start it again until `bring_up`."""
        self._wanted.clear()
        await self.process.stop(grace_s)

    def bring_up(self) -> None:
        """Let it run again."""
        self._wanted.set()

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal; ProcessLookupError when it does not run."""
        pid = self.process.pid
        if pid is None:
            raise ProcessLookupError(f"{self.name} does not run")
        os.kill(pid, number)

    async def _may_run(self) -> bool:
        await self._wanted.wait()
        return not self._stopping

    async def _live(self) -> str:
        """One life, from start to end; how it ended."""
        try:
            if not self._adopted:
                await self.process.start()
            self._adopted = False
            self.on_start()
            if self._stopping:  # asked to stop while it was starting
                await self.process.stop(1.0)
            code = await self.process.wait()
        except (BrokerError, OSError) as error:
            return f"did not start ({error})"
        if code == words.BAD_SETTINGS and not self._proven and not self._stopping:
            why = "\n  ".join(self.process.last_words())
            raise StartError(f"{self.name} refuses to start:\n  {why}", words.BAD_SETTINGS)
        said = self.process.last_words()[-3:] if code > 0 else []
        return "\n  ".join([words.ending(code), *said])

    async def _pause(self, delay: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(delay):
                await self._ended.wait()
