"""`tidegate ledger`: what became of every record of every raw partition, and whether the books balance."""

import argparse
import asyncio
import time
from collections import defaultdict
from dataclasses import replace
from typing import Any

from aiokafka import TopicPartition
from rich.console import Console
from rich.table import Table

from schemas.frames import source_of
from schemas.topics import RAW_TOPICS, TOPICS, indicators_state
from services.cli.ledger.ledger import Line, SubjectLine, closed
from services.cli.settings import CliSettings
from services.indicators import snapshot
from services.indicators.machine import STORES
from services.ingest.sources.ledger import Ledger, LedgerError, from_metadata
from services.runtime.kafka.broker_io import admin_client
from services.runtime.kafka.kafka_io import consumer, read_compacted, wait_for_broker

GROUP = "ingest"
SUBJECTS = tuple(STORES)
FILE_WIDTH = 180
"""Columns of the table where there is no terminal to fit into."""
Counts = dict[tuple[str, int, int], tuple[int, int, int]]
"""(subject, source, when its books were begun) to (folded, too late, known)."""


def add_commands(commands: Any) -> None:
    """Adds `ledger`."""
    command = commands.add_parser("ledger", help="account for every record, per source partition")
    command.add_argument("--wait", type=float, default=0.0, metavar="S", help="wait so long for the books to balance")
    command.add_argument("--brief", action="store_true", help="one line instead of the table")
    command.set_defaults(run=ledger)


async def ledger(arguments: argparse.Namespace, settings: CliSettings) -> int:
    """0 when every record is accounted for, 1 when not (yet): look at `unread` and `in flight`."""
    await wait_for_broker(settings)
    deadline = time.monotonic() + arguments.wait
    lines = await read_lines(settings)
    while not closed(lines) and time.monotonic() < deadline:
        await asyncio.sleep(0.5)
        lines = await read_lines(settings)
    if arguments.brief:
        print(_sentence(lines))
    else:
        people = Console()
        (people if people.is_terminal else Console(width=FILE_WIDTH)).print(_table(lines))
        print(_sentence(lines))
    for remark in filter(None, (line.remark() for line in lines)):
        print(remark)
    return 0 if closed(lines) else 1


async def read_lines(settings: CliSettings) -> list[Line]:
    """The ledger as of now, by source partition."""
    counts = await _folded(settings)
    ingested = await _ingested(settings)
    client = consumer(settings)
    await client.start()
    try:
        partitions = [
            TopicPartition(settings.prefix + topic, n) for topic in RAW_TOPICS for n in _numbers(settings, topic)
        ]
        starts, ends = await client.beginning_offsets(partitions), await client.end_offsets(partitions)
    finally:
        await client.stop()
    lines = []
    for tp in partitions:
        committed, seen, problem = ingested.get(tp, (0, Ledger(), ""))
        topic = tp.topic.removeprefix(settings.prefix)
        line = _line(topic, tp.partition, starts[tp], ends[tp], committed, seen, counts)
        lines.append(replace(line, problem=problem))
    return lines


def _numbers(settings: CliSettings, topic: str) -> range:
    return range(TOPICS[topic].partitions(settings.partitions))


def _line(topic: str, partition: int, start: int, end: int, committed: int, seen: Ledger, counts: Counts) -> Line:
    source = source_of(topic, partition)
    fates = {name: counts.get((name, source, seen.anew_ms), (0, 0, 0)) for name in SUBJECTS}
    subjects = {name: SubjectLine(seen.routed[name], *fate) for name, fate in fates.items()}
    return Line(
        topic,
        partition,
        start,
        end,
        committed,
        seen.read,
        seen.valid,
        seen.duplicate,
        seen.dead,
        seen.control,
        subjects,
        seen.base,
        seen.anew_ms,
    )


async def _ingested(settings: CliSettings) -> dict[TopicPartition, tuple[int, Ledger, str]]:
    """Ingest's committed offset and counts by partition, or why there are no counts."""
    async with admin_client(settings) as admin:
        offsets = await admin.list_consumer_group_offsets(settings.prefix + GROUP)
    return {tp: _booked(found.offset, found.metadata) for tp, found in offsets.items() if found.offset >= 0}


def _booked(offset: int, metadata: str) -> tuple[int, Ledger, str]:
    try:
        return offset, from_metadata(metadata, offset), ""
    except LedgerError as error:
        return offset, Ledger(), str(error)


async def _folded(settings: CliSettings) -> Counts:
    """What the machines' last snapshots counted, summed over the partitions of each subject."""
    totals: dict[tuple[str, int, int], list[int]] = defaultdict(lambda: [0, 0, 0])
    for subject in SUBJECTS:
        topic = indicators_state(subject)
        for partition in _numbers(settings, topic):
            records = await read_compacted(settings, topic, [partition])
            if (value := records.get(snapshot.MACHINE)) is None:
                continue
            progress = snapshot.decode_progress(value)
            began = {source: since_ms for source, since_ms, *_ in progress.anew}
            for source, folded, late in progress.ledger:
                totals[subject, source, began.get(source, 0)][0] += folded
                totals[subject, source, began.get(source, 0)][1] += late
            for source, since_ms, _, known in progress.anew:
                totals[subject, source, since_ms][2] += known
    return {key: (folded, late, known) for key, (folded, late, known) in totals.items()}


def _table(lines: list[Line]) -> Table:
    table = Table(title="Every record of every raw partition")
    columns = ("partition", "read", "valid", "duplicate", "dead", "control", "unread")
    for name in (*columns, *SUBJECTS, "closed"):
        table.add_column(name, justify="left" if name == "partition" else "right")
    for line in lines:
        counts = (line.read, line.valid, line.duplicate, line.dead, line.control, line.unread)
        numbers = [f"{number:,}" for number in counts]
        subjects = [_fate(line.subjects[name]) for name in SUBJECTS]
        table.add_row(f"{line.topic}/{line.partition}", *numbers, *subjects, "yes" if line.closed else "NO")
    return table


def _fate(subject: SubjectLine) -> str:
    """What was folded, and the rest where there is any."""
    late = f" {subject.too_late:,} late" if subject.too_late else ""
    known = f" {subject.known:,} known" if subject.known else ""
    in_flight = f" {subject.in_flight:+,} in flight" if subject.in_flight else ""
    return f"{subject.folded:,}{late}{known}{in_flight}"


def _sentence(lines: list[Line]) -> str:
    total = {
        name: sum(getattr(line, name) for line in lines) for name in ("read", "valid", "duplicate", "dead", "control")
    }
    counts = ", ".join(f"{number:,} {name}" for name, number in total.items())
    bad = [f"{line.topic}/{line.partition} ({'; '.join(line.why_open())})" for line in lines if not line.closed]
    return f"{counts}: closed" if not bad else f"{counts}: not closed at {', '.join(bad)}"
