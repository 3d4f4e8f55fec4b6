"""The files of signed heads: the newest alone says where to go on, so it may never tell of some chains only."""

import os
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from services.auditing.checking import End
from services.cli.audit.audit_heads_io import PATTERN, lines_in, write_heads

KEY = Ed25519PrivateKey.generate()
ENDS = {(f"alerting:{number}", 0): End(number=number, digest="a" * 64, offset=number) for number in range(1, 4)}


def test_a_day_begins_with_all_chains_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError("no space left on the disk")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="no space"):
            write_heads(tmp_path, ENDS, KEY)
    assert list(tmp_path.glob(PATTERN)) == []
    assert write_heads(tmp_path, ENDS, KEY) == 3
    assert len(list(lines_in(tmp_path))) == 3


def test_later_on_a_day_only_what_has_moved_is_added(tmp_path: Path) -> None:
    write_heads(tmp_path, ENDS, KEY)
    moved = {name: End(end.number + 1, "b" * 64, 9, since=end.number) for name, end in list(ENDS.items())[:1]}
    assert (
        write_heads(
            tmp_path, {name: End.signed(end.number, end.digest, end.offset) for name, end in ENDS.items()} | moved, KEY
        )
        == 1
    )
    assert len(list(lines_in(tmp_path))) == 4
