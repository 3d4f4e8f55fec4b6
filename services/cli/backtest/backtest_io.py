"""`tidegate backtest`: what would have fired on a file, an archive or a cluster's topics, under one policy or two."""

import argparse
import asyncio
import json
import secrets
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, aclosing, contextmanager
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from schemas.backtest import Report
from schemas.base import Bilingual
from schemas.policy import Policy
from services.cli.archive.pieces import ArchiveError
from services.cli.backtest import page, tables
from services.cli.backtest.backtest_log_io import Log, NothingThereError, opened
from services.cli.backtest.engine import Backtest
from services.cli.moments import MomentError, moment_ms
from services.cli.policy.policy_io import policy_named
from services.cli.replay.replay import ReplayError
from services.cli.settings import CliSettings
from services.indicators.windows.days import Span
from services.policies.changes import RefusedError
from services.policies.reading import PolicyError

BAD_USAGE: Final = 2
FILE_WIDTH: Final = 160
"""Columns of tables where there is no terminal to fit into."""
_PROGRESS_S: Final = 0.2
Progressing = AbstractContextManager[Callable[[int], None]]
"""Is told of the records of each block."""
_MISTAKES: Final = (PolicyError, RefusedError, ReplayError, ArchiveError, NothingThereError, OSError)
_OWN_NAMES: Final = Bilingual(
    en="TIDEGATE_INGEST_PSEUDONYM_KEY is not set: addresses and accounts have names here that nobody else knows.",
    zh="未设置 TIDEGATE_INGEST_PSEUDONYM_KEY：此处地址与账户的化名与线上不同。",
)

_SHARED_UNKNOWN: Final = Bilingual(
    en="TIDEGATE_INGEST_PSEUDONYM_KEY is not set: the policy's shared addresses cannot be told in an archive, and are "
    "judged like any other.",
    zh="未设置 TIDEGATE_INGEST_PSEUDONYM_KEY：无法在归档中识别策略中的共享地址，此处按普通地址判断。",
)
_TWO_NAMES: Final = Bilingual(
    en="TIDEGATE_INGEST_PSEUDONYM_KEY is not set: in what is read from the topics, addresses and accounts have other "
    "names than in the archive, so whoever is in both counts as two.",
    zh="未设置 TIDEGATE_INGEST_PSEUDONYM_KEY：来自主题的数据中地址与账户的化名与归档不同，两处都出现者按两个计。",
)


def add_commands(commands: Any) -> None:
    """Adds `backtest`."""
    command = commands.add_parser(
        "backtest", help="what would have fired on a file, an archive or the cluster's raw topics"
    )
    command.add_argument(
        "file",
        type=Path,
        nargs="?",
        help="events as JSON lines, or with --map any CSV or JSON lines; none: the cluster",
    )
    command.add_argument("--map", type=Path, help="how a row of the file becomes events (YAML, as for replay)")
    command.add_argument("--archive", type=Path, metavar="DIR", help="what `tidegate archive` has copied")
    command.add_argument("--topics", action="store_true", help="and then the cluster's topics, from where it ends")
    command.add_argument(
        "--from", dest="since", metavar="WHEN", help="report from here on: 7d ago, or an RFC 3339 time"
    )
    command.add_argument("--to", dest="until", metavar="WHEN", help="and until here")
    command.add_argument(
        "--policy",
        metavar="FILE|VERSION|in-force",
        help="without it the one in force; for a file of events the defaults",
    )
    command.add_argument("--against", metavar="FILE|VERSION", help="a second policy, to compare with")
    command.add_argument("--json", type=Path, metavar="FILE", help="write the whole report for programs")
    command.add_argument("--progress", action="store_true", help="say on stderr how far it is, as JSON lines")
    command.add_argument("--html", type=Path, metavar="FILE", help="write one page with pictures")
    command.set_defaults(run=backtest)


async def backtest(arguments: argparse.Namespace, settings: CliSettings) -> int:
    """0 when done, whatever fired; 1 where the data or a policy cannot be read; 2 for bad usage."""
    if problem := _problem_with(arguments):
        print(problem, file=sys.stderr)
        return BAD_USAGE
    try:
        policies = [await _policy(arguments, settings)]
        if arguments.against is not None:
            policies.append(await policy_named(arguments.against, settings))
        known = settings.ingest_pseudonym_key
        key = secrets.token_bytes(32) if known is None else known.get_secret_value().encode()
        async with opened(arguments, settings, policies, key) as log:
            notes = [] if known else _without_key(log, policies)
            progress = _lines if arguments.progress else _bar
            report = await _tested(log, policies, key, notes, progress(log.total))
    except _MISTAKES as error:
        print(error, file=sys.stderr)
        return 1
    await asyncio.to_thread(_write, report, arguments)
    return 0


def _problem_with(arguments: argparse.Namespace) -> str | None:
    """What is wrong with the arguments; works out their times."""
    now_ms = time.time_ns() // 1_000_000
    try:
        arguments.start, arguments.end = (
            None if text is None else moment_ms(text, now_ms) for text in (arguments.since, arguments.until)
        )
    except MomentError as error:
        return str(error)
    if None not in (arguments.start, arguments.end) and arguments.start >= arguments.end:
        return "--from is not before --to"
    if arguments.file is not None and arguments.archive is not None:
        return "a file or --archive, not both"
    if arguments.topics and arguments.archive is None:
        return "--topics goes on behind an --archive; without one they are read anyway"
    return "--map is for a file" if arguments.map is not None and arguments.file is None else None


async def _policy(arguments: argparse.Namespace, settings: CliSettings) -> Policy:
    if arguments.policy is None and arguments.file is not None:
        return Policy(version=1)
    return await policy_named(arguments.policy, settings)


async def _tested(
    log: Log, policies: Sequence[Policy], key: bytes, notes: Sequence[Bilingual], progress: Progressing
) -> Report:
    tested: Backtest | None = None
    with progress as show:
        async with aclosing(log.blocks) as found:  # type: ignore[type-var]
            async for records, end_ms in found:
                if tested is None:
                    begins_ms = records[0].stamp_ms
                    window = Span(log.window.start or begins_ms, log.window.end)
                    tested = Backtest(policies, key, window, begins_ms, archived=log.archived)
                tested.take(records, end_ms)
                show(len(records))
    if tested is None:
        raise NothingThereError(f"{log.name}: there is no event in that time to test with")
    parts = [part for each in log.reached for part in each.within(log.window.start)]
    return tested.finish(log.name, [*notes, *log.notes], parts)


def _without_key(log: Log, policies: Sequence[Policy]) -> list[Bilingual]:
    """In an archive everybody has the name of alerts already; but who is behind a shared address cannot be told."""
    if not log.archived:
        return [_OWN_NAMES]
    shared = [_SHARED_UNKNOWN] if any(policy.shared_addresses for policy in policies) else []
    return [*shared, _TWO_NAMES] if len(log.reached) > 1 else shared


@contextmanager
def _lines(total: int) -> Iterator[Callable[[int], None]]:
    """`{"done": 1200, "total": 5000}` on stderr, for a program that has started this one."""
    done, next_s = 0, 0.0

    def show(records: int) -> None:
        nonlocal done, next_s
        done += records
        if time.monotonic() >= next_s:
            next_s = time.monotonic() + _PROGRESS_S
            print(json.dumps({"done": done, "total": total}), file=sys.stderr, flush=True)

    yield show


@contextmanager
def _bar(total: int) -> Iterator[Callable[[int], None]]:
    """A progress bar on a terminal's stderr, to be told of each block."""
    console = Console(file=sys.stderr)
    columns = TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn()
    with Progress(*columns, console=console, disable=not console.is_terminal, transient=True) as progress:
        task, done, next_s = progress.add_task("testing", total=total), 0, 0.0

        def show(records: int) -> None:
            nonlocal done, next_s
            done += records
            if time.monotonic() >= next_s:
                next_s = time.monotonic() + _PROGRESS_S
                progress.update(task, completed=done)

        yield show


def _write(report: Report, arguments: argparse.Namespace) -> None:
    people = Console()
    console = people if people.is_terminal else Console(width=FILE_WIDTH)
    for each in tables.of(report):
        console.print(each)
    if arguments.json is not None:
        arguments.json.write_text(report.model_dump_json(by_alias=True, indent=1), "utf-8")
    if arguments.html is not None:
        arguments.html.write_text(page.of(report), "utf-8")
