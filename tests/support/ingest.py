"""Ingest as a real process, what is sent to it, and what comes out of it."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import uuid
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
from aiokafka import TopicPartition

from schemas.dead_letters import DeadLetter
from schemas.events import EVENTS
from schemas.frames import AnyFrame, Mark, decode, int64, source_of
from schemas.policy import Policy, PolicyRef
from schemas.rows import Row
from schemas.topics import DEAD_LETTERS, POLICY
from schemas.topics import frames as frames_topic
from services.ingest.sources.ledger import Ledger, from_metadata
from services.runtime.kafka import kafka_io
from services.runtime.kafka.broker_io import admin_client
from services.runtime.settings import CommonSettings
from tests.support.waiting import eventually

ROOT = Path(__file__).parents[2]
SEAL_KEY = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
PSEUDONYM_KEY = "the pseudonym key of the tests"

Record = tuple[str, int, bytes | None]
"""(raw topic, partition, value)"""


class IngestProcess:
    """One ingest; its log is a file of JSON lines."""

    def __init__(self, settings: CommonSettings, folder: Path, instance: str = "0", **variables: str) -> None:
        environ = {name: value for name, value in os.environ.items() if not name.startswith("TIDEGATE_")}
        environ |= {
            "TIDEGATE_KAFKA": settings.kafka,
            "TIDEGATE_PREFIX": settings.prefix,
            "TIDEGATE_PARTITIONS": str(settings.partitions),
            "TIDEGATE_CLOCK": settings.clock,
            "TIDEGATE_INSTANCE": instance,
            "TIDEGATE_INGEST_PSEUDONYM_KEY": PSEUDONYM_KEY,
            "TIDEGATE_INGEST_DEAD_LETTER_KEY": SEAL_KEY,
            **variables,
        }
        self._log = folder / f"ingest-{instance}-{uuid.uuid4().hex[:4]}.log"
        with self._log.open("wb") as output:
            command = [sys.executable, "-m", "services.ingest"]
            self.process = subprocess.Popen(command, cwd=ROOT, env=environ, stdout=output, stderr=output)

    @property
    def text(self) -> str:
        """All that it has said."""
        return self._log.read_text(encoding="utf-8", errors="replace")

    def said(self, event: str) -> list[dict[str, Any]]:
        """The log entries of an event."""
        entries = (json.loads(line) for line in self.text.splitlines() if line.startswith("{") and line.endswith("}"))
        return [entry for entry in entries if entry["event"] == event]

    async def until_said(self, event: str, times: int = 1, timeout_s: float = 30) -> dict[str, Any]:
        """The n-th entry of an event."""
        await eventually(lambda: len(self.said(event)) >= times, f"{event}\n{self.text[-3000:]}", timeout_s)
        return self.said(event)[times - 1]

    async def get(self, path: str) -> httpx.Response:
        """From its HTTP port."""
        port = (await self.until_said("serving HTTP"))["port"]
        async with httpx.AsyncClient() as client:
            return await client.get(f"http://127.0.0.1:{port}{path}")

    def kill(self) -> None:
        """SIGKILL."""
        self.process.kill()
        self.process.wait()

    async def ended(self, timeout_s: float = 30) -> int:
        """Its exit code, as soon as it has one."""
        await eventually(lambda: self.process.poll() is not None, f"its end\n{self.text[-3000:]}", timeout_s)
        return self.process.returncode

    async def stop(self) -> int:
        """SIGTERM; its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return await self.ended(15)


class Ingests:
    """A system of raw topics, ingest processes, and what they wrote."""

    def __init__(self, settings: CommonSettings, folder: Path) -> None:
        self.settings = settings
        self._folder = folder
        self.processes: list[IngestProcess] = []
        self.sent: list[Record] = []

    def start(self, instance: str = "0", **variables: str) -> IngestProcess:
        """Another process."""
        process = IngestProcess(self.settings, self._folder, instance, **variables)
        self.processes.append(process)
        return process

    async def publish(self, policy: Policy) -> None:
        """Puts a policy in force, as the policy command does."""
        ref = PolicyRef(name=policy.name, version=policy.version)
        async with kafka_io.producer(self.settings) as producer:
            topic = self.settings.prefix + POLICY
            await producer.send_and_wait(topic, policy.model_dump_json().encode(), policy.label.encode())
            await producer.send_and_wait(topic, ref.model_dump_json().encode(), b"active")

    async def send(self, records: Iterable[Record], headers: Sequence[tuple[str, bytes]] = ()) -> None:
        """Appends records, all acknowledged."""
        async with kafka_io.producer(self.settings) as producer:
            pending = []
            for topic, partition, value in records:
                self.sent.append((topic, partition, value))
                name = self.settings.prefix + topic
                pending.append(
                    await producer.send(name, value, partition=partition, headers=list(headers))
                    # A record without value needs a key.
                    if value is not None
                    else await producer.send(name, None, b"key", partition=partition)
                )
            await asyncio.gather(*pending)

    async def frames(self, subject: str) -> dict[int, list[AnyFrame]]:
        """What is on a frames topic now, by partition."""
        found: dict[int, list[AnyFrame]] = {partition: [] for partition in range(self.settings.partitions)}
        reading = kafka_io.follow(self.settings, frames_topic(subject))
        async for batch in reading:
            for each in batch.records:
                found[each.partition].append(decode(each.value or b""))
            if batch.caught_up:
                break
        await reading.aclose()
        return found

    async def rows(self, subject: str) -> list[tuple[int, int]]:
        """(source, offset) of every row as a receiver absorbs them: in the log's order, without what it knows."""
        absorbed = []
        for frames in (await self.frames(subject)).values():
            known: dict[int, int] = {}
            for frame in frames:
                if isinstance(frame, Mark):
                    continue
                offsets = iter(int64(getattr(frame, "offset", b"")).tolist())
                singles: list[Row] = getattr(frame, "rows", None) or getattr(frame, "complaints", [])
                for index, part in enumerate(frame.slices):
                    own = [next(offsets) for _ in range(part.rows)]
                    own += [row.offset for row in singles if row.slice == index]
                    absorbed += [(part.source, offset) for offset in own if offset >= known.get(part.source, 0)]
                    known[part.source] = max(known.get(part.source, 0), part.next)
        return absorbed

    async def marks(self, subject: str = "channel", partition: int = 0) -> list[Mark]:
        """The marks of one partition."""
        return [frame for frame in (await self.frames(subject))[partition] if isinstance(frame, Mark)]

    async def dead_letters(self) -> list[DeadLetter]:
        """All of them, repeats after a restart included."""
        found = []
        reading = kafka_io.follow(self.settings, DEAD_LETTERS)
        async for batch in reading:
            found += [DeadLetter.model_validate_json(each.value or b"") for each in batch.records]
            if batch.caught_up:
                break
        await reading.aclose()
        return found

    async def committed(self) -> dict[tuple[str, int], tuple[int, Ledger]]:
        """(offset, ledger) by (raw topic, partition)."""
        async with admin_client(self.settings) as admin:
            offsets = await admin.list_consumer_group_offsets(f"{self.settings.prefix}ingest")
        return {
            (at.topic.removeprefix(self.settings.prefix), at.partition): (
                each.offset,
                from_metadata(each.metadata, each.offset),
            )
            for at, each in offsets.items()
            if each.offset >= 0
        }

    async def ends(self) -> dict[tuple[str, int], int]:
        """Where the raw partitions end."""
        async with kafka_io.consumer(self.settings) as client:
            wanted = [
                TopicPartition(self.settings.prefix + topic, partition)
                for topic in EVENTS
                for partition in range(self.settings.partitions)
            ]
            ends = await client.end_offsets(wanted)
        return {(at.topic.removeprefix(self.settings.prefix), at.partition): end for at, end in ends.items()}

    async def until_read(self, timeout_s: float = 40) -> dict[tuple[str, int], Ledger]:
        """The ledgers, as soon as everything is read and committed."""
        ends = await self.ends()
        committed: dict[tuple[str, int], tuple[int, Ledger]] = {}
        for _ in range(int(timeout_s * 10)):
            committed = await self.committed()
            if all(committed.get(at, (0, None))[0] == end for at, end in ends.items()):
                return {at: ledger for at, (_, ledger) in committed.items()}
            await asyncio.sleep(0.1)
        said = "\n".join(process.text[-2000:] for process in self.processes)
        raise AssertionError(f"not read within {timeout_s} s: {committed}, ends {ends}\n{said}")

    async def until_mark(self, wanted: Any, what: str, subject: str = "channel", timeout_s: float = 20) -> Mark:
        """The first mark that meets a condition."""

        async def look() -> Mark:
            async for batch in kafka_io.follow(self.settings, frames_topic(subject), [0]):
                for each in batch.records:
                    frame = decode(each.value or b"")
                    if isinstance(frame, Mark) and wanted(frame):
                        return frame
            raise AssertionError("the topic never ends")

        try:
            return await asyncio.wait_for(look(), timeout_s)
        except TimeoutError:
            raise AssertionError(f"no mark {what} within {timeout_s} s") from None

    def source(self, record: Record) -> int:
        """The source partition of a record."""
        return source_of(record[0], record[1])


@asynccontextmanager
async def ingests(bootstrap: str, folder: Path, **settings: Any) -> AsyncIterator[Ingests]:
    """Topics with a prefix of their own, and no process that outlives the block."""
    found = Ingests(CommonSettings(kafka=bootstrap, prefix=f"{uuid.uuid4().hex[:8]}.", **settings), folder)
    await kafka_io.ensure_topics(found.settings)
    try:
        yield found
    finally:
        for process in found.processes:
            if process.process.poll() is None:
                process.kill()
