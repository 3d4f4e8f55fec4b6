"""The command of a page in docs/ that is written from the code."""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path


def run(module: str, description: str | None, file: Path, page: Callable[[], str]) -> int:
    """0 when the page is current or written, 1 when `--check` finds that it is not."""
    parser = argparse.ArgumentParser(prog=f"python -m {module}", description=description)
    parser.add_argument("--check", action="store_true", help="write nothing, exit 1 where the page is not current")
    if not parser.parse_args().check:
        file.parent.mkdir(exist_ok=True)
        file.write_text(page(), "utf-8")
        return 0
    if file.is_file() and file.read_text("utf-8") == page():
        return 0
    print(f"docs/{file.name} is not current: run python -m {module}", file=sys.stderr)
    return 1
