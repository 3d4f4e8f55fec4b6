"""`tidegate dead-letters open`: what was rejected, in the clear, for whoever has ingest's key."""

import argparse
import os
import sys
import time
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path
from typing import Any, BinaryIO

from pydantic import ValidationError

from schemas.dead_letters import DeadLetter
from schemas.topics import DEAD_LETTERS, RAW_TOPICS
from services.cli.letters.letters import CutOffError, Wanted, line_of, place_of
from services.cli.moments import MomentError, moment_ms
from services.cli.settings import CliSettings
from services.ingest.sources.sealing import Sealer, SealError
from services.runtime.kafka.kafka_io import follow, wait_for_broker


def add_commands(commands: Any) -> None:
    """Adds `dead-letters open`."""
    letters = commands.add_parser("dead-letters", help="open what was rejected, to mend it and send it again")
    command = letters.add_subparsers(required=True, metavar="VERB").add_parser(
        "open", help="write the rejected records as lines, which POST /v1/events takes once they are mended"
    )
    command.add_argument("--topic", choices=RAW_TOPICS, help="only of this source")
    command.add_argument("--partition", type=int, help="only of this partition of it")
    command.add_argument("--offset", type=int, help="only the record at this offset")
    command.add_argument("--from", dest="since", default="7d", metavar="WHEN", help="rejected since: 7d, or a time")
    command.add_argument("--out", type=Path, required=True, metavar="FILE", help="new, and for you alone to read")
    command.set_defaults(run=open_letters)


async def open_letters(arguments: argparse.Namespace, settings: CliSettings) -> int:
    """0 when all that were asked for are written; 1 where one could not be, or there are none."""
    key = settings.ingest_dead_letter_key
    if key is None:
        print("only ingest's key opens them: TIDEGATE_INGEST_DEAD_LETTER_KEY, or …_KEY_FILE", file=sys.stderr)
        return 2
    wanted = Wanted(arguments.topic, arguments.partition, arguments.offset)
    try:
        since_ms = moment_ms(arguments.since, time.time_ns() // 1_000_000)
        with _private(arguments.out) as out:
            written, failed = await _write(out, settings, wanted, since_ms, Sealer(key.get_secret_value()))
    except (MomentError, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    print(f"{written:,} records in {arguments.out}; mend them, send them to POST /v1/events, delete the file")
    return 0 if written and not failed else 1


def _private(file: Path) -> BinaryIO:
    """A new file that only its owner can read: there may be personal data in it. Raises OSError."""
    return os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")


async def _write(
    out: BinaryIO, settings: CliSettings, wanted: Wanted, since_ms: int, sealer: Sealer
) -> tuple[int, int]:
    """How many were written, and how many could not be; of each is told what is wrong with it, not what is in it."""
    written = failed = 0
    async for letter in _letters(settings, since_ms):
        if not wanted.has(letter):
            continue
        try:
            out.write(line_of(letter, sealer))
        except (CutOffError, SealError) as error:
            failed += 1
            why = "only its first 64 KB were kept" if isinstance(error, CutOffError) else str(error)
            print(f"left out, {why}: {place_of(letter)}", file=sys.stderr)
        else:
            written += 1
            print(place_of(letter), file=sys.stderr)
    return written, failed


async def _letters(settings: CliSettings, since_ms: int) -> AsyncIterator[DeadLetter]:
    await wait_for_broker(settings)
    async with aclosing(follow(settings, DEAD_LETTERS, since_ms=since_ms)) as batches:
        async for batch in batches:
            for record in batch.records:
                try:
                    yield DeadLetter.model_validate_json(record.value or b"")
                except ValidationError:
                    print(f"not understood: {DEAD_LETTERS} offset {record.offset}", file=sys.stderr)
            if batch.caught_up:
                return
