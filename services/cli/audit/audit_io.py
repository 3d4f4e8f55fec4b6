"""`tidegate audit`: check the hash chains of the audit, sign their heads, and hand the audit over to others."""

import argparse
import asyncio
import logging
import sys
from collections.abc import Sequence
from contextlib import aclosing
from pathlib import Path
from typing import Any, Final

from aiokafka.errors import KafkaError
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from services.auditing.checking import Checker
from services.auditing.heads import HOW, BadKeyError, HeadBook, pem_of, private_key, public_key
from services.cli.audit import audit_export_io
from services.cli.audit.audit_heads_io import export_heads, lines_in
from services.cli.audit.audit_log_io import every_record, open_audit
from services.cli.audit.words import lines_of
from services.cli.settings import CliSettings
from services.runtime.kafka.kafka_io import TopicMismatchError
from services.runtime.settings import CommonSettings

log = logging.getLogger(__name__)

EVERY_S: Final = 300.0
BROKEN: Final = 1
BAD_USAGE: Final = 2
NOT_VERIFIABLE: Final = 3


def add_commands(commands: Any) -> None:
    """Adds `audit …`."""
    audit = commands.add_parser("audit", help="check the audit's hash chains, sign their heads, hand the audit over")
    verbs = audit.add_subparsers(required=True, metavar="VERB")
    verbs.add_parser("key", help="print the public half of TIDEGATE_CLI_AUDIT_KEY").set_defaults(run=_key)
    signing = verbs.add_parser("heads", help="sign where the chains stand, in the files of TIDEGATE_CLI_AUDIT_HEADS")
    signing.add_argument(
        "--follow", type=float, nargs="?", const=EVERY_S, metavar="S", help="and again every S seconds (300)"
    )
    signing.set_defaults(run=_heads)
    checking = verbs.add_parser("verify", help="find what was changed, is missing, out of order, cut off or rewritten")
    checking.add_argument("--heads", type=Path, metavar="DIR", help="signed heads (or TIDEGATE_CLI_AUDIT_HEADS)")
    checking.add_argument(
        "--public-key",
        type=Path,
        action="append",
        metavar="FILE",
        help="whose signatures count; once for each key there has been (or that of TIDEGATE_CLI_AUDIT_KEY)",
    )
    checking.set_defaults(run=_verify)
    audit_export_io.add_command(verbs)


async def _key(_: argparse.Namespace, settings: CliSettings) -> int:
    try:
        print(pem_of(_own_key(settings).public_key()), end="")
    except BadKeyError as error:
        return _refuse(error, BAD_USAGE)
    return 0


async def _heads(arguments: argparse.Namespace, settings: CliSettings) -> int:
    """0 when all is signed, 1 when something that was appended since the last time does not follow from it."""
    folder = settings.cli_audit_heads
    if folder is None:
        return _refuse("say where to: TIDEGATE_CLI_AUDIT_HEADS", BAD_USAGE)
    try:
        key = _own_key(settings)
        if arguments.follow is None:
            return await _sign(settings, folder, key)
        while True:
            try:
                await _sign(settings, folder, key)
            except KafkaError as error:
                log.warning("nothing was signed, Kafka went away", extra={"reason": type(error).__name__})
            await asyncio.sleep(arguments.follow)
    except BadKeyError as error:
        return _refuse(error, BAD_USAGE)
    except (OSError, TopicMismatchError) as error:
        return _refuse(error, BROKEN)


async def _sign(settings: CliSettings, folder: Path, key: Ed25519PrivateKey) -> int:
    count, checker = await export_heads(settings, folder, key)
    for finding in checker.findings:
        log.error(f"the audit is broken: {finding}")
    print(f"read {checker.records:,} records, signed {count:,} heads", flush=True)
    return BROKEN if checker.found else 0


async def _verify(arguments: argparse.Namespace, settings: CliSettings) -> int:
    """0 when the audit is as it was written, 1 when not, 3 when that cannot be told."""
    folder = arguments.heads or settings.cli_audit_heads
    try:
        book = None if folder is None else await asyncio.to_thread(read_heads, folder, _keys(arguments, settings))
        checker = await check(settings, book)
    except (BadKeyError, OSError) as error:
        return _refuse(error, NOT_VERIFIABLE)
    except TopicMismatchError as error:
        return _refuse(error, BROKEN)
    print("\n".join(lines_of(checker, book)))
    if checker.found or (book is not None and book.problems):
        return BROKEN
    return 0 if checker.ends and (book is None or book.count) else NOT_VERIFIABLE


async def check(settings: CommonSettings, book: HeadBook | None = None) -> Checker:
    """Goes through the whole audit. Raises TopicMismatchError."""
    audit = await open_audit(settings)
    checker = Checker(None if book is None else book.signed)
    async with aclosing(every_record(audit)) as records:
        async for record in records:
            checker.take(record.partition, record.offset, record.key, record.value)
    checker.finish(audit.ends)
    return checker


def read_heads(folder: Path, keys: Sequence[Ed25519PublicKey]) -> HeadBook:
    """All that is in a folder. Raises OSError."""
    if not folder.is_dir():
        raise NotADirectoryError(f"there is no folder {folder}")
    book = HeadBook(keys)
    for where, line in lines_in(folder):
        book.add(where, line)
    return book


def _keys(arguments: argparse.Namespace, settings: CliSettings) -> list[Ed25519PublicKey]:
    """Whose signatures count. Raises BadKeyError, OSError."""
    if not arguments.public_key:
        return [_own_key(settings).public_key()]
    return [_public_key(file) for file in arguments.public_key]


def _public_key(file: Path) -> Ed25519PublicKey:
    try:
        return public_key(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise BadKeyError(f"{file} {error}") from None


def _own_key(settings: CliSettings) -> Ed25519PrivateKey:
    if settings.cli_audit_key is None:
        raise BadKeyError(f"no audit key is given: TIDEGATE_CLI_AUDIT_KEY or …_KEY_FILE; {HOW}")
    return private_key(settings.cli_audit_key.get_secret_value())


def _refuse(reason: object, code: int) -> int:
    print(reason, file=sys.stderr)
    return code
