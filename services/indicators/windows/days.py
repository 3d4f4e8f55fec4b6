"""Business days: the stretch of time that "today" means in the policy's time zone."""

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from services.runtime.calendar import moment_ms


class Span(NamedTuple):
    """A stretch of event time in milliseconds, `start` inclusive, `end` exclusive."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Day:
    """One business day: its date (`2026-11-23`) and its span, 23 to 25 hours long."""

    date: str
    span: Span


class Days:
    """The business days of one time zone."""

    def __init__(self, zone: str) -> None:
        self.zone = ZoneInfo(zone)
        self._last = Day("", Span(0, 0))

    def of(self, at_ms: int) -> Day:
        """The day that a moment falls on."""
        if not self._last.span.start <= at_ms < self._last.span.end:
            self._last = self._find(at_ms)
        return self._last

    def _find(self, at_ms: int) -> Day:
        date = self.local(at_ms).date()
        start, end = (moment_ms(each, time(), self.zone) for each in (date, date + timedelta(days=1)))
        return Day(date.isoformat(), Span(start, end))

    def local(self, at_ms: int) -> datetime:
        """A moment as people in the zone read it."""
        return datetime.fromtimestamp(at_ms // 1000, self.zone)
