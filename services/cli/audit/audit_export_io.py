"""`tidegate audit export`: the audit of a time, as a file for somebody outside."""

import argparse
import os
import sys
import time
from collections import OrderedDict
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, aclosing
from datetime import datetime
from hashlib import blake2b
from pathlib import Path
from typing import Any, BinaryIO, Final

from pydantic import ValidationError

from schemas.audit import AuditRecord
from schemas.base import from_ms
from services.auditing.rows import COLUMNS, Approvals, Row, csv_line, json_line, row_of
from services.cli.audit.audit_log_io import AuditLog, every_record, open_audit
from services.cli.moments import MomentError, moment_ms
from services.cli.settings import CliSettings
from services.runtime.kafka.kafka_io import TopicMismatchError

BOM: Final = b"\xef\xbb\xbf"
"""Without it spreadsheets take Chinese for something else."""
REPEATABLE: Final = 2**16
"""Exact repeats are known that far back."""


def add_command(verbs: Any) -> None:
    """Adds `export`."""
    command = verbs.add_parser("export", help="the audit of a time as CSV or JSON lines: who, what, when, why, by whom")
    command.add_argument("--from", dest="since", required=True, metavar="WHEN", help="30d, or an RFC 3339 time")
    command.add_argument("--to", dest="until", default="0s", metavar="WHEN", help="that moment not included; now")
    command.add_argument("--format", choices=("csv", "jsonl"), default="csv")
    command.add_argument("--out", type=Path, metavar="FILE", help="whole or not at all; else standard output")
    command.set_defaults(run=export)


async def export(arguments: argparse.Namespace, settings: CliSettings) -> int:
    """0 when all is written; records that cannot be read are counted and left out, with exit code 1."""
    now_ms = time.time_ns() // 1_000_000
    try:
        since, until = (from_ms(moment_ms(each, now_ms)) for each in (arguments.since, arguments.until))
    except MomentError as error:
        print(error, file=sys.stderr)
        return 2
    line: Callable[[Row], bytes] = json_line if arguments.format == "jsonl" else _as_csv
    head = b"" if arguments.format == "jsonl" else BOM + csv_line(COLUMNS)
    try:
        log = await open_audit(settings)
        exporting = _Export(log, since, until)
        if arguments.out is None:
            await exporting.write(sys.stdout.buffer, head, line)
        else:
            await _whole(arguments.out, exporting, head, line)
    except (OSError, TopicMismatchError) as error:
        print(error, file=sys.stderr)
        return 1
    print(
        f"{exporting.count:,} records from {since:%Y-%m-%d %H:%M:%S} to {until:%Y-%m-%d %H:%M:%S} UTC", file=sys.stderr
    )
    if exporting.unreadable:
        print(f"{exporting.unreadable:,} records could not be read: tidegate audit verify says where", file=sys.stderr)
    return 1 if exporting.unreadable else 0


def _as_csv(row: Row) -> bytes:
    return csv_line([row[name] for name in COLUMNS])


async def _whole(file: Path, exporting: "_Export", head: bytes, line: Callable[[Row], bytes]) -> None:
    half = file.with_name(f"{file.name}.part")
    with half.open("wb") as out:
        await exporting.write(out, head, line)
        out.flush()
        os.fsync(out.fileno())
    half.replace(file)


class _Export:
    """Reads the audit twice: for approvals, which come after what they approve, and for the rows."""

    def __init__(self, log: AuditLog, since: datetime, until: datetime) -> None:
        self.count = 0
        self.unreadable = 0
        self._log, self._since, self._until = log, since, until
        self._approvals = Approvals()

    async def write(self, out: BinaryIO, head: bytes, line: Callable[[Row], bytes]) -> None:
        """All rows, by time as far as each partition is."""
        async with aclosing(every_record(self._log)) as records:
            async for each in records:
                if b'"approve' in (each.value or b"") and (record := _read(each.value)) is not None:
                    self._approvals.add(record)
        out.write(head)
        async with AsyncExitStack() as stack:
            streams = [await stack.enter_async_context(aclosing(self._rows(each))) for each in self._log.ends]
            async for row in _merged(streams):
                out.write(line(row))
                self.count += 1

    async def _rows(self, partition: int) -> AsyncGenerator[tuple[datetime, Row], None]:
        seen: OrderedDict[bytes, None] = OrderedDict()
        async with aclosing(self._log.records(partition)) as records:
            async for each in records:
                record = _read(each.value)
                if record is None:
                    self.unreadable += 1
                    continue
                name = blake2b(each.value, digest_size=16).digest()
                if name in seen or not self._since <= record.at < self._until:
                    continue
                seen[name] = None
                if len(seen) > REPEATABLE:
                    seen.popitem(last=False)
                yield record.at, row_of(record, partition, each.offset, self._approvals.of(record))


async def _merged(streams: Sequence[AsyncGenerator[tuple[datetime, Row], None]]) -> AsyncIterator[Row]:
    """Always the earliest of the next rows of all."""
    waiting = {stream: found for stream in streams if (found := await anext(stream, None)) is not None}
    while waiting:
        stream = min(waiting, key=lambda each: waiting[each][0])
        yield waiting.pop(stream)[1]
        if (found := await anext(stream, None)) is not None:
            waiting[stream] = found


def _read(value: bytes | None) -> AuditRecord | None:
    try:
        return AuditRecord.model_validate_json(value or b"")
    except ValidationError:
        return None
