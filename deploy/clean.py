"""Remove what runs left in the tree: `python -m deploy.clean`. A running system is not swept away under its feet."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from deploy.folder_lock import FolderInUseError, FolderLock

ROOT = Path(__file__).resolve().parents[1]
CACHES = (".pytest_cache", ".mypy_cache", ".ruff_cache", ".hypothesis", "build")


def main() -> int:
    """1 while a system runs on the data that would go."""
    home = ROOT / ".tidegate"
    if home.exists():
        lock = FolderLock(home)
        try:
            lock.acquire()
        except FolderInUseError as error:
            print(f"{error}: stop it first", file=sys.stderr)
            return 1
        shutil.rmtree(home)
        lock.release()
    for name in CACHES:
        shutil.rmtree(ROOT / name, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
