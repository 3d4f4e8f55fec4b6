"""One owner per folder."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from deploy.folder_lock import FolderInUseError, FolderLock


def test_a_second_owner_is_refused_until_the_first_lets_go(tmp_path: Path) -> None:
    first, second = FolderLock(tmp_path / "new"), FolderLock(tmp_path / "new")
    first.acquire()
    with pytest.raises(FolderInUseError, match=f"in use by process {os.getpid()}"):
        second.acquire()
    assert (first.held, second.held) == (True, False)
    first.release()
    second.acquire()
    assert second.held
    second.release()


def test_its_owner_may_ask_twice(tmp_path: Path) -> None:
    lock = FolderLock(tmp_path)
    lock.acquire()
    lock.acquire()
    lock.release()
    assert not lock.held
