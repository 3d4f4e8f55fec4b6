"""`tidegate ledger`: what became of every record of every raw partition, and whether the books balance."""

import argparse
import asyncio
import time
from collections import defaultdict
from typing import Any

from aiokafka import TopicPartition
from rich.console import Console
from rich.table import Table

from schemas.frames import source_of
from schemas.topics import RAW_TOPICS, TOPICS, indicators_state
from services.cli.ledger import Line, SubjectLine, closed
from services.cli.settings import CliSettings
from services.indicators import snapshot
from services.indicators.machine import STORES
from services.ingest.ledger import Ledger, from_metadata
from services.runtime.broker_io import admin_client
from services.runtime.kafka_io import consumer, read_compacted, wait_for_broker

GROUP = "ingest"
SUBJECTS = tuple(STORES)
FILE_WIDTH = 180
"""Columns of the table where there is no terminal to fit into."""
Counts = dict[tuple[str, int], tuple[int, int]]
"""(subject, source) to (folded, too late)."""


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
        committed, seen = ingested.get(tp, (0, Ledger()))
        topic = tp.topic.removeprefix(settings.prefix)
        lines.append(_line(topic, tp.partition, starts[tp], ends[tp], committed, seen, counts))
    return lines


def _numbers(settings: CliSettings, topic: str) -> range:
    return range(TOPICS[topic].partitions(settings.partitions))


def _line(topic: str, partition: int, start: int, end: int, committed: int, seen: Ledger, counts: Counts) -> Line:
    source = source_of(topic, partition)
    subjects = {name: SubjectLine(seen.routed[name], *counts.get((name, source), (0, 0))) for name in SUBJECTS}
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
    )


async def _ingested(settings: CliSettings) -> dict[TopicPartition, tuple[int, Ledger]]:
    """Ingest's committed offset and counts by partition."""
    async with admin_client(settings) as admin:
        offsets = await admin.list_consumer_group_offsets(settings.prefix + GROUP)
    return {tp: (found.offset, from_metadata(found.metadata)) for tp, found in offsets.items() if found.offset >= 0}


async def _folded(settings: CliSettings) -> Counts:
    """What the machines' last snapshots counted, summed over the partitions of each subject."""
    totals: dict[tuple[str, int], list[int]] = defaultdict(lambda: [0, 0])
    for subject in SUBJECTS:
        topic = indicators_state(subject)
        for partition in _numbers(settings, topic):
            records = await read_compacted(settings, topic, [partition])
            if (value := records.get(snapshot.MACHINE)) is None:
                continue
            for source, folded, late in snapshot.decode_progress(value).ledger:
                totals[subject, source][0] += folded
                totals[subject, source][1] += late
    return {key: (folded, late) for key, (folded, late) in totals.items()}


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
    in_flight = f" {subject.in_flight:+,} in flight" if subject.in_flight else ""
    return f"{subject.folded:,}{late}{in_flight}"


def _sentence(lines: list[Line]) -> str:
    total = {
        name: sum(getattr(line, name) for line in lines) for name in ("read", "valid", "duplicate", "dead", "control")
    }
    counts = ", ".join(f"{number:,} {name}" for name, number in total.items())
    bad = [f"{line.topic}/{line.partition}" for line in lines if not line.closed]
    return f"{counts}: closed" if not bad else f"{counts}: not closed at {', '.join(bad)}"
