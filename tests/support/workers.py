"""Toy workers as real processes, and the log they work on."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import uuid
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition

from services.runtime.kafka import kafka_io
from services.runtime.machines.machine import Record
from services.runtime.settings import CommonSettings
from tests.support import toy
from tests.support.waiting import eventually

ROOT = Path(__file__).parents[2]


def new_settings(bootstrap: str) -> CommonSettings:
    """Settings with a prefix of their own."""
    return CommonSettings(kafka=bootstrap, prefix=f"{uuid.uuid4().hex[:8]}.")


class Worker:
    """One toy worker process; its log is a file of JSON lines."""

    def __init__(self, settings: CommonSettings, folder: Path, instance: str = "0", **toy_settings: str) -> None:
        environ = {name: value for name, value in os.environ.items() if not name.startswith(("TIDEGATE_", "TOY_"))}
        environ |= {"TIDEGATE_KAFKA": settings.kafka, "TIDEGATE_PREFIX": settings.prefix}
        environ |= {"TIDEGATE_INSTANCE": instance} | toy_settings
        self._log = folder / f"{instance}-{uuid.uuid4().hex[:4]}.log"
        with self._log.open("wb") as stderr:
            command = [sys.executable, "-m", "tests.support.toy_worker"]
            self.process = subprocess.Popen(command, cwd=ROOT, env=environ, stderr=stderr, stdout=stderr)

    @property
    def pid(self) -> int:
        return self.process.pid

    def events(self, event: str) -> list[dict[str, Any]]:
        """What it has logged whose text begins with `event`."""
        found = []
        for line in self._log.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("{") and line.endswith("}"):
                entry: dict[str, Any] = json.loads(line)
                if entry["event"].startswith(event):
                    found.append(entry)
        return found

    @property
    def text(self) -> str:
        return self._log.read_text(encoding="utf-8", errors="replace")

    async def ready(self, times: int = 1) -> None:
        """It has taken partitions up (for the n-th time)."""
        await eventually(lambda: len(self.events("partitions taken up")) >= times, f"taken up\n{self.text[-3000:]}", 30)

    async def ended(self, timeout_s: float = 30) -> int:
        """Its exit code, as soon as it has one."""
        await eventually(lambda: self.process.poll() is not None, f"the worker's end\n{self.text[-3000:]}", timeout_s)
        return self.process.returncode

    async def stop(self) -> int:
        """SIGTERM, and its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return await self.ended(15)

    def kill(self) -> None:
        """SIGKILL."""
        self.process.kill()
        self.process.wait()

    def freeze(self) -> None:
        """SIGSTOP."""
        self.process.send_signal(signal.SIGSTOP)

    def wake(self) -> None:
        """SIGCONT."""
        self.process.send_signal(signal.SIGCONT)


@asynccontextmanager
async def fleet() -> AsyncIterator[list[Worker]]:
    """A list for workers; whatever still lives in it at the end is killed."""
    workers: list[Worker] = []
    try:
        yield workers
    finally:
        for worker in workers:
            if worker.process.poll() is None:
                worker.kill()


@asynccontextmanager
async def guest(settings: CommonSettings) -> AsyncIterator[None]:
    """Another member of the toy's group, which takes partitions, does nothing with them, and leaves at once."""
    client = AIOKafkaConsumer(
        settings.prefix + toy.LOG,
        bootstrap_servers=settings.kafka,
        group_id=f"{settings.prefix}toy",
        enable_auto_commit=False,
        heartbeat_interval_ms=300,
    )
    await client.start()
    try:
        yield
    finally:
        await client.stop()


async def append(settings: CommonSettings, keys: Iterable[bytes], value: bytes = b"x") -> None:
    """Records on the log, acknowledged."""
    async with kafka_io.producer(settings) as producer:
        sent = [await producer.send(settings.prefix + toy.LOG, value, key) for key in keys]
        await asyncio.gather(*sent)


async def read_all(settings: CommonSettings, topic: str) -> dict[int, list[Record]]:
    """What is in a topic now, by partition."""
    found: dict[int, list[Record]] = {partition: [] for partition in range(settings.partitions)}
    reading = kafka_io.follow(settings, topic)
    async for batch in reading:
        for each in batch.records:
            record = Record(each.offset, each.timestamp_ms, each.key, each.value or b"")
            found[each.partition].append(record)
        if batch.caught_up:
            break
    await reading.aclose()
    return found


async def wait_for_outputs(settings: CommonSettings, count: int, timeout_s: float = 40) -> None:
    """Until so many different outputs are there."""
    seen: set[bytes | None] = set()

    async def read() -> None:
        async for batch in kafka_io.follow(settings, toy.OUT):
            seen.update(each.value for each in batch.records)
            if len(seen) >= count:
                return

    try:
        await asyncio.wait_for(read(), timeout_s)
    except TimeoutError:
        raise AssertionError(f"{len(seen)} of {count} outputs within {timeout_s} s") from None


async def truth(settings: CommonSettings, build: type[toy.Counter] = toy.Counter) -> dict[int, list[bytes]]:
    """By partition, what an undisturbed machine says to the log as it is."""
    return {number: toy.outputs(build(number), log) for number, log in (await read_all(settings, toy.LOG)).items()}


async def given(settings: CommonSettings) -> dict[int, list[bytes]]:
    """By the partition of the log, the outputs in the order in which they came, repeats included."""
    outputs: dict[int, list[tuple[int, bytes]]] = {number: [] for number in range(settings.partitions)}
    for records in (await read_all(settings, toy.OUT)).values():
        for record in records:
            partition, _, offset = record.value.split()[0].partition(b"/")
            outputs[int(partition)].append((int(offset), record.value))
    return {number: [value for _, value in sorted(each)] for number, each in outputs.items()}


async def snapshot(settings: CommonSettings, partition: int) -> dict[bytes, bytes]:
    """The stored snapshot of a partition."""
    return await kafka_io.read_compacted(settings, toy.STATE, [partition])


async def committed(settings: CommonSettings) -> dict[int, int | None]:
    """The group's committed offsets."""
    client = AIOKafkaConsumer(
        bootstrap_servers=settings.kafka, group_id=f"{settings.prefix}toy", enable_auto_commit=False
    )
    await client.start()
    try:
        partitions = [TopicPartition(settings.prefix + toy.LOG, number) for number in range(settings.partitions)]
        return {each.partition: await client.committed(each) for each in partitions}
    finally:
        await client.stop()


async def wait_for_commit(settings: CommonSettings, total: int) -> None:
    """Until the committed offsets of all partitions add up to `total`."""
    for _ in range(100):
        if sum(offset or 0 for offset in (await committed(settings)).values()) == total:
            return
        await asyncio.sleep(0.1)
    raise AssertionError(f"committed {await committed(settings)}, not {total} in all")
