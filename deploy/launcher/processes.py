"""The two kinds of processes that the launcher keeps: one of ours, and the broker."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from deploy.embedded.broker import Broker
from deploy.launcher import words
from deploy.lifeline import Lifeline, tied

_LOG_BYTES = 20 * 1024 * 1024
_LINE_BYTES = 1024 * 1024
_TAIL_LINES = 40

Say = Callable[[str], None]


class Process(Protocol):
    """Something that runs, ends, and can be started again."""

    name: str

    @property
    def pid(self) -> int | None:
        """Of the running process, else None."""

    async def start(self) -> None:
        """Start it; returns when it runs."""

    async def wait(self) -> int:
        """Its return code, once it has ended."""

    async def stop(self, grace_s: float) -> None:
        """Ask it to end, and end it after `grace_s`; nothing when it does not run."""

    def last_words(self) -> list[str]:
        """The end of what it said."""


class PythonProcess:
    """`python -m …` in a process group of its own, its output in a log file.

    `hear` picks of a line what `say` is told as well.
    """

    def __init__(
        self,
        name: str,
        arguments: Sequence[str],
        env: Mapping[str, str],
        log_file: Path,
        lifeline: Lifeline,
        say: Say,
        hear: Callable[[str], str | None] = words.headline,
    ) -> None:
        self.name = name
        self.log_file = log_file
        self._arguments = tuple(arguments)
        self._env = dict(env)
        self._lifeline = lifeline
        self._say = say
        self._pick = hear
        self._tail: deque[str] = deque(maxlen=_TAIL_LINES)
        self._process: asyncio.subprocess.Process | None = None
        self._reader: asyncio.Task[None] | None = None
        self._last_headline: str | None = None

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process is not None and self._process.returncode is None else None

    async def start(self) -> None:
        self._tail.clear()
        self._process = await asyncio.create_subprocess_exec(
            *tied([sys.executable, "-m", *self._arguments]),
            env={**self._env, "PYTHONUNBUFFERED": "1"},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            limit=_LINE_BYTES,
            start_new_session=True,  # a Ctrl-C in the terminal is for us, and we end them in order
        )
        self._lifeline.watch(self._process.pid)
        if self._process.stdout is not None:
            self._reader = asyncio.create_task(self._collect(self._process.stdout))

    async def wait(self) -> int:
        if self._process is None:
            return 0
        code = await self._process.wait()
        pid = self._process.pid
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(pid, signal.SIGKILL)  # what it started must not outlive it
        self._lifeline.release(pid)
        if self._reader is not None:
            await self._reader
        return code

    async def stop(self, grace_s: float) -> None:
        if self._process is None or self.pid is None:
            return
        self._signal(signal.SIGTERM)
        self._signal(signal.SIGCONT)  # one that is frozen cannot hear a SIGTERM
        try:
            async with asyncio.timeout(grace_s):
                await self.wait()
        except TimeoutError:
            self._say(f"{self.name} did not end within {grace_s:.0f} s: killed")
            self._signal(signal.SIGKILL)
            await self.wait()

    def last_words(self) -> list[str]:
        return words.last_words(self._tail)

    def _signal(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError):
            if self._process is not None:
                self._process.send_signal(number)

    async def _collect(self, output: asyncio.StreamReader) -> None:
        self.log_file.parent.mkdir(parents=True, exist_ok=True)
        if self.log_file.exists() and self.log_file.stat().st_size > _LOG_BYTES:
            self.log_file.replace(self.log_file.with_suffix(".log.1"))
        with self.log_file.open("ab", buffering=0) as log:
            while True:
                try:
                    line = await output.readline()
                except ValueError:  # longer than a line of a log has any right to be
                    continue
                if not line:
                    return
                log.write(line)
                self._hear(line.decode(errors="replace"))

    def _hear(self, line: str) -> None:
        self._tail.append(line)
        headline = self._pick(line)
        if headline is not None and headline != self._last_headline:  # once, not every second while it lasts
            self._say(f"{self.name}: {headline}")
        self._last_headline = headline or self._last_headline


class BrokerProcess:
    """The embedded broker, seen as one more process."""

    name = "broker"

    def __init__(self, broker: Broker) -> None:
        self.broker = broker

    @property
    def pid(self) -> int | None:
        return self.broker.pid

    async def start(self) -> None:
        await self.broker.start_async()

    async def wait(self) -> int:
        return await asyncio.to_thread(self.broker.wait)

    async def stop(self, grace_s: float) -> None:
        await asyncio.to_thread(self.broker.stop, grace_s)

    def last_words(self) -> list[str]:
        return [f"see {self.broker.log_file}"]
