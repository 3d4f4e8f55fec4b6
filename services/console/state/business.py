"""The figures of a stretch of time, with their goals, as pages, programs and metrics are told of them. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from schemas.base import to_ms
from schemas.goals import Goals, goal_of
from schemas.readings import Scope
from services.console.state.figures import FIGURES, Figure, met
from services.console.state.readings import Readings
from services.console.state.tallies import HOUR_MS, Tallies

OPEN: Final = "open_complaints"
_ASKED: Final = "complaint_sla"


@dataclass(frozen=True, slots=True)
class Value:
    """A figure of one name. value: None where there is nothing to divide by, or it is not known."""

    figure: Figure
    name: str
    value: float | None
    goal: float | None

    @property
    def met(self) -> bool | None:
        """Whether the goal is met; None where there is nothing to compare."""
        return met(self.figure, self.value, self.goal)


@dataclass(frozen=True, slots=True)
class Business:
    """What the console knows of the business."""

    tallies: Tallies
    readings: Readings

    def sums(self, scope: Scope, since_ms: int, until_ms: int) -> Mapping[str, Mapping[str, float]]:
        """By name, all that is counted; of the whole also how many complaints are open."""
        found = self.tallies.figures(scope, since_ms, until_ms)
        waiting = self.readings.counts(_ASKED).get("open")
        if scope == "all" and waiting is not None:
            found.setdefault("all", {})[OPEN] = waiting
        return found

    def values(
        self, goals: Goals, scope: Scope, since_ms: int, until_ms: int, only: str | None = None
    ) -> Iterator[Value]:
        """All figures of a scope and stretch, by figure and name. only: of this name alone."""
        sums = self.sums(scope, since_ms, until_ms)
        if only is not None:
            sums = {only: sums[only]} if only in sums else {}
        for figure in FIGURES:
            if scope in figure.scopes:
                for name, counted in sums.items():
                    yield Value(figure, name, figure.of(counted), goal_of(goals, figure.id, scope, name))


def today(now: datetime, zone: ZoneInfo) -> tuple[int, int]:
    """The business day so far, in whole hours: its midnight, and the end of the hour that has begun."""
    midnight = now.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    return to_ms(midnight) // HOUR_MS * HOUR_MS, (to_ms(now) // HOUR_MS + 1) * HOUR_MS
