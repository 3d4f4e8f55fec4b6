"""`python -m deploy.grafana [--check]` (`make dashboards`): writes the dashboards, or says which are not current."""

import argparse
import sys
from pathlib import Path
from typing import Final

from deploy.grafana.drawing import drawn
from deploy.grafana.pages import PAGES

FOLDER: Final = Path(__file__).parent / "dashboards"


def wanted() -> dict[Path, str]:
    """Every file with what it is to say."""
    return {FOLDER / f"{page.uid}.json": drawn(page) for page in PAGES}


def stale() -> list[str]:
    """The names of files that do not say so, or should not be there."""
    files = wanted()
    there = {path: path.read_text("utf-8") for path in FOLDER.glob("*.json")}
    return sorted(path.name for path in files.keys() | there.keys() if files.get(path) != there.get(path))


def main() -> int:
    """0 when the files are current or written, 1 when `--check` finds one that is not."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing, exit 1 where a file is not current")
    if parser.parse_args().check:
        if names := stale():
            print(f"not current: {', '.join(names)}: run make dashboards", file=sys.stderr)
        return 1 if names else 0
    for path in FOLDER.glob("*.json"):
        path.unlink()
    for path, text in wanted().items():
        path.write_text(text, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
