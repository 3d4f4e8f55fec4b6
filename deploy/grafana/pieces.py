"""What a dashboard of ours says, apart from how Grafana writes it down. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

Kind = Literal["lines", "now", "states", "bars"]
"""Series over time; one number; a strip over time for each series; a bar for each series as it is now."""
Step = tuple[float | None, str]
"""From a value on (None: from the beginning) a colour."""
CALM: Final[tuple[Step, ...]] = ((None, "green"),)


@dataclass(frozen=True, slots=True)
class Query:
    """In PromQL, and how its series are called: `{{channel}}`."""

    expr: str
    legend: str = ""


@dataclass(frozen=True, slots=True)
class Panel:
    """says: what it shows and what to make of it. unit: Grafana's name of it. see: the page and heading that tells what
    to do. words: of values that are no numbers to people. width: of 24."""

    title: str
    says: str
    unit: str
    queries: tuple[Query, ...]
    see: str
    steps: tuple[Step, ...] = CALM
    kind: Kind = "lines"
    words: tuple[tuple[str, str], ...] = ()
    width: int = 12
    height: int = 8


def now(panel: Panel) -> Panel:
    """As one number, six to a row."""
    return replace(panel, kind="now", width=4, height=4)


def no_more_than(warning: float, critical: float | None = None) -> tuple[Step, ...]:
    """Green below, orange from `warning` on and red from `critical` on."""
    steps: tuple[Step, ...] = (*CALM, (warning, "orange"))
    return steps if critical is None else (*steps, (critical, "red"))


def none_at_all() -> tuple[Step, ...]:
    """Red from one on."""
    return (*CALM, (1, "red"))


@dataclass(frozen=True, slots=True)
class Row:
    """Panels under one heading."""

    title: str
    panels: Sequence[Panel]


@dataclass(frozen=True, slots=True)
class Choice:
    """A list on top of the page, of the values that a label has. first: what is chosen at first; else all."""

    name: str
    label: str
    query: str
    first: str | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """One dashboard."""

    uid: str
    title: str
    says: str
    rows: Sequence[Row]
    choices: Sequence[Choice] = ()
    since: str = "now-6h"

    def panels(self) -> list[Panel]:
        """Of all rows."""
        return [panel for row in self.rows for panel in row.panels]


@dataclass(frozen=True, slots=True)
class Mark:
    """What is drawn on every chart, from the moment that its query gives something."""

    name: str
    expr: str
    text: str
    colour: str


MARKS: Final = (
    Mark("Trips · 触发", "tidegate:trips:count1m > 0", "{{indicator}}", "orange"),
    Mark("Holds on channels · 渠道限制", "tidegate:channel_holds:new", "{{kind}} {{channel}} ({{by}})", "red"),
    Mark("Other holds · 其他限制", "tidegate:other_holds:new > 0", "{{kind}} {{target_kind}}", "purple"),
)
