"""The calendar of the policy: what kind of day a day is, and how much working time lies between two moments.

Times and waits are milliseconds.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Final, Literal
from zoneinfo import ZoneInfo

from schemas.base import Bilingual, to_ms
from schemas.calendar import CalendarPolicy, HoursBasis
from services.runtime.public_days import PublicDay, UnknownYearError, public_day

Kind = Literal["workday", "weekend", "holiday", "shopping"]

KINDS: Final[dict[Kind, Bilingual]] = {
    "workday": Bilingual(en="workday", zh="工作日"),
    "weekend": Bilingual(en="weekend", zh="周末"),
    "holiday": Bilingual(en="holiday", zh="节假日"),
    "shopping": Bilingual(en="shopping day", zh="购物节"),
}
_TOMORROW: Final = timedelta(days=1)
_DAYS_REMEMBERED: Final = 1024


@dataclass(frozen=True, slots=True)
class CalendarDay:
    """One day.

    kind: a shopping day is one whether it is worked or not, since it moves traffic more than a holiday does. known:
    whether the holidays of its year are; if not, only the day of the week says what it is.
    """

    kind: Kind
    name: Bilingual
    worked: bool
    known: bool


def moment_ms(day: date, at: time, zone: ZoneInfo) -> int:
    """When clocks in the zone first show this; a time that they skip is the moment at which they do."""
    return to_ms(datetime.combine(day, at, zone).astimezone(UTC))


class Calendar:
    """The days and working hours of one policy in one time zone. What it names goes before what the library says."""

    def __init__(self, policy: CalendarPolicy, zone: str) -> None:
        self._policy = policy
        self._zone = ZoneInfo(zone)
        self._own = {day: PublicDay(False, label.bilingual()) for day, label in policy.holidays.items()}
        self._own |= {day: PublicDay(True, None) for day in policy.workdays}
        self._own_years = frozenset(day.year for day in policy.holidays)
        self._day = lru_cache(_DAYS_REMEMBERED)(self._find)
        self._shift = lru_cache(_DAYS_REMEMBERED)(self._find_shift)

    def day(self, day: date) -> CalendarDay:
        """What kind of day this is."""
        return self._day(day)

    def at(self, at_ms: int) -> CalendarDay:
        """The day that a moment falls on."""
        return self._day(self._date(at_ms))

    def _date(self, at_ms: int) -> date:
        return datetime.fromtimestamp(at_ms // 1000, self._zone).date()

    def working_ms(self, from_ms: int, to_ms: int) -> int:
        """How much working time lies between two moments."""
        day, last, total = self._date(from_ms), self._date(to_ms), 0
        while day <= last:
            opens, closes = self._shift(day)
            total += max(0, min(closes, to_ms) - max(opens, from_ms))
            day += _TOMORROW
        return total

    def deadline(self, opened_ms: int, wait_ms: int, basis: HoursBasis) -> int:
        """The first moment at which what was opened then has waited so long."""
        if basis == "natural" or wait_ms == 0:
            return opened_ms + wait_ms
        day, left = self._date(opened_ms), wait_ms
        while True:
            opens, closes = self._shift(day)
            opens = max(opens, opened_ms)
            if closes - opens >= left:
                return opens + left
            left -= max(0, closes - opens)
            day += _TOMORROW

    def cutoff(self, now_ms: int, wait_ms: int, basis: HoursBasis) -> int:
        """What was opened at or before this has waited so long by now; never goes back as `now_ms` goes on."""
        if basis == "natural" or wait_ms == 0:
            return now_ms - wait_ms
        day, left = self._date(now_ms), wait_ms
        while True:
            opens, closes = self._shift(day)
            closes = min(closes, now_ms)
            if closes - opens >= left:
                return closes - left
            left -= max(0, closes - opens)
            day -= _TOMORROW

    def _find(self, day: date) -> CalendarDay:
        public, known = self._public(day)
        worked = day.weekday() < 5 if public is None else public.worked
        festival = None if public is None else public.festival
        shopping = self._policy.shopping_days.get(f"{day}") or self._policy.shopping_days.get(f"{day:%m-%d}")
        if shopping is not None:
            return CalendarDay("shopping", shopping.bilingual(), worked, known)
        if worked:
            return CalendarDay("workday", KINDS["workday"] if festival is None else _in_return(festival), worked, known)
        if festival is not None:
            return CalendarDay("holiday", festival, worked, known)
        return CalendarDay("weekend", KINDS["weekend"], worked, known)

    def _public(self, day: date) -> tuple[PublicDay | None, bool]:
        """What is said of the day, and whether the holidays of its year are known."""
        own = self._own.get(day)
        if self._policy.country is None:
            return own, True
        try:
            official = public_day(day)
        except UnknownYearError:
            return own, day.year in self._own_years
        return own or official, True

    def _find_shift(self, day: date) -> tuple[int, int]:
        """From when to when a day is worked. Kept within the day, which is empty where a zone has skipped it."""
        starts, ends = (moment_ms(each, time(), self._zone) for each in (day, day + _TOMORROW))
        if not self._day(day).worked:
            return starts, starts
        opens = max(starts, moment_ms(day, self._policy.work_from, self._zone))
        return opens, max(opens, min(ends, moment_ms(day, self._policy.work_to, self._zone)))


def _in_return(festival: Bilingual) -> Bilingual:
    return Bilingual(en=f"workday in return for {festival.en}", zh=f"{festival.zh}调休上班")
