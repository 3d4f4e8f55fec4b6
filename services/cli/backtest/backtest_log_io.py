"""What a backtest reads: a file, an archive, the raw topics of a cluster, or an archive and behind it the topics."""

import argparse
import asyncio
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from schemas.base import Bilingual
from schemas.policy import Policy
from services.cli.archive.alike import Alike
from services.cli.archive.archived_log_io import ArchivedLog
from services.cli.archive.naming import too_large
from services.cli.archive.pieces import ArchiveError
from services.cli.backtest.engine import WARM_UP_MS
from services.cli.backtest.files import records_in
from services.cli.backtest.raw_log_io import Archived, raw_log
from services.cli.backtest.reach import Reach
from services.cli.backtest.timeline import Block, blocks, boundary
from services.cli.replay.replay import read_map
from services.cli.settings import CliSettings
from services.indicators.windows.days import Span
from services.runtime.kafka.kafka_io import wait_for_broker


class NothingThereError(ValueError):
    """There is nothing to test with; the message says where."""


@dataclass(frozen=True, slots=True)
class Log:
    """window: what to report on; a start of 0 is where the log begins. total: about how many records there are.
    archived: events carry pseudonyms already. reached: once all is read, what came from where."""

    name: str
    window: Span
    total: int
    blocks: AsyncIterator[Block]
    archived: bool = False
    notes: Sequence[Bilingual] = field(default_factory=list)
    reached: Sequence[Reach] = ()


@asynccontextmanager
async def opened(
    arguments: argparse.Namespace, settings: CliSettings, policies: Sequence[Policy], key: bytes
) -> AsyncIterator[Log]:
    """The log that the arguments name, from as long before their window as indicators look back. key: of pseudonyms."""
    start_ms, end_ms = arguments.start or 0, arguments.end or time.time_ns() // 1_000_000
    since_ms = max(0, start_ms - WARM_UP_MS)
    window = Span(start_ms, end_ms)
    if arguments.file is not None:
        yield await asyncio.to_thread(_file, arguments, start_ms)
    elif arguments.archive is not None:
        archive = ArchivedLog(arguments.archive, since_ms, end_ms)
        name, networks = f"{arguments.archive.name} (archive)", list(_networks(policies))
        if not arguments.topics:
            found, notes = _each(blocks(archive.records())), [*_gaps(archive.gaps), *networks]
            yield Log(name, window, archive.total, found, True, notes, [archive.reach])
            return
        if settings.clock != "wall":
            raise ArchiveError("on the clock of a replay there is no archive")
        await wait_for_broker(settings)
        earlier = Archived(archive.sources(), archive.positions, archive.total, Alike(key))
        async with raw_log(settings, since_ms, end_ms, earlier) as log:
            name, notes = f"{name}, then Kafka, {settings.kafka}", [*_gaps([*archive.gaps, *log.gaps]), *networks]
            yield Log(name, window, log.total, log.blocks(), True, notes, [archive.reach, log.reach])
    else:
        await wait_for_broker(settings)
        async with raw_log(settings, since_ms, end_ms) as log:
            yield Log(f"Kafka, {settings.kafka}", window, log.total, log.blocks(), reached=[log.reach])


def _file(arguments: argparse.Namespace, start_ms: int) -> Log:
    path: Path = arguments.file
    mapping = None if arguments.map is None else read_map(arguments.map)
    records = records_in(path, mapping)
    if arguments.end is not None:
        records = [record for record in records if record.stamp_ms < arguments.end]
    if not records or records[-1].stamp_ms < start_ms:
        raise NothingThereError(f"{path}: there is no event in that time to test with")
    window = Span(start_ms, arguments.end or boundary(records[-1].stamp_ms))
    return Log(path.name, window, len(records), _each(blocks(records)))


async def _each(found: Iterator[Block]) -> AsyncIterator[Block]:
    for block in found:
        yield block


def _gaps(gaps: Sequence[str]) -> list[Bilingual]:
    if not gaps:
        return []
    missing = ", ".join(gaps)
    return [Bilingual(en=f"Never archived, and so not tested: {missing}.", zh=f"未归档、未参与回测：{missing}。")]


def _networks(policies: Sequence[Policy]) -> list[Bilingual]:
    large = sorted({each for policy in policies for each in too_large(policy.shared_addresses)})
    if not large:
        return []
    named = ", ".join(large)
    return [
        Bilingual(
            en=f"Shared networks too large to be told in an archive, whose addresses are judged here: {named}.",
            zh=f"网段过大、无法在归档中识别为共享地址，此处仍被判定：{named}。",
        )
    ]
