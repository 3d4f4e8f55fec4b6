"""Readings as series, and hourly sums as figures: what is kept, for how long, and what telling again changes."""

from datetime import UTC, datetime
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.base import from_ms
from schemas.goals import Goal
from schemas.readings import Reading, ReadingVerdict, Tally
from services.console.state import readings as kept
from services.console.state.business import Business, today
from services.console.state.figures import BY_ID, FIGURES, met
from services.console.state.readings import Point, Readings
from services.console.state.tallies import MOST_HOURS, Tallies

NOW = 1_795_400_100_000
MINUTE, HOUR = 60_000, 3_600_000


def reading(at_ms: int, value: float | None, verdict: ReadingVerdict = "calm", subject: str = "channel:a") -> Reading:
    return Reading(
        writer="indicators:channel:0",
        subject_kind="channel",
        at=from_ms(at_ms),
        values={"cac_spike": {subject: (value, 0.2, verdict)}},
    )


def tally(hour: int, sums: dict[str, Any], writer: str = "indicators:channel:0") -> Tally:
    return Tally.model_validate({"writer": writer, "hour": from_ms(hour * HOUR), "sums": sums})


def test_a_day_is_kept_in_five_minutes_and_a_month_in_hours_by_their_worst() -> None:
    readings = Readings()
    first = NOW - 40 * 24 * HOUR
    for at in range(first, NOW, 5 * MINUTE):
        peak = at % (24 * HOUR) // (5 * MINUTE) == 7
        readings.fold(reading(at, 9.0 if peak else 0.1))
    found = readings.series("cac_spike", "channel:a", 0)
    fine = [each for each in found if each.at_ms >= NOW - 23 * HOUR]
    assert {later.at_ms - one.at_ms for one, later in pairwise(fine)} == {5 * MINUTE}
    assert len(found) < 1.2 * (24 * 12 + 31 * 24)
    assert min(each.at_ms for each in found) >= NOW - 36 * 24 * HOUR
    assert sum(each.value == 9.0 for each in found) >= 30, "each day's peak is still to be seen"
    assert [each.at_ms for each in found] == sorted(each.at_ms for each in found)


def test_what_is_read_twice_changes_nothing_and_unsure_is_a_gap() -> None:
    readings = Readings()
    for at, value, verdict in ((NOW, 0.1, "calm"), (NOW + 5 * MINUTE, None, "unsure"), (NOW, 0.1, "calm")):
        readings.fold(reading(at, value, verdict))  # type: ignore[arg-type]
    points = [Point(NOW, 0.1, 0.2, "calm"), Point(NOW + 5 * MINUTE, None, 0.2, "unsure")]
    assert readings.series("cac_spike", "channel:a", 0) == points
    assert readings.series("cac_spike", "channel:a", NOW + 1) == points[1:]
    assert list(readings.latest()) == [("cac_spike", "channel:a", points[1])]
    assert readings.subjects("cac_spike") == ["channel:a"]
    assert readings.series("cac_spike", "channel:b", 0) == []


def test_a_subject_that_went_silent_is_told_of_no_more() -> None:
    readings = Readings()
    readings.fold(reading(NOW, 0.1))
    readings.fold(reading(NOW + 2 * HOUR, 0.1, subject="channel:b"))
    assert [subject for _, subject, _ in readings.latest()] == ["channel:b"]


def test_there_are_never_more_series_than_the_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "MOST_SERIES", 10)
    readings = Readings()
    for n in range(30):
        readings.fold(reading(NOW + n, 0.1, subject=f"channel:{n:02}"))
    assert readings.subjects("cac_spike") == [f"channel:{n:02}" for n in range(20, 30)]


def test_counts_are_of_all_writers_and_the_last_of_each() -> None:
    readings = Readings()
    for writer, at, number in (("a", NOW, 2), ("b", NOW, 3), ("a", NOW + MINUTE, 1), ("a", NOW, 9)):
        counts = {"complaint_sla": {"open": number}}
        readings.fold(Reading(writer=writer, subject_kind="complaint", at=from_ms(at), counts=counts))
    assert readings.counts("complaint_sla") == {"open": 4}
    assert readings.counts("click_fraud") == {}
    assert readings.counted() == ["complaint_sla"]


def test_an_indicator_that_is_switched_off_counts_nothing_any_more() -> None:
    readings = Readings()
    for number, counts in enumerate(({"complaint_sla": {"open": 3}}, {})):
        at = from_ms(NOW + number)
        readings.fold(Reading(writer="x", subject_kind="complaint", at=at, counts=counts))
    assert readings.counts("complaint_sla") == {}
    assert readings.counted() == []


@settings(max_examples=40)
@given(st.lists(st.tuples(st.sampled_from(["a", "b"]), st.integers(0, 3), st.integers(0, 50)), max_size=20))
def test_only_the_last_that_a_writer_told_of_an_hour_counts(told: list[tuple[str, int, int]]) -> None:
    tallies, last = Tallies(), {}
    for writer, hour, clicks in told:
        tallies.fold(tally(hour, {"channel": {"x": {"clicks": clicks}}}, writer))
        last[writer, hour] = clicks
    wanted = sum(clicks for (_, hour), clicks in last.items() if 1 <= hour < 3)
    assert tallies.figures("channel", HOUR, 3 * HOUR).get("x", {}).get("clicks", 0) == wanted
    assert tallies.figures("all", HOUR, 3 * HOUR).get("all", {}).get("clicks", 0) == wanted


def test_hours_are_kept_for_a_month() -> None:
    tallies = Tallies()
    for hour in range(MOST_HOURS + 50):
        tallies.fold(tally(hour, {"channel": {"x": {"clicks": 1}}}))
    assert tallies.figures("channel", 0, 2**60) == {"x": {"clicks": MOST_HOURS}}
    assert tallies.newest_ms() == (MOST_HOURS + 50) * HOUR


FULL: dict[str, float] = {
    "impressions": 1000, "engagements": 250, "clicks": 100, "suspicious_clicks": 5, "spend": 600.0,
    "accounts_opened": 2, "purchases": 10, "purchase_amount": 50_000.0, "complaints": 1, "answered": 4,
    "answered_in_time": 3, "answer_seconds": 7200, "mentions": 50, "negative_mentions": 10, "open_complaints": 7,
}  # fmt: skip
EXPECTED = {
    "impressions": 1000, "engagement_ratio": 0.25, "clicks": 100, "click_through_ratio": 0.1,
    "suspicious_clicks_ratio": 0.05, "spend_cny": 600, "click_cost_cny": 6, "accounts": 2, "cac_cny": 300,
    "purchases": 10, "conversion_ratio": 0.1, "purchases_cny": 50_000, "average_purchase_cny": 5000,
    "return_on_spend_ratio": 50_000 / 600, "complaints": 1, "complaints_per_thousand_purchases": 100,
    "open_complaints": 7, "answered_in_time_ratio": 0.75, "answer_seconds": 1800, "negative_mentions_ratio": 0.2,
}  # fmt: skip


def test_there_are_twenty_figures_and_each_is_as_its_formula_says() -> None:
    assert {figure.id: figure.of(FULL) for figure in FIGURES} == pytest.approx(EXPECTED)
    assert len(FIGURES) == 20


def test_nothing_to_divide_by_is_no_figure_and_nothing_counted_is_zero() -> None:
    empty = {figure.id: figure.of({}) for figure in FIGURES}
    assert empty["clicks"] == empty["complaints"] == 0
    assert {id_ for id_, value in empty.items() if value is None} == {
        "open_complaints",
        *(id_ for id_ in EXPECTED if "ratio" in id_ or "_per_" in id_),
        *("click_cost_cny", "cac_cny", "average_purchase_cny", "answer_seconds"),
    }


def test_values_stand_beside_the_goals_of_their_scope() -> None:
    tallies, readings = Tallies(), Readings()
    sums = {"channel": {"a": FULL_SUMS}, "segment": {"young": {"clicks": 10, "purchases": 4}}}
    tallies.fold(tally(NOW // HOUR, sums))
    business, hour = Business(tallies, readings), NOW // HOUR * HOUR

    def one(scope: Any, figure: str, goals: Any = None) -> tuple[float | None, float | None, bool | None]:
        (found,) = (each for each in business.values(goals or {}, scope, hour, NOW) if each.figure.id == figure)
        return found.value, found.goal, found.met

    assert one("all", "cac_cny") == (300, 300, True)
    assert one("segment", "conversion_ratio") == (0.4, 0.4, True)
    assert one("channel", "conversion_ratio") == (0.1, None, None)
    assert one("channel", "cac_cny", {"cac_cny": Goal(all=350.0, channel={"a": 280.0})}) == (300, 280, False)
    assert one("all", "open_complaints") == (None, None, None)
    counts = {"complaint_sla": {"open": 7}}
    readings.fold(Reading(writer="x", subject_kind="complaint", at=from_ms(NOW), counts=counts))
    assert one("all", "open_complaints") == (7, None, None)
    assert met(BY_ID["spend_cny"], 1.0, 1.0) is None, "neither more nor less is better"


FULL_SUMS = {name: value for name, value in FULL.items() if name != "open_complaints"}


def test_today_begins_at_midnight_of_the_policys_zone_and_takes_in_the_hour_that_has_begun() -> None:
    since, until = today(datetime(2026, 11, 23, 1, 30, tzinfo=UTC), ZoneInfo("Asia/Shanghai"))
    assert from_ms(since) == datetime(2026, 11, 22, 16, tzinfo=UTC)
    assert from_ms(until) == datetime(2026, 11, 23, 2, tzinfo=UTC)


@settings(max_examples=40)
@given(
    st.lists(st.tuples(st.integers(0, 2000), st.none() | st.floats(-100, 100)), max_size=80),
    st.integers(0, 1000),
    st.integers(1, 1000),
    st.integers(1, 40),
)
def test_the_largest_of_each_part_is_what_its_readings_say(
    told: list[tuple[int, float | None]], since_ms: int, span_ms: int, most: int
) -> None:
    line = kept.Line(step_ms=1, kept_ms=1000)
    for at_ms, value in sorted(told, key=lambda each: each[0]):
        line.put(Point(at_ms, value, None, "calm"), worst=False)
    expected: dict[int, tuple[int, float]] = {}
    for point in line.points(since_ms, since_ms + span_ms):
        if point.value is not None:
            part = (point.at_ms - since_ms) * most // span_ms
            expected[part] = point.at_ms, max(point.value, expected.get(part, (0, point.value))[1])
    assert line.largest(since_ms, since_ms + span_ms, most) == list(expected.values())
