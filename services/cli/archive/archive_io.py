"""`tidegate archive`: the raw topics as Parquet files, without personal data, for longer than the topics keep them."""

import argparse
import asyncio
import os
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Final

from aiokafka import TopicPartition
from aiokafka.errors import KafkaError

from schemas.topics import RAW_TOPICS, TOPICS
from services.cli.archive.pieces import OTHER_SYSTEM, ArchiveError, Pieces, by_day
from services.cli.archive.rows import Masking
from services.cli.settings import CliSettings
from services.ingest.reading.records import CONTROL_HEADER, Records
from services.ingest.settings import PseudonymKey
from services.runtime.kafka.kafka_io import SLICE_RECORDS, consumer, wait_for_broker
from services.runtime.settings import CommonSettings, load

if TYPE_CHECKING:
    from services.cli.archive.parquet_io import Filling

HOUR_S: Final = 3600.0
_WAIT_MS: Final = 200


class ArchiveSettings(CommonSettings):
    """The one setting of ingest that an archive shares."""

    own_prefix: ClassVar[str] = "ingest_pseudonym_"

    ingest_pseudonym_key: PseudonymKey


def add_commands(commands: Any) -> None:
    """Adds `archive`."""
    command = commands.add_parser("archive", help="copy the raw topics to Parquet files, without personal data")
    command.add_argument("--to", dest="folder", type=Path, required=True, metavar="DIR", help="goes on where it ended")
    command.add_argument(
        "--follow", type=float, nargs="?", const=HOUR_S, metavar="S", help="and again every S seconds (3600)"
    )
    command.set_defaults(run=archive)


async def archive(arguments: argparse.Namespace, settings: CliSettings) -> int:
    """0 when all that the topics hold is in the archive; 1 where something is not."""
    key = load(ArchiveSettings, os.environ).ingest_pseudonym_key.get_secret_value().encode()
    try:
        return await _rounds(arguments, settings, key)
    except (ArchiveError, OSError) as error:
        print(error, file=sys.stderr)
        return 1


async def _rounds(arguments: argparse.Namespace, settings: CliSettings, key: bytes) -> int:
    from services.cli.archive import parquet_io

    if settings.clock != "wall":
        raise ArchiveError("on the clock of a replay there is nothing to archive: the file that is replayed stays")
    with parquet_io.writing(arguments.folder):
        while True:
            await wait_for_broker(settings)
            there = parquet_io.pieces_in(arguments.folder)
            this_round = _Round(settings, key, there, partial(parquet_io.Filling, arguments.folder))
            try:
                await this_round.run()
            except KafkaError as error:
                this_round.whole = False
                print(f"not archived this time: {str(error) or type(error).__name__}", file=sys.stderr, flush=True)
            if arguments.follow is None:
                return 0 if this_round.whole else 1
            await asyncio.sleep(arguments.follow)


class _Round:
    """Copies what the topics hold now, one source partition after another, so that one at a time is in memory.

    whole: whether all of it is in the archive.
    """

    def __init__(
        self, settings: CliSettings, key: bytes, there: Pieces, fill: Callable[[str, int, int], "Filling"]
    ) -> None:
        self.whole = True
        self._settings = settings
        self._masking = {topic: Masking(topic, key) for topic in RAW_TOPICS}
        self._there = there
        self._fill = fill

    async def run(self) -> None:
        """Says what was done."""
        partitions = [
            TopicPartition(self._settings.prefix + topic, partition)
            for topic in RAW_TOPICS
            for partition in range(TOPICS[topic].partitions(self._settings.partitions))
        ]
        async with consumer(self._settings) as client:
            begins, ends = await client.beginning_offsets(partitions), await client.end_offsets(partitions)
        records = files = 0
        for at in partitions:
            topic = at.topic.removeprefix(self._settings.prefix)
            try:
                done = await self._copy(at, topic, begins[at], ends[at])
            except (ArchiveError, KafkaError, UnicodeDecodeError) as error:
                self._miss(topic, at.partition, str(error) or type(error).__name__)
            else:
                records, files = records + done.records, files + len(done.written)
        print(f"archived {records:,} records in {files} files", flush=True)

    async def _copy(self, at: TopicPartition, topic: str, begin: int, end: int) -> "Filling":
        partition = at.partition
        position = self._there.position(topic, partition)
        if position is None:
            position = begin
        if position > end:
            raise ArchiveError(OTHER_SYSTEM.format(position, end))
        if position < begin:
            self._miss(topic, partition, f"{position} to {begin - 1} were gone before they were archived")
            position = begin
        filling = self._fill(topic, partition, position)
        try:
            async for records in _slices(self._settings, at, position, end):
                for day, some in by_day(records):
                    filling.add(day, self._masking[topic].rows(partition, some), some.next)
        finally:
            filling.finish()
        return filling

    def _miss(self, topic: str, partition: int, why: str) -> None:
        self.whole = False
        print(f"{topic}/{partition}: {why}", file=sys.stderr, flush=True)


async def _slices(settings: CliSettings, at: TopicPartition, position: int, end: int) -> AsyncIterator[Records]:
    """The records from `position` until before `end`.

    By a consumer of its own: one that is given another partition and then stopped may never end (aiokafka 0.14).
    """
    if position == end:
        return
    async with consumer(settings, max_wait_ms=_WAIT_MS) as client:
        client.assign([at])
        client.seek(at, position)
        while position < end:
            polled = await client.getmany(at, timeout_ms=_WAIT_MS, max_records=SLICE_RECORDS)
            found = [each for each in polled.get(at, ()) if each.offset < end]
            reached = min(await client.position(at), end)
            yield _columns(found, position, reached)
            position = reached


def _columns(found: Sequence[Any], first: int, following: int) -> Records:
    return Records(
        first,
        following,
        [each.offset for each in found],
        [each.timestamp for each in found],
        [each.value for each in found],
        {
            index: word or b""
            for index, each in enumerate(found)
            for name, word in each.headers
            if name == CONTROL_HEADER
        },
    )
