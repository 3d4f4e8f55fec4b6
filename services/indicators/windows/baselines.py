"""Baselines that compare like with like: which of the days before a trailing day to hold against, and what to say.

A window of 24 hours counts as the day that it mostly lies in. It is compared with those of the days before that are of
its kind, at the same hours: holidays with holidays, shopping days with shopping days, weekends with weekends, workdays
with workdays. Where fewer than two of them are, all days are taken, and the note says so.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

from schemas.base import Bilingual
from services.indicators.windows.days import Span
from services.indicators.windows.panes import HOUR_MS
from services.runtime.calendar import KINDS, Calendar, CalendarDay

DAY_MS: Final = 24 * HOUR_MS
ENOUGH: Final = 2
"""One day alone is no baseline: what happened on it may be the exception."""
_MOMENTS: Final = 8
"""Remembered: panes close one after the other."""


@dataclass(frozen=True, slots=True)
class Baseline:
    """What to compare the 24 hours until a moment with.

    spans: oldest first, none touching the next. note: for people, where like could not be compared with like, or may
    not have been; otherwise None.
    """

    spans: tuple[Span, ...]
    note: Bilingual | None


def baseline(
    calendar: Calendar, now_ms: int, *, days: int = 7, usable: Callable[[Span], bool] = lambda _: True
) -> Baseline:
    """The days to compare the 24 hours until `now_ms` with.

    usable: whether anything is known of a day: one of which nothing is, is none of the like ones.
    """
    week = _week(calendar, now_ms, days)
    alike = tuple(span for span in week.alike if usable(span))
    if len(alike) < ENOUGH:
        return week.whole
    known = week.like.get(alike)
    if known is None:
        known = week.like[alike] = Baseline(_joined(alike), week.note)
    return known


@dataclass(frozen=True, slots=True)
class _Week:
    """What all channels have in common at a moment: there are hundreds, and rules ask for each.

    alike: the days of the kind of the trailing one. whole: to compare with where too few of them are usable. like: by
    the days that are. note: on those.
    """

    alike: tuple[Span, ...]
    whole: Baseline
    note: Bilingual | None
    like: dict[tuple[Span, ...], Baseline] = field(default_factory=dict)


@lru_cache(_MOMENTS)
def _week(calendar: Calendar, now_ms: int, days: int) -> _Week:
    ends = [now_ms - back * DAY_MS for back in range(days, 0, -1)]
    before = {Span(end_ms - DAY_MS, end_ms): _mostly(calendar, end_ms) for end_ms in ends}
    today = _mostly(calendar, now_ms)
    doubts = [] if all(day.known for day in (today, *before.values())) else [_UNKNOWN]
    whole = Baseline(_joined(before), _together([_nothing_alike(today, days), *doubts]))
    alike = tuple(span for span, day in before.items() if day.kind == today.kind)
    return _Week(alike, whole, _together(doubts))


def _mostly(calendar: Calendar, end_ms: int) -> CalendarDay:
    return calendar.at(end_ms - DAY_MS // 2)


def _joined(days: Iterable[Span]) -> tuple[Span, ...]:
    spans: list[Span] = []
    for day in days:
        if spans and spans[-1].end == day.start:
            spans[-1] = Span(spans[-1].start, day.end)
        else:
            spans.append(day)
    return tuple(spans)


def _nothing_alike(today: CalendarDay, days: int) -> Bilingual:
    kind, name = KINDS[today.kind], today.name
    named_en, named_zh = ("", "") if name == kind else (f" ({name.en})", f"（{name.zh}）")
    return Bilingual(
        en=f"These 24 hours count as a {kind.en}{named_en}; with fewer than {ENOUGH} such days among the {days} "
        "before, they are compared with all of those.",
        zh=f"本时段按{kind.zh}{named_zh}计，此前 {days} 天中同类日不足 {ENOUGH} 天，因此与全部 {days} 天比较。",
    )


_UNKNOWN: Final = Bilingual(
    en="The public holidays of these days are not all known yet; where they are not, only the day of the week counts.",
    zh="部分日期的放假安排尚未收录，仅按星期区分。",
)


def _together(notes: list[Bilingual]) -> Bilingual | None:
    if not notes:
        return None
    return Bilingual(en=" ".join(each.en for each in notes), zh="".join(each.zh for each in notes))
