"""`python -m deploy.figures_page [--check]`: writes docs/figures.md from the registry, or says it is not current."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from deploy import written_page
from schemas.goals import DEFAULT_GOALS, Goal
from services.console.state.figures import FIGURES, Figure

PAGE: Final = Path(__file__).parents[1] / "docs" / "figures.md"
_INTRO: Final = """\
# The figures of the business

Written from the registry by `python -m deploy.figures_page`; do not edit. Twenty figures, of any stretch of whole
hours; the console shows the business day so far. They are shown and never judged: what acts is an
[indicator](indicators.md). § is the chapter of the strategy that asks for one.

    GET /api/v1/figures?scope=channel&since=2026-11-01T00:00:00+08:00     all figures, of each name of the scope
    GET /api/v1/readings/cac_spike?subject=channel:douyin                 how an indicator reads, and its series
    tidegate_business_cac_cny{scope="channel", name="douyin"}             the day so far, among the console's metrics

The year's goals stand in the policy under `goals`; a figure that is named there has these goals and no others:

    goals:
      cac_cny: {all: 300, channel: {douyin: 280}}
      conversion_ratio: {segment: {young: 0.4, middle: 0.35, silver: 0.25, high_net_worth: 0.2}}
"""
_AFTER: Final = """\
## How they are counted

- The indicators count with the events that they judge, by hour of the event's time, and tell the sums of each hour that
  has changed on the topic `readings`: once a minute up to 25 channels of a partition, every five minutes beyond.
  Telling an hour again takes its place, so nothing counts twice, whatever is restarted. Nothing names a person: actors
  and complaints are only counted.
- Every event has a channel. Clicks, spend, conversions, complaints and their answers count for a product where the
  event names one, and clicks, spend, conversions and complaints for a segment; mentions are of the whole, or a product.
- An event that comes up to three days late still counts in its hour; one that comes later is judged, but in no figure.
- A complaint counts in the hour in which it was opened, its answer in the hour of the answer; one that was answered
  before its opening was heard of, and long enough ago that panes have closed over it, is not counted as answered.
- Suspicious clicks: of an address over the limit of `click_fraud`, from the trailing minute in which it tripped until
  its episode ends. What comes in after its pane has closed is not among them.
- A ratio without anything to divide by is not told. The console keeps 31 days of hours (at most 300,000 rows), reads a
  week of them at its start, and tells Prometheus of at most 200 names a scope.
"""


def page() -> str:
    """The whole page."""
    rows = [f"| {' | '.join(_cells(figure))} |" for figure in FIGURES]
    head = ["| figure | 名称 | formula | unit | goal | by | source |", "|---|---|---|---|---|---|---|"]
    return "\n".join([_INTRO, *head, *rows, "", _AFTER])


def _cells(figure: Figure) -> Iterator[str]:
    yield f"**{figure.title.en}**<br>`{figure.id}`"
    yield figure.title.zh
    yield f"{figure.formula.en}<br>{figure.formula.zh}"
    yield {"per_thousand": "per 1,000", "duration": "seconds", "cny": "CNY"}.get(figure.unit, figure.unit)
    yield _goal(figure)
    yield ", ".join(scope for scope in figure.scopes if scope != "all") or "the whole only"
    yield figure.source


def _goal(figure: Figure) -> str:
    sign = "≥" if figure.better == "up" else "≤"
    goal = DEFAULT_GOALS.get(figure.id, Goal())
    own = [f"{segment} {sign} {value:g}" for segment, value in goal.segment.items()]
    return ", ".join([*([f"{sign} {goal.all:g}"] if goal.all is not None else []), *own])


def main() -> int:
    """0 when the page is current or written, 1 when `--check` finds that it is not."""
    return written_page.run("deploy.figures_page", __doc__, PAGE, page)


if __name__ == "__main__":
    sys.exit(main())
