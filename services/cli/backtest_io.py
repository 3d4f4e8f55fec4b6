"""`tidegate backtest`: what would have fired on a file or on the raw topics of a cluster, under one policy or two."""

import argparse
import asyncio
import os
import secrets
import sys
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import aclosing, contextmanager
from pathlib import Path
from typing import Any, ClassVar, Final

from pydantic import ValidationError
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from schemas.base import Bilingual, read_instant, to_ms
from schemas.policy import Policy, PolicyRef
from schemas.topics import POLICY
from services.cli.backtest import page, tables
from services.cli.backtest.engine import WARM_UP_MS, Backtest
from services.cli.backtest.files import records_in
from services.cli.backtest.model import Report
from services.cli.backtest.timeline import blocks, boundary
from services.cli.pipeline import RawRecord
from services.cli.policy import PolicyError, read_policy
from services.cli.raw_log_io import raw_log
from services.cli.replay import ReplayError, read_map
from services.cli.settings import CliSettings
from services.indicators.days import Span
from services.ingest.settings import PseudonymKey
from services.runtime.kafka_io import read_compacted, wait_for_broker
from services.runtime.settings import CommonSettings, load

BAD_USAGE: Final = 2
FILE_WIDTH: Final = 160
"""Columns of tables where there is no terminal to fit into."""
_PROGRESS_S: Final = 0.2
Block = tuple[list[RawRecord], int]


class PseudonymSettings(CommonSettings):
    """The one setting of ingest that a backtest may share."""

    own_prefix: ClassVar[str] = "ingest_pseudonym_"

    ingest_pseudonym_key: PseudonymKey | None = None


class BacktestError(ValueError):
    """What there is cannot be tested; the message says why."""


def add_commands(commands: Any) -> None:
    """Adds `backtest`."""
    command = commands.add_parser("backtest", help="what would have fired on a file or on a cluster's raw topics")
    command.add_argument(
        "file",
        type=Path,
        nargs="?",
        help="events as JSON lines, or with --map any CSV or JSON lines; none: the cluster",
    )
    command.add_argument("--map", type=Path, help="how a row of the file becomes events (YAML, as for replay)")
    command.add_argument("--from", dest="start", type=_instant, metavar="TIME", help="report from here on (RFC 3339)")
    command.add_argument("--to", dest="end", type=_instant, metavar="TIME", help="and until here")
    command.add_argument(
        "--policy", metavar="FILE|VERSION", help="without it the active one of the cluster; for a file the defaults"
    )
    command.add_argument("--against", metavar="FILE|VERSION", help="a second policy, to compare with")
    command.add_argument("--json", type=Path, metavar="FILE", help="write the whole report for programs")
    command.add_argument("--html", type=Path, metavar="FILE", help="write one page with pictures")
    command.set_defaults(run=backtest)


def _instant(text: str) -> int:
    try:
        return to_ms(read_instant(text))
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text} {error}") from None


async def backtest(arguments: argparse.Namespace, settings: CliSettings) -> int:
    """0 when done, whatever fired; 1 where the data or a policy cannot be read; 2 for bad usage."""
    if None not in (arguments.start, arguments.end) and arguments.start >= arguments.end:
        print("--from is not before --to", file=sys.stderr)
        return BAD_USAGE
    key = load(PseudonymSettings, os.environ).ingest_pseudonym_key
    given = secrets.token_bytes(32) if key is None else key.get_secret_value().encode()
    try:
        policies = [await _policy(arguments.policy, arguments, settings)]
        if arguments.against is not None:
            policies.append(await _policy(arguments.against, arguments, settings))
        notes = [] if key is not None else [_OWN_NAMES]
        if arguments.file is None:
            report = await _over_cluster(arguments, settings, policies, given, notes)
        else:
            report = await _over_file(arguments, policies, given, notes)
    except (PolicyError, ReplayError, BacktestError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    await asyncio.to_thread(_write, report, arguments)
    return 0


_OWN_NAMES: Final = Bilingual(
    en="TIDEGATE_INGEST_PSEUDONYM_KEY is not set: addresses and accounts have names here that nobody else knows.",
    zh="未设置 TIDEGATE_INGEST_PSEUDONYM_KEY：此处地址与账户的化名与线上不同。",
)


def _write(report: Report, arguments: argparse.Namespace) -> None:
    people = Console()
    console = people if people.is_terminal else Console(width=FILE_WIDTH)
    for each in tables.of(report):
        console.print(each)
    if arguments.json is not None:
        arguments.json.write_text(report.model_dump_json(by_alias=True, indent=1), "utf-8")
    if arguments.html is not None:
        arguments.html.write_text(page.of(report), "utf-8")


# -- what is read


async def _over_file(
    arguments: argparse.Namespace, policies: Sequence[Policy], key: bytes, notes: Sequence[Bilingual]
) -> Report:
    mapping = None if arguments.map is None else read_map(arguments.map)
    records = await asyncio.to_thread(records_in, arguments.file, mapping)
    if arguments.end is not None:
        records = [record for record in records if record.stamp_ms < arguments.end]
    if not records or records[-1].stamp_ms < (arguments.start or 0):
        raise BacktestError(f"{arguments.file}: there is no event in that time to test with")
    window = Span(arguments.start or records[0].stamp_ms, arguments.end or boundary(records[-1].stamp_ms))

    async def found() -> AsyncIterator[Block]:
        for block in blocks(records):
            yield block

    taken = 0

    def progress(records: Sequence[RawRecord]) -> float:
        nonlocal taken
        taken += len(records)
        return taken

    tested = await _through(found(), policies, key, window, len(records), progress)
    return tested.finish(arguments.file.name, notes)


async def _over_cluster(
    arguments: argparse.Namespace,
    settings: CliSettings,
    policies: Sequence[Policy],
    key: bytes,
    notes: Sequence[Bilingual],
) -> Report:
    await wait_for_broker(settings)
    end_ms = arguments.end or time.time_ns() // 1_000_000
    since_ms = 0 if arguments.start is None else max(0, arguments.start - WARM_UP_MS)
    async with raw_log(settings, since_ms, end_ms) as log:
        window = Span(arguments.start or 0, end_ms)
        tested = await _through(log.blocks(), policies, key, window, log.total, lambda _: log.read)
    return tested.finish(f"Kafka, {settings.kafka}", notes)


async def _through(
    found: AsyncIterator[Block],
    policies: Sequence[Policy],
    key: bytes,
    window: Span,
    total: int,
    progress: Callable[[Sequence[RawRecord]], float],
) -> Backtest:
    """A backtest that has taken all blocks. A window that begins at 0 begins with the log."""
    tested: Backtest | None = None
    with _bar(total) as show:
        async with aclosing(found) as all_blocks:  # type: ignore[type-var]
            async for records, end_ms in all_blocks:
                if tested is None:
                    begins_ms = records[0].stamp_ms
                    tested = Backtest(policies, key, Span(window.start or begins_ms, window.end), begins_ms)
                tested.take(records, end_ms)
                show(progress(records))
    if tested is None:
        raise BacktestError("there is no event in that time to test with")
    return tested


@contextmanager
def _bar(total: int) -> Any:
    """A progress bar on a terminal's stderr."""
    console = Console(file=sys.stderr)
    columns = TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn()
    with Progress(*columns, console=console, disable=not console.is_terminal, transient=True) as progress:
        task, next_s = progress.add_task("testing", total=total), 0.0

        def show(done: float) -> None:
            nonlocal next_s
            if time.monotonic() >= next_s:
                next_s = time.monotonic() + _PROGRESS_S
                progress.update(task, completed=done)

        yield show


# -- policies


async def _policy(wanted: str | None, arguments: argparse.Namespace, settings: CliSettings) -> Policy:
    """The policy of a file, of a version on the cluster, or what holds where none is named."""
    if wanted is not None and await asyncio.to_thread(Path(wanted).is_file):
        return read_policy(Path(wanted))
    if wanted is None and arguments.file is not None:
        return Policy(version=1)
    await wait_for_broker(settings)
    known = await read_compacted(settings, POLICY)
    active = known.get(b"active")
    if active is None:
        raise PolicyError("no policy is in force on the cluster; name a file with --policy")
    in_force = PolicyRef.model_validate_json(active)
    label = f"{in_force.name}/{in_force.version}" if wanted is None else wanted
    if label.isdecimal():
        label = f"{in_force.name}/{label}"
    document = known.get(label.encode())
    if document is None:
        raise PolicyError(f"{wanted} is neither a file nor a version of the policy on the cluster")
    try:
        return Policy.model_validate_json(document)
    except ValidationError as error:
        raise PolicyError(f"{label} is no policy of this release: {error}") from error
