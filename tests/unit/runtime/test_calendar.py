"""Days and working hours of the policy's calendar."""

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.base import to_ms
from schemas.calendar import CalendarPolicy, HoursBasis
from schemas.directory import Label
from services.runtime.calendar import Calendar

HOUR = 3_600_000
SHANGHAI = ZoneInfo("Asia/Shanghai")
CHINA = Calendar(CalendarPolicy(), "Asia/Shanghai")
A_NAME = Label(en="Founders' Day", zh="行庆")
PLACES = ["Asia/Shanghai", "America/New_York", "Europe/Berlin", "Australia/Lord_Howe", "Asia/Beirut", "America/Havana"]


def _dates(*written: str) -> list[date]:
    """`2025-10-01..08` is eight days."""
    found = []
    for each in written:
        first, _, last = each.partition("..")
        start = date.fromisoformat(first)
        found += [start + timedelta(days=more) for more in range(int(last or start.day) - start.day + 1)]
    return found


# As the State Council published them (国务院办公厅关于 2024、2025、2026 年部分节假日安排的通知).
FREE = _dates(
    "2024-01-01", "2024-02-10..17", "2024-04-04..06", "2024-05-01..05", "2024-06-10", "2024-09-15..17",
    "2024-10-01..07",
    "2025-01-01", "2025-01-28..31", "2025-02-01..04", "2025-04-04..06", "2025-05-01..05", "2025-05-31",
    "2025-06-01..02", "2025-10-01..08",
    "2026-01-01..03", "2026-02-15..23", "2026-04-04..06", "2026-05-01..05", "2026-06-19..21", "2026-09-25..27",
    "2026-10-01..07",
)  # fmt: skip
MADE_UP = _dates(
    "2024-02-04", "2024-02-18", "2024-04-07", "2024-04-28", "2024-05-11", "2024-09-14", "2024-09-29", "2024-10-12",
    "2025-01-26", "2025-02-08", "2025-04-27", "2025-09-28", "2025-10-11",
    "2026-01-04", "2026-02-14", "2026-02-28", "2026-05-09", "2026-09-20", "2026-10-10",
)  # fmt: skip


def test_every_day_of_three_years_is_worked_or_free_as_published() -> None:
    first = date(2024, 1, 1)
    days = [first + timedelta(days=more) for more in range((date(2027, 1, 1) - first).days)]
    worked = [day for day in days if day in MADE_UP or (day.weekday() < 5 and day not in FREE)]
    assert [day for day in days if CHINA.day(day).worked] == worked
    assert all(CHINA.day(day).known for day in days)


@pytest.mark.parametrize(
    ("day", "kind", "en", "zh", "worked"),
    [
        ("2026-10-09", "workday", "workday", "工作日", True),
        ("2026-10-10", "workday", "workday in return for National Day", "国庆节调休上班", True),
        ("2026-10-11", "weekend", "weekend", "周末", False),
        ("2025-10-04", "holiday", "National Day", "国庆节", False),
        ("2026-06-18", "shopping", "618", "618", True),
        ("2028-11-11", "shopping", "Double 11", "双十一", False),
    ],
)
def test_a_day_has_a_kind_and_a_name_in_both_languages(day: str, kind: str, en: str, zh: str, worked: bool) -> None:
    found = CHINA.day(date.fromisoformat(day))
    assert (found.kind, found.name.en, found.name.zh, found.worked) == (kind, en, zh, worked)


def test_of_a_year_that_is_not_known_only_the_day_of_the_week_counts_and_that_is_said() -> None:
    found = [CHINA.day(date(2033, 10, day)) for day in (1, 3)]
    assert [(day.kind, day.known) for day in found] == [("weekend", False), ("workday", False)]
    assert CHINA.day(date(1999, 10, 1)).known is False


def test_the_policy_makes_a_year_known_by_its_holidays_but_not_by_a_workday() -> None:
    policy = CalendarPolicy(holidays={date(2033, 10, 3): A_NAME}, workdays=[date(2033, 10, 8), date(2034, 10, 7)])
    days = [Calendar(policy, "Asia/Shanghai").day(day) for day in _dates("2033-10-03", "2033-10-08", "2034-10-07")]
    assert [(day.kind, day.name.en, day.worked, day.known) for day in days] == [
        ("holiday", "Founders' Day", False, True),
        ("workday", "workday", True, True),
        ("workday", "workday", True, False),
    ]


def test_the_policy_goes_before_the_library() -> None:
    policy = CalendarPolicy(holidays={date(2026, 10, 10): A_NAME}, workdays=[date(2026, 10, 1)])
    calendar = Calendar(policy, "Asia/Shanghai")
    assert calendar.day(date(2026, 10, 10)).name == A_NAME.bilingual()
    assert calendar.day(date(2026, 10, 1)).worked


def test_a_shopping_day_of_one_year_goes_before_that_of_every_year() -> None:
    calendar = Calendar(CalendarPolicy(shopping_days={"11-11": A_NAME, "2026-11-11": Label(en="b", zh="b")}), "UTC")
    assert [calendar.day(date(year, 11, 11)).name.en for year in (2025, 2026)] == ["Founders' Day", "b"]


def test_without_a_country_only_the_policys_days_are_special() -> None:
    calendar = Calendar(CalendarPolicy(country=None, holidays={date(2033, 5, 2): A_NAME}), "Asia/Shanghai")
    kinds = [(calendar.day(day).kind, calendar.day(day).known) for day in _dates("2026-10-01", "2033-05-02")]
    assert kinds == [("workday", True), ("holiday", True)]


def test_a_moment_falls_on_a_day_of_the_zone() -> None:
    last_hour = to_ms(datetime(2026, 9, 30, 23, 30, tzinfo=SHANGHAI))
    assert [CHINA.at(last_hour + more * HOUR).kind for more in (0, 1)] == ["workday", "holiday"]


def _ms(written: str) -> int:
    return to_ms(datetime.fromisoformat(written).replace(tzinfo=SHANGHAI))


@pytest.mark.parametrize(
    ("opened", "hours", "due"),
    [
        ("2026-11-24T10:00", 2, "2026-11-24T12:00"),
        ("2026-11-24T17:00", 2, "2026-11-25T10:00"),
        ("2026-11-24T20:00", 2, "2026-11-25T11:00"),
        ("2026-11-24T16:00", 2, "2026-11-24T18:00"),  # the last moment of a day is still within it
        ("2026-11-27T17:00", 2, "2026-11-30T10:00"),  # over a weekend
        ("2026-09-30T17:00", 2, "2026-10-08T10:00"),  # over the National Day
        ("2026-10-09T17:00", 2, "2026-10-10T10:00"),  # into a Saturday that is worked in return
        ("2026-10-03T12:00", 0, "2026-10-03T12:00"),  # no wait is over at once, on a holiday too
    ],
)
def test_an_answer_is_due_after_working_hours(opened: str, hours: int, due: str) -> None:
    assert CHINA.deadline(_ms(opened), hours * HOUR, "working") == _ms(due)


def test_natural_hours_run_through_everything() -> None:
    opened = _ms("2026-09-30T17:00")
    assert CHINA.deadline(opened, 48 * HOUR, "natural") == opened + 48 * HOUR
    assert CHINA.cutoff(opened, 48 * HOUR, "natural") == opened - 48 * HOUR


def test_a_day_that_a_zone_skipped_has_no_working_hours() -> None:
    apia = Calendar(CalendarPolicy(), "Pacific/Apia")  # 30 December 2011, a Friday, never came
    thursday, saturday = (to_ms(datetime(2011, 12, day, 9, tzinfo=ZoneInfo("Pacific/Apia"))) for day in (29, 31))
    assert apia.day(date(2011, 12, 30)).worked
    assert apia.working_ms(thursday, saturday) == 9 * HOUR


def _calendar(free: set[date], worked: set[date], opens: int, minutes: int, zone: str) -> Calendar:
    closes = min(opens + minutes, 24 * 60 - 1)
    policy = CalendarPolicy(
        holidays=dict.fromkeys(free, A_NAME),
        workdays=sorted(worked - free),
        work_from=time(opens // 60, opens % 60),
        work_to=time(closes // 60, closes % 60),
    )
    return Calendar(policy, zone)


DAYS = st.sets(st.dates(date(2025, 12, 1), date(2027, 2, 1)), max_size=5)
CALENDARS = st.builds(
    _calendar, DAYS, DAYS, st.integers(0, 24 * 60 - 61), st.integers(60, 24 * 60), st.sampled_from(PLACES)
)
MOMENTS = st.integers(_ms("2025-12-01T00:00"), _ms("2027-01-31T00:00"))
WAITS = st.one_of(st.integers(0, 60 * HOUR), st.sampled_from([0, 1, HOUR, 9 * HOUR, 48 * HOUR]))
BASES: list[HoursBasis] = ["natural", "working"]


@given(CALENDARS, MOMENTS, MOMENTS, WAITS, st.sampled_from(BASES))
def test_what_was_opened_by_the_cutoff_is_what_has_passed_its_deadline(
    calendar: Calendar, opened: int, now: int, wait: int, basis: HoursBasis
) -> None:
    due = calendar.deadline(opened, wait, basis)
    for moment in (now, due - 1, due, due + 1):
        assert (opened <= calendar.cutoff(moment, wait, basis)) is (due <= moment)


@given(CALENDARS, MOMENTS, WAITS)
def test_a_deadline_is_the_first_moment_after_so_much_working_time(calendar: Calendar, opened: int, wait: int) -> None:
    due = calendar.deadline(opened, wait, "working")
    assert calendar.working_ms(opened, due) == wait
    assert wait == 0 or calendar.working_ms(opened, due - 1) == wait - 1


@given(CALENDARS, MOMENTS, st.lists(st.integers(0, 20 * 24 * HOUR), min_size=2, max_size=2))
def test_working_time_adds_up(calendar: Calendar, start: int, steps: list[int]) -> None:
    middle, end = start + steps[0], start + sum(steps)
    parts = calendar.working_ms(start, middle) + calendar.working_ms(middle, end)
    assert calendar.working_ms(start, end) == parts
    assert calendar.working_ms(end, start) == 0 or start == end


@pytest.mark.parametrize("zone", PLACES)
@pytest.mark.parametrize("around", ["2026-03-08", "2026-03-29", "2026-04-05", "2026-10-04", "2026-10-25", "2026-11-01"])
def test_working_time_is_what_the_clock_on_the_wall_shows(zone: str, around: str) -> None:
    """Counted minute by minute, over the days on which clocks change somewhere."""
    calendar, place = Calendar(CalendarPolicy(country=None), zone), ZoneInfo(zone)
    start = _ms(f"{around}T00:00") - 3 * 24 * HOUR
    minutes = (datetime.fromtimestamp(start // 1000 + 60 * more, place) for more in range(6 * 24 * 60))
    worked = sum(each.weekday() < 5 and 9 <= each.hour < 18 for each in minutes)
    assert calendar.working_ms(start, start + 6 * 24 * HOUR) == worked * 60_000
