"""Files of signed heads: one for each day, a line for each chain that has moved since the last export.

The first export of a day writes the head of every chain, so the newest file alone says where to go on.
"""

import os
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import aclosing
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from schemas.audit import ChainHead, SignedHead
from services.auditing.checking import Checker, End
from services.auditing.heads import is_signed, line_of, signed
from services.cli.audit.audit_log_io import every_record, open_audit
from services.runtime.machines.chain import ChainName
from services.runtime.settings import CommonSettings

PATTERN: Final = "[0-9]*-[0-9]*-[0-9]*.jsonl"


def lines_in(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Every line of every file, oldest first, with where it is. One that is still being written is left out."""
    for file in sorted(folder.glob(PATTERN)):
        yield from _lines(file)


def _lines(file: Path) -> Iterator[tuple[str, bytes]]:
    with file.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            if line.endswith(b"\n"):
                yield f"{file.name}:{number}", line


async def export_heads(settings: CommonSettings, folder: Path, key: Ed25519PrivateKey) -> tuple[int, Checker]:
    """Follows the chains from where they were signed last, and signs where they stand now: how many, and the check."""
    log = await open_audit(settings)
    checker = Checker(ends=_last_signed(folder, key))
    since: dict[int, int] = defaultdict(int)
    for (_, partition), end in checker.ends.items():
        since[partition] = max(since[partition], end.offset)
    async with aclosing(every_record(log, since)) as records:
        async for record in records:
            checker.take(record.partition, record.offset, record.key, record.value)
    checker.finish(log.ends)
    return write_heads(folder, checker.ends, key), checker


def _last_signed(folder: Path, key: Ed25519PrivateKey) -> dict[ChainName, End]:
    """By the newest file. What we did not sign ourselves counts for nothing: then all is read from the beginning."""
    ends: dict[ChainName, End] = {}
    newest = max(folder.glob(PATTERN), default=None)
    for _, line in [] if newest is None else _lines(newest):
        try:
            head = SignedHead.model_validate_json(line)
        except ValueError:
            continue
        if is_signed(head, [key.public_key()]):
            ends[head.writer, head.partition] = End.signed(head.number, head.digest, head.offset)
    return ends


def write_heads(folder: Path, ends: Mapping[ChainName, End], key: Ed25519PrivateKey) -> int:
    """Signs where these chains stand, and appends that to the file of the day; how many."""
    now = datetime.now(UTC)
    file = folder / f"{now:%Y-%m-%d}.jsonl"
    is_new = not file.exists()
    heads = [
        signed(_head(name, end, now), key) for name, end in sorted(ends.items()) if is_new or end.number > end.since
    ]
    folder.mkdir(parents=True, exist_ok=True)
    if heads:
        (_begin if is_new else _append)(file, b"".join(map(line_of, heads)))
    return len(heads)


def _head(name: ChainName, end: End, at: datetime) -> ChainHead:
    writer, partition = name
    return ChainHead(at=at, writer=writer, partition=partition, number=end.number, digest=end.digest, offset=end.offset)


def _begin(file: Path, lines: bytes) -> None:
    """There whole or not at all: with some chains only it would be taken for the word on all."""
    half = file.with_suffix(".part")
    with half.open("wb") as out:
        _to_disk(out, lines)
    half.replace(file)


def _append(file: Path, lines: bytes) -> None:
    """On disk when this returns. What a death left of a line is cut off first."""
    with file.open("a+b") as out:
        out.seek(0)
        there = out.read()
        if not there.endswith(b"\n"):
            out.truncate(there.rfind(b"\n") + 1)
        _to_disk(out, lines)


def _to_disk(out: BinaryIO, lines: bytes) -> None:
    out.write(lines)
    out.flush()
    os.fsync(out.fileno())
