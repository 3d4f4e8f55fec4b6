"""`python -m tests.quality`: what the indicators find, miss and imagine under the default policy; see README.md here.

Exit code 1 where an incident is missed or doubled, or a calm day is disturbed by an order that stops something.
"""

import argparse
import json
import sys
from pathlib import Path

from rich.console import Console

from tests.quality.measure import measure
from tests.quality.picture import draw
from tests.quality.report import tables

_BUILD = Path(__file__).parents[2] / "build"


def main() -> int:
    """Measures, prints, writes build/quality.json and build/quality.svg."""
    parser = argparse.ArgumentParser(prog="python -m tests.quality")
    parser.add_argument("--seed", type=int, default=1001, help="of the first story; 1 to 20 are for tuning")
    parser.add_argument("--stories", type=int, default=12)
    parser.add_argument("--calm", type=int, default=6, help="stretches of calm, each with channels of its own")
    parser.add_argument("--channels", type=int, default=50, help="in each of these")
    parser.add_argument("--days", type=int, default=100, help="of each of these")
    given = parser.parse_args()
    stories, calm = range(given.seed, given.seed + given.stories), range(given.seed, given.seed + given.calm)
    told = Console(stderr=True)
    measured = measure(stories, calm, given.channels, given.days, lambda what: told.print(what, style="dim"))
    _BUILD.mkdir(exist_ok=True)
    document = {"seeds": {"stories": list(stories), "calm": list(calm)}, **measured.as_json()}
    (_BUILD / "quality.json").write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", "utf-8")
    (_BUILD / "quality.svg").write_text(draw(measured), "utf-8")
    console = Console(width=150)
    for table in tables(measured):
        console.print(table)
    wrong = [each for score in measured.stories.values() for each in (*score.missed, *score.doubled)]
    return int(bool(wrong) or measured.pauses() > 0)


if __name__ == "__main__":
    sys.exit(main())
