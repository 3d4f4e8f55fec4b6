"""The life of one process, with a process that does what the test says."""

from __future__ import annotations

import asyncio
import os
import signal

import pytest

from deploy.launcher.backoff import Backoff
from deploy.launcher.supervisor import StartError, Supervisor

NO_WAIT = Backoff(first=0.0, most=0.0)


class Scripted:
    """Ends with each of `codes` at once, then runs until it is stopped."""

    name = "toy"

    def __init__(self, *codes: int, fails: int = 0) -> None:
        self._codes = list(codes)
        self._fails = fails
        self._stopped = asyncio.Event()
        self.starts = 0
        self.running = asyncio.Event()

    @property
    def pid(self) -> int | None:
        return os.getpid() if self.running.is_set() else None

    async def start(self) -> None:
        self.starts += 1
        if self._fails:
            self._fails -= 1
            raise OSError("no room")
        self._stopped.clear()

    async def wait(self) -> int:
        if self._codes:
            return self._codes.pop(0)
        self.running.set()
        await self._stopped.wait()
        self.running.clear()
        return -signal.SIGTERM

    async def stop(self, grace_s: float) -> None:
        self._stopped.set()

    def last_words(self) -> list[str]:
        return ["Traceback", "KeyError: 'x'"]


async def test_it_is_started_until_it_lives_and_people_are_told_why_it_died() -> None:
    process, said = Scripted(-signal.SIGKILL, 1, 0), list[str]()
    supervisor = Supervisor(process, said.append, NO_WAIT)
    life = asyncio.create_task(supervisor.run())
    await process.running.wait()
    assert (process.starts, supervisor.restarts) == (4, 3)
    assert said[::2] == [
        "toy was killed by SIGKILL",
        "toy ended with code 1\n  Traceback\n  KeyError: 'x'",
        "toy ended",
    ]
    await supervisor.stop(1.0)
    await life
    assert process.starts == 4


async def test_one_that_cannot_even_start_is_tried_again() -> None:
    process, said = Scripted(fails=2), list[str]()
    supervisor = Supervisor(process, said.append, NO_WAIT)
    life = asyncio.create_task(supervisor.run())
    await process.running.wait()
    assert said[0] == "toy did not start (no room)"
    await supervisor.stop(1.0)
    await life


async def test_bad_settings_end_the_start() -> None:
    supervisor = Supervisor(Scripted(2), lambda _: None, NO_WAIT)
    with pytest.raises(StartError, match="toy refuses to start") as caught:
        await supervisor.run()
    assert caught.value.code == 2


async def test_once_it_was_ready_code_two_is_an_end_like_any_other() -> None:
    process = Scripted(2)
    supervisor = Supervisor(process, lambda _: None, NO_WAIT)
    supervisor.proven()
    life = asyncio.create_task(supervisor.run())
    await process.running.wait()
    assert process.starts == 2
    await supervisor.stop(1.0)
    await life


async def test_the_waits_grow_and_a_steady_life_starts_them_anew() -> None:
    process, said = Scripted(1, 1, 1, 1), list[str]()
    moments = iter([0.0, 0.0, 1.0, 1.0, 2.0, 62.0, 63.0, 63.0, 64.0])  # start and end of each life in turn
    supervisor = Supervisor(process, said.append, Backoff(first=0.1, most=0.3), lambda: next(moments))
    life = asyncio.create_task(supervisor.run())
    await process.running.wait()
    assert [line.rpartition(" in ")[2] for line in said[1::2]] == ["0.1 s", "0.2 s", "0.1 s", "0.2 s"]
    await supervisor.stop(1.0)
    await life


async def test_stopping_during_a_wait_does_not_wait_for_its_end() -> None:
    process = Scripted(1)
    told = asyncio.Event()
    supervisor = Supervisor(process, lambda _: told.set(), Backoff(first=3600.0, most=3600.0))
    life = asyncio.create_task(supervisor.run())
    await told.wait()
    async with asyncio.timeout(5):
        await supervisor.stop(1.0)
        await life
    assert process.starts == 1


async def test_a_signal_for_one_that_does_not_run_is_an_error() -> None:
    with pytest.raises(ProcessLookupError, match="toy does not run"):
        Supervisor(Scripted(), lambda _: None).signal(signal.SIGKILL)
