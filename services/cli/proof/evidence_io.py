"""Reads the raw records that evidence names, each raw partition once."""

import asyncio
import os
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

from aiokafka import TopicPartition
from pydantic import SecretStr

from schemas.base import Bilingual
from schemas.commands import Evidence, SourceRange
from services.cli.proof.material import Material, Raw, Stretch, joined, ranges_of
from services.cli.proof.verify import Difference
from services.cli.settings import CliSettings
from services.indicators.verdicts.tuning import InForce
from services.ingest.frames.routing import Router
from services.ingest.reading.duplicates import window_of
from services.ingest.reading.records import Records
from services.runtime.kafka.kafka_io import SLICE_RECORDS, consumer

Tell = Callable[[int, int], None]
"""Told of so many records read, out of how many."""


class Reader:
    """Reads what some commands under one policy rest on, each raw partition once."""

    def __init__(self, settings: CliSettings, policy: InForce, key: SecretStr | None) -> None:
        # Complaints of one person are told by equal pseudonyms, for which any key serves.
        self._router = Router(
            os.urandom(32) if key is None else key.get_secret_value().encode(), policy.around.policy.shared_addresses
        )
        self._settings = settings
        self._begins: dict[Raw, int] = {}
        self._ends: dict[Raw, int] = {}
        self._short: dict[Raw, set[int]] = defaultdict(set)
        self.material = Material(settings.partitions)

    async def read(self, evidences: Sequence[Evidence], tell: Tell) -> None:
        """All that is there of their ranges."""
        kinds = {each.subject.partition(":")[0] for each in evidences}
        ranges = ranges_of(evidences)
        at = {raw: TopicPartition(self._settings.prefix + raw[0], raw[1]) for raw in ranges}
        async with consumer(self._settings) as client:
            begins, ends = await client.beginning_offsets(at.values()), await client.end_offsets(at.values())
        self._begins = {raw: begins[partition] for raw, partition in at.items()}
        self._ends = {raw: ends[partition] for raw, partition in at.items()}
        stretches = {raw: joined(each for each in ranges[raw] if self._is_there(raw, each)) for raw in at}
        done, total = 0, sum(end - first for each in stretches.values() for first, end, _ in each)
        for raw, found in stretches.items():
            if not found:
                continue
            # One consumer for each, since one that is given another partition may never stop.
            async with consumer(self._settings, max_wait_ms=50) as client:
                client.assign([at[raw]])
                for first, end, edges in found:
                    stretch = Stretch(raw, first, edges, self._router, self._settings.partitions)
                    async for records in self._records(client, at[raw], raw, first, end):
                        self.material.add(raw, stretch.take(records, kinds))
                        tell(done + max(0, records.next - first), total)
                        await asyncio.sleep(0)
                    done += end - first

    def _is_there(self, raw: Raw, wanted: SourceRange) -> bool:
        return self._begins[raw] <= wanted.from_ and wanted.to <= self._ends[raw]

    async def _records(
        self, client: Any, partition: TopicPartition, raw: Raw, first: int, end: int
    ) -> AsyncIterator[Records]:
        """The records of a stretch, and of the time before it in which a duplicate's original may lie."""
        begin = await self._look_back(client, partition, raw, first)
        client.seek(partition, begin)
        while (position := await client.position(partition)) < end:
            polled = await client.getmany(partition, timeout_ms=200, max_records=SLICE_RECORDS)
            found = [each for each in polled.get(partition, ()) if each.offset < end]
            if found:
                yield Records(
                    position,
                    found[-1].offset + 1,
                    [each.offset for each in found],
                    [each.timestamp for each in found],
                    [each.value for each in found],
                )

    async def _look_back(self, client: Any, partition: TopicPartition, raw: Raw, first: int) -> int:
        client.seek(partition, first)
        while not (polled := await client.getmany(partition, timeout_ms=200, max_records=1)):
            if await client.position(partition) >= self._ends[raw]:
                return first
        since = polled[partition][0].timestamp - window_of(raw[0])
        found = (await client.offsets_for_times({partition: since}))[partition]
        begin = first if found is None else min(found.offset, first)
        if begin == self._begins[raw] > 0:
            self._short[raw].add(first)
        return begin

    def missing(self, evidence: Evidence) -> list[Bilingual]:
        """What is not on the log any more."""
        return [
            Bilingual(
                en=f"{each.topic}/{each.partition} begins at offset {begin}: of {each.from_} to {each.to} it has no "
                "longer all",
                zh=f"{each.topic}/{each.partition} 现从偏移量 {begin} 开始，{each.from_} 至 {each.to} 已不完整",
            )
            for each in evidence.sources
            if (begin := self._begins[each.topic, each.partition]) > each.from_
        ]

    def beyond(self, evidence: Evidence) -> list[Difference]:
        """What is named and never was on the log."""
        return [
            Difference("evidence.sources", f"{each.topic}/{each.partition} to offset {each.to}", f"it ends at {end}")
            for each in evidence.sources
            if (end := self._ends[each.topic, each.partition]) < each.to
        ]

    def gaps(self, evidence: Evidence) -> list[Bilingual]:
        """Where the log begins so shortly before a range that an event in it may be a duplicate of one that is gone."""
        return [
            Bilingual(
                en=f"{each.topic}/{each.partition} begins shortly before offset {each.from_}, so a producer's "
                "duplicate may not be known as one",
                zh=f"{each.topic}/{each.partition} 的起点紧邻偏移量 {each.from_}，可能无法识别发送方的重复事件",
            )
            for each in evidence.sources
            if any(first <= each.from_ for first in self._short[each.topic, each.partition])
        ]
