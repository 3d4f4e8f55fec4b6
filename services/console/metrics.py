"""The console's metrics, and through them what the indicators read and the figures of the business."""

from collections import Counter as Tally
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from itertools import groupby
from typing import Final
from zoneinfo import ZoneInfo

from prometheus_client import Counter
from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from schemas.goals import Goals
from schemas.readings import Scope
from services.console.state.business import Business, Value, today
from services.console.state.figures import ALL, FIGURES
from services.console.state.readings import Readings
from services.console.state.tallies import Tallies
from services.runtime.machine_metrics import gauge

ORDERS = Counter(
    "tidegate_console_orders_total",
    "People's orders, by command and whether the broker took them.",
    ["command", "sent"],
)
UNREADABLE = Counter("tidegate_console_unreadable_total", "Records that could not be understood, by topic.", ["topic"])
MOST_NAMES: Final = 200
"""Of a scope: those with the most clicks, purchases and complaints."""
MOST_SUBJECTS: Final = 1_000
"""Of an indicator: the first by name."""


class ReadingsCollector(Collector):
    """Tells of the last readings, and of the business day so far. Until it is told whom to ask it tells of nothing."""

    def __init__(self) -> None:
        self._business = Business(Tallies(), Readings())
        self._asked: Callable[[], tuple[Goals, ZoneInfo, datetime]] | None = None

    def watch(self, business: Business, asked: Callable[[], tuple[Goals, ZoneInfo, datetime]]) -> None:
        """asked: the goals and the time zone of the policy in force, and what time it is."""
        self._business, self._asked = business, asked

    def collect(self) -> Iterator[Metric]:
        """All families as they are at this moment."""
        yield from _indicators(self._business.readings)
        yield from _figures(self._values())

    def describe(self) -> Iterator[Metric]:
        """The families without a number."""
        yield from _indicators(Readings())
        yield from _figures([])

    def _values(self) -> list[tuple[Scope, Value]]:
        if self._asked is None:
            return []
        goals, zone, now = self._asked()
        since_ms, until_ms = today(now, zone)
        found: list[tuple[Scope, Value]] = []
        for scope in ALL:
            kept = _busiest(self._business.sums(scope, since_ms, until_ms))
            values = self._business.values(goals, scope, since_ms, until_ms)
            found += [(scope, each) for each in values if each.name in kept]
        return found


def _busiest(sums: Mapping[str, Mapping[str, float]]) -> set[str]:
    def busy(name: str) -> float:
        return sum(sums[name].get(measure, 0.0) for measure in ("clicks", "purchases", "complaints"))

    return set(sorted(sums, key=lambda name: (-busy(name), name))[:MOST_NAMES])


def _indicators(readings: Readings) -> Iterator[Metric]:
    points = sorted(readings.latest())
    told = [each for _, those in groupby(points, lambda each: each[0]) for each in list(those)[:MOST_SUBJECTS]]
    yield gauge(
        "tidegate_indicator_value",
        "The last reading of a subject, when a pane closed; a larger one is worse. None while too little is known.",
        ["indicator", "subject"],
        [((name, subject), point.value) for name, subject, point in told if point.value is not None],
    )
    yield gauge(
        "tidegate_indicator_threshold",
        "What the reading is held against.",
        ["indicator", "subject"],
        [((name, subject), point.threshold) for name, subject, point in told if point.threshold is not None],
    )
    stand: Tally[tuple[str, str]] = Tally((name, point.verdict) for name, _, point in points)
    for name in readings.counted():
        stand.update({(name, word): number for word, number in readings.counts(name).items()})
    yield gauge(
        "tidegate_indicator_verdict",
        "Subjects of an indicator by how they stand: calm, warning, breach, unsure; of complaints also all open ones.",
        ["indicator", "verdict"],
        stand.items(),
    )


def _figures(values: Iterable[tuple[Scope, Value]]) -> Iterator[Metric]:
    told = list(values)
    for figure in FIGURES:
        own = [(scope, each) for scope, each in told if each.figure is figure and each.value is not None]
        yield gauge(
            figure.metric,
            f"{figure.title.en} of the business day so far: {figure.formula.en}.",
            ["scope", "name"],
            [((scope, each.name), each.value or 0.0) for scope, each in own],
        )
    yield gauge(
        "tidegate_business_goal",
        "The year's goal of a figure, where it has one.",
        ["figure", "scope", "name"],
        [((each.figure.id, scope, each.name), each.goal) for scope, each in told if each.goal is not None],
    )
