"""Workers die and freeze at random moments; then every output and the end state must equal the oracle's.

A small version runs with the suite; `HARNESS_CHAOS=40` does so many misfortunes, `HARNESS_SEED` repeats a run.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from deploy.embedded.broker import Broker
from services.runtime.end_io import EXIT_CODE
from services.runtime.kafka import kafka_io
from services.runtime.settings import CommonSettings
from tests.support import toy
from tests.support.waiting import eventually
from tests.support.workers import Worker, fleet, given, new_settings, read_all, snapshot, truth, wait_for_outputs

MISFORTUNES = int(os.environ.get("HARNESS_CHAOS", "6"))
SEED = int(os.environ.get("HARNESS_SEED", str(time.time_ns() % 100_000)))
SESSION_S = 6.0
OPTIONS = {"TOY_MACHINE": "Recent", "TOY_SESSION_S": str(SESSION_S), "TOY_SNAPSHOT_S": "0.7"}


@pytest.fixture
async def settings(broker: Broker) -> CommonSettings:
    """A log of our own."""
    settings = new_settings(broker.bootstrap)
    await kafka_io.ensure_topics(settings)
    return settings


class Supervisor:
    """Restarts workers that end, as the launcher does, and makes them end."""

    def __init__(self, settings: CommonSettings, folder: Path, rng: random.Random, workers: list[Worker]) -> None:
        self._settings = settings
        self._folder = folder
        self._rng = rng
        self._all = workers
        self._alive = {instance: self._start(instance) for instance in ("1", "2")}
        self.ends: list[int] = []
        self.thawed: list[Worker] = []

    def _start(self, instance: str) -> Worker:
        worker = Worker(self._settings, self._folder, instance, **OPTIONS)
        self._all.append(worker)
        return worker

    async def restart_the_dead(self) -> None:
        """Until cancelled."""
        while True:
            for instance, worker in self._alive.items():
                if worker.process.poll() is not None:
                    self.ends.append(worker.process.returncode)
                    self._alive[instance] = self._start(instance)
            await asyncio.sleep(0.05)

    async def strike(self, kind: str) -> None:
        """One misfortune to one worker."""
        victim = self._alive[self._rng.choice(["1", "2"])]
        if kind == "kill":
            victim.process.kill()
            return
        await victim.ready()  # one that owns nothing yet has nothing to lose, and need not end
        victim.freeze()
        await asyncio.sleep(SESSION_S + 2)
        victim.wake()
        self.thawed.append(victim)
        await victim.ended()

    async def whole(self) -> None:
        """Returns once whatever has ended is replaced."""
        await eventually(lambda: all(each.process.poll() is None for each in self._alive.values()), "two workers")

    async def stop(self) -> list[int]:
        """A clean end of both, once they are up."""
        await asyncio.gather(*(worker.ready() for worker in self._alive.values()))
        return list(await asyncio.gather(*(worker.stop() for worker in self._alive.values())))


async def traffic(settings: CommonSettings, stop: asyncio.Event, rng: random.Random) -> AsyncIterator[int]:
    """Live records with bursts among them; yields how many there are so far."""
    total = 0
    async with kafka_io.producer(settings) as producer:
        while not stop.is_set():
            burst = rng.choice([1, 1, 1, 5, 5, 400])
            for _ in range(burst):
                key = b"k%d" % rng.randrange(30)
                value = b"drop" if rng.random() < 0.02 else b"x"
                await producer.send(settings.prefix + toy.LOG, value, key)
            total += burst
            await asyncio.sleep(rng.uniform(0, 0.06))
            yield total
        await producer.flush()


@pytest.mark.timeout(120 + 20 * MISFORTUNES)
async def test_deaths_and_freezes_change_nothing(settings: CommonSettings, tmp_path: Path) -> None:
    print(f"HARNESS_SEED={SEED}")
    rng = random.Random(SEED)
    kinds = ["kill"] * (MISFORTUNES - MISFORTUNES // 6) + ["freeze"] * (MISFORTUNES // 6)
    rng.shuffle(kinds)
    stop = asyncio.Event()
    total = 0

    async def send() -> None:
        nonlocal total
        async for count in traffic(settings, stop, random.Random(SEED + 1)):
            total = count

    async with fleet() as workers:
        supervisor = Supervisor(settings, tmp_path, rng, workers)
        tasks = [asyncio.create_task(send()), asyncio.create_task(supervisor.restart_the_dead())]
        for kind in kinds:
            await asyncio.sleep(rng.uniform(0.5, 3.5))
            await supervisor.strike(kind)
        stop.set()
        await tasks[0]
        await wait_for_outputs(settings, total, timeout_s=60)
        await supervisor.whole()
        tasks[1].cancel()
        assert await supervisor.stop() == [0, 0]
        for woken in supervisor.thawed:
            assert woken.process.poll() == EXIT_CODE, "a worker that woke up went on"
        assert set(supervisor.ends) <= {-9, EXIT_CODE}, [worker.text[-2000:] for worker in workers]

    outputs, wanted = await given(settings), await truth(settings, toy.Recent)
    assert {number: sorted(set(each)) for number, each in outputs.items()} == {
        number: sorted(each) for number, each in wanted.items()
    }
    repeats = sum(map(len, outputs.values())) - total
    print(f"{total} records, {len(supervisor.ends)} ends, {repeats} outputs repeated with equal content")
    for number, log in (await read_all(settings, toy.LOG)).items():
        stored = await snapshot(settings, number)
        oracle = toy.Recent(number)
        toy.outputs(oracle, log[: int(json.loads(stored[b"progress"])["next"])])
        counts = {key.removeprefix(b"count/"): int(value) for key, value in stored.items() if key.startswith(b"count/")}
        assert counts == oracle.counts
