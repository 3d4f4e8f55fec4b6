"""Which days a trailing day is compared with, and what is said of it."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.base import to_ms
from schemas.calendar import CalendarPolicy
from schemas.directory import Label
from schemas.policy import Policy
from services.indicators.subjects.store import Surroundings
from services.indicators.windows.baselines import DAY_MS, Baseline, baseline
from services.indicators.windows.days import Span
from services.indicators.windows.panes import HOUR_MS
from services.runtime.calendar import Calendar

SHANGHAI = ZoneInfo("Asia/Shanghai")
A_NAME = Label(en="Founders' Day", zh="行庆")
CHINA = Calendar(CalendarPolicy(), "Asia/Shanghai")


def _end_of(written: str) -> int:
    """The midnight at which a day of Shanghai ends."""
    day = datetime.fromisoformat(written).replace(tzinfo=SHANGHAI)
    return to_ms(day + timedelta(days=1))


def _compared(calendar: Calendar, written: str, **more: Any) -> tuple[list[str], str]:
    """The dates that the day is compared with, and the note in English."""
    found = baseline(calendar, _end_of(written), **more)
    return _starts(found), found.note.en if found.note else ""


def _starts(found: Baseline) -> list[str]:
    starts = [at for span in found.spans for at in range(span.start, span.end, DAY_MS)]
    return [f"{datetime.fromtimestamp(at // 1000, SHANGHAI):%m-%d}" for at in starts]


@pytest.mark.parametrize(
    ("day", "compared"),
    [
        ("2026-11-25", ["11-18", "11-19", "11-20", "11-23", "11-24"]),
        ("2026-11-28", ["11-21", "11-22"]),
        ("2026-11-29", ["11-22", "11-28"]),
        ("2026-10-03", ["09-26", "09-27", "10-01", "10-02"]),  # the Mid-Autumn Festival and the first two of this one
        ("2026-10-10", ["10-08", "10-09"]),  # a Saturday worked in return, after a week of holidays
        ("2026-11-12", ["11-05", "11-06", "11-09", "11-10"]),  # the day after Double 11 leaves it out
    ],
)
def test_like_is_compared_with_like(day: str, compared: list[str]) -> None:
    assert _compared(CHINA, day) == (compared, "")


@pytest.mark.parametrize(
    ("day", "kind"),
    [
        ("2026-11-11", "shopping day (Double 11)"),
        ("2026-06-19", "holiday (Dragon Boat Festival)"),
        ("2026-10-08", "workday"),
        ("2026-10-11", "weekend"),
    ],
)
def test_with_fewer_than_two_of_a_kind_all_days_are_taken_and_the_note_says_so(day: str, kind: str) -> None:
    end = _end_of(day)
    found = baseline(CHINA, end)
    assert found.spans == (Span(end - 8 * DAY_MS, end - DAY_MS),)
    assert found.note is not None
    assert found.note.en == (
        f"These 24 hours count as a {kind}; with fewer than 2 such days among the 7 before, "
        "they are compared with all of those."
    )


def test_rules_find_the_calendar_of_their_policy() -> None:
    policy = Policy(version=1, time_zone="UTC", calendar=CalendarPolicy(holidays={date(2026, 11, 25): A_NAME}))
    calendar = Surroundings.under(policy).calendar
    kinds = [calendar.at(to_ms(datetime(2026, 11, day, 23, tzinfo=UTC))).kind for day in (24, 25)]
    assert kinds == ["workday", "holiday"]


def test_the_note_is_there_in_chinese() -> None:
    note = baseline(CHINA, _end_of("2026-11-11")).note
    assert note is not None
    assert note.zh == "本时段按购物节（双十一）计，此前 7 天中同类日不足 2 天，因此与全部 7 天比较。"


def test_shopping_days_that_the_policy_names_are_compared_with_each_other() -> None:
    named = {f"11-{day:02}": Label(en="Double 11", zh="双十一") for day in (8, 9, 10, 11)}
    calendar = Calendar(CalendarPolicy(shopping_days=named), "Asia/Shanghai")
    assert _compared(calendar, "2026-11-11") == (["11-08", "11-09", "11-10"], "")


def test_a_day_of_which_nothing_is_known_is_nothing_to_compare_with() -> None:
    begun = _end_of("2026-11-21")
    dates, note = _compared(CHINA, "2026-11-28", usable=lambda day: day.end >= begun)
    assert (dates, note) == (["11-21", "11-22"], "")
    dates, note = _compared(CHINA, "2026-11-28", usable=lambda day: day.end > begun)
    assert len(dates) == 7
    assert "weekend" in note


def test_a_longer_look_back_finds_more() -> None:
    dates, note = _compared(CHINA, "2026-11-28", days=14)
    assert (dates, note) == (["11-14", "11-15", "11-21", "11-22"], "")


@pytest.mark.parametrize(
    ("hour", "compared"),
    [(11, ["09-23", "09-24", "09-28", "09-29"]), (12, ["09-24", "09-25", "09-26"])],
)
def test_a_window_counts_as_the_day_that_it_mostly_lies_in(hour: int, compared: list[str]) -> None:
    """From noon of 1 October on it is a holiday, compared with those of the Mid-Autumn Festival from noon to noon."""
    found = baseline(CHINA, _end_of("2026-09-30") + hour * HOUR_MS)
    assert _starts(found) == compared
    assert found.note is None


def test_where_the_holidays_are_not_known_the_note_says_so() -> None:
    dates, note = _compared(CHINA, "2033-10-05")
    assert dates == ["09-28", "09-29", "09-30", "10-03", "10-04"]
    assert note.startswith("The public holidays of these days are not all known")


def test_two_notes_are_one_text() -> None:
    note = baseline(CHINA, _end_of("2033-11-11")).note
    assert note is not None
    assert "all of those. The public holidays" in note.en
    assert "比较。部分日期" in note.zh


@given(
    st.datetimes(datetime(2025, 1, 1), datetime(2028, 1, 1)),
    st.sampled_from(["Asia/Shanghai", "America/New_York", "Pacific/Apia"]),
    st.integers(2, 30),
    st.sets(st.dates(date(2025, 1, 1), date(2028, 1, 1)), max_size=9),
)
def test_a_baseline_is_whole_days_before_the_window(at: datetime, zone: str, days: int, free: set[date]) -> None:
    calendar = Calendar(CalendarPolicy(holidays=dict.fromkeys(free, A_NAME)), zone)
    now = to_ms(at.replace(tzinfo=SHANGHAI))
    spans = baseline(calendar, now, days=days).spans
    assert all((span.end - span.start) % DAY_MS == (now - span.end) % DAY_MS == 0 for span in spans)
    assert all(before.end < after.start for before, after in pairwise(spans))
    assert now - (days + 1) * DAY_MS <= spans[0].start
    assert spans[-1].end <= now - DAY_MS
    assert sum(span.end - span.start for span in spans) >= 2 * DAY_MS
