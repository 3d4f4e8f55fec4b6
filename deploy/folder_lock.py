"""One owner per folder: a lock that the kernel lets go of when its holder ends, however it ends."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path


class FolderInUseError(Exception):
    """Another living process holds the folder."""


class FolderLock:
    """An exclusive lock on `folder`, held from `acquire` to `release` or the end of the process."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "lock"
        self._descriptor: int | None = None

    @property
    def held(self) -> bool:
        """Whether it is ours now."""
        return self._descriptor is not None

    def acquire(self) -> None:
        """Take the lock and leave our pid in it; raises FolderInUseError at once when somebody else holds it."""
        if self.held:
            return
        self._file.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self._file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(descriptor, 32).decode(errors="replace").strip()
            os.close(descriptor)
            raise FolderInUseError(f"{self._file.parent} is in use by process {holder or 'unknown'}") from None
        os.ftruncate(descriptor, 0)
        os.write(descriptor, f"{os.getpid()}\n".encode())
        self._descriptor = descriptor

    def release(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
