"""Baselines that compare like with like: which of the days before a trailing day to hold against, and what to say.

A window of 24 hours counts as the day that it mostly lies in. It is compared with those of the days before that are of
its kind, at the same hours: holidays with holidays, shopping days with shopping days, weekends with weekends, workdays
with workdays. Where fewer than two of them are, all days are taken, and the note says so.
"""

from dataclasses import dataclass
from typing import Final

from schemas.base import Bilingual
from services.indicators.days import Span
from services.indicators.panes import HOUR_MS
from services.runtime.calendar import KINDS, Calendar, CalendarDay

DAY_MS: Final = 24 * HOUR_MS
ENOUGH: Final = 2
"""One day alone is no baseline: what happened on it may be the exception."""


@dataclass(frozen=True, slots=True)
class Baseline:
    """What to compare the 24 hours until a moment with.

    spans: oldest first, none touching the next. note: for people; None when like is compared with like.
    """

    spans: tuple[Span, ...]
    note: Bilingual | None


def baseline(calendar: Calendar, now_ms: int, *, days: int = 7, since_ms: int | None = None) -> Baseline:
    """The days to compare the 24 hours until `now_ms` with; like ones from before `since_ms` do not count.

    since_ms: where the history of the subject begins, None if it is older than the days looked at.
    """
    today = _mostly(calendar, now_ms)
    all_days = [now_ms - back * DAY_MS for back in range(days, 0, -1)]
    alike = [end for end in all_days if _counts(end, since_ms) and _mostly(calendar, end).kind == today.kind]
    notes: list[Bilingual] = []
    if len(alike) < ENOUGH:
        alike = all_days
        notes.append(_nothing_alike(today, days))
    if not all(_mostly(calendar, end).known for end in (*all_days, now_ms)):
        notes.append(_UNKNOWN)
    return Baseline(_joined(alike), _together(notes))


def _mostly(calendar: Calendar, end_ms: int) -> CalendarDay:
    return calendar.at(end_ms - DAY_MS // 2)


def _counts(end_ms: int, since_ms: int | None) -> bool:
    return since_ms is None or since_ms <= end_ms - DAY_MS


def _joined(ends: list[int]) -> tuple[Span, ...]:
    spans: list[Span] = []
    for end in ends:
        if spans and spans[-1].end == end - DAY_MS:
            spans[-1] = Span(spans[-1].start, end)
        else:
            spans.append(Span(end - DAY_MS, end))
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
