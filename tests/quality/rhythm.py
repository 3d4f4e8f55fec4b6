"""When people are awake and at it: the share of a day's traffic that falls into each pane, and how days differ."""

from datetime import date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from schemas.calendar import CalendarPolicy
from services.indicators.windows.panes import PANE_MS
from services.runtime.calendar import Calendar, Kind, moment_ms

ZONE: Final = ZoneInfo("Asia/Shanghai")
PANES_A_DAY: Final = 24 * 3_600_000 // PANE_MS
CALENDAR: Final = Calendar(CalendarPolicy(), "Asia/Shanghai")

_HOURS: Final = (
    *(0.45, 0.25, 0.15, 0.10, 0.10, 0.15, 0.35, 0.70, 1.00, 1.25, 1.35, 1.30),
    *(1.40, 1.25, 1.15, 1.15, 1.15, 1.10, 1.15, 1.45, 1.80, 1.90, 1.60, 0.95),
)
"""By hour in Shanghai: a dent at dawn, noon, and the evening on the sofa."""
TRAFFIC: Final[dict[Kind, float]] = {"workday": 1.0, "weekend": 0.85, "holiday": 0.6, "shopping": 2.5}
BUYING: Final[dict[Kind, float]] = {"workday": 1.0, "weekend": 0.92, "holiday": 0.85, "shopping": 1.25}
"""Purchases and accounts for each click: holidays are for looking, Double 11 for buying."""

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def day_ms(day: date) -> int:
    """Midnight in Shanghai."""
    return moment_ms(day, time(), ZONE)


def dates(first: date, days: int) -> list[date]:
    """Days in a row."""
    return [first + timedelta(days=n) for n in range(days)]


def shape() -> Floats:
    """The share of a day in each of its panes; they add up to one."""
    hours = np.interp(np.arange(PANES_A_DAY) / 12, np.arange(25), (*_HOURS, _HOURS[0]))
    return np.asarray(hours / hours.sum(), np.float64)


def by_day(days: list[date], factors: dict[Kind, float]) -> Floats:
    """What the kind of each day does."""
    return np.array([factors[CALENDAR.day(day).kind] for day in days])


def at(day: date, hour: float) -> int:
    """A moment of a day in Shanghai, in milliseconds."""
    return day_ms(day) + round(hour * 3_600_000)


def written(at_ms: int) -> str:
    """As senders in Shanghai write it."""
    return datetime.fromtimestamp(at_ms / 1000, ZONE).isoformat(timespec="milliseconds")
