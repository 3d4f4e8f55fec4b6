"""What would have fired, when, for how long, and what would have been held."""

from datetime import datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.backtest import Trip
from schemas.base import from_ms
from services.cli.backtest.pipeline import Pipeline
from services.indicators.windows.days import Span
from tests.support.indicator_log import TEN, facts, policy
from tests.unit.cli.backtest.stories import HOUR, KEY, MINUTE, Story, over

MIDNIGHT = TEN + 14 * HOUR


def of(trips: list[Trip], indicator: str) -> Trip:
    (found,) = [trip for trip in trips if trip.indicator == indicator]
    return found


def test_an_episode_is_told_with_its_times_levels_and_orders() -> None:
    story = Story()
    story.complaints(45)
    report = over(story.records(), window=Span(TEN, MIDNIGHT + HOUR))
    trip = of(report.runs[0].trips, "complaint_volume")
    assert trip.subject == "channel:douyin"
    assert trip.opened == from_ms(TEN + 15 * MINUTE), "it warned at the twelfth, in the third pane"
    assert trip.tripped == from_ms(TEN + 20 * MINUTE)
    assert [(each.level, each.at) for each in trip.levels] == [
        (1, from_ms(TEN + 20 * MINUTE)),
        (2, from_ms(TEN + 40 * MINUTE)),
    ]
    assert trip.resolved == from_ms(MIDNIGHT)
    assert trip.seconds == (13 * 60 + 45) * 60
    assert (trip.value, trip.threshold) == (45, 20), "the worst, which nobody was told of"
    assert [(each.action, each.target, each.maturity) for each in trip.orders] == [
        ("pause", "channel:douyin", "auto")
    ] * 2
    (total,) = report.runs[0].totals
    assert (total.trips, total.warnings, total.orders) == (1, 0, {"auto": 2})


def test_what_only_warned_is_no_trip() -> None:
    story = Story()
    story.complaints(12)
    (trip,) = over(story.records()).runs[0].trips
    assert (trip.tripped, trip.level, trip.resolved, trip.orders) == (None, 0, None, [])


def test_only_what_trips_in_the_window_is_reported_and_history_counts() -> None:
    story = Story()
    story.complaints(19)
    story.complaints(1, TEN + 3 * HOUR)
    story.complaints(20, TEN + HOUR, channel="weibo")
    report = over(story.records(), window=Span(TEN + 2 * HOUR, TEN + 4 * HOUR))
    assert [trip.subject for trip in report.runs[0].trips] == ["channel:douyin"]
    assert report.source.warm_up_s == 2 * 3600
    assert any("stood when it began (1)" in note.en for note in report.notes)


def test_waiting_alone_trips_until_the_end_of_the_window() -> None:
    story = Story()
    story.complaints(1)
    report = over(story.records(), window=Span(TEN, TEN + 49 * HOUR))
    trip = of(report.runs[0].trips, "complaint_sla")
    assert trip.tripped is not None
    assert trip.tripped.timestamp() * 1000 == pytest.approx(TEN + 48 * HOUR, abs=2 * MINUTE)


def test_traffic_from_the_order_to_the_end_of_the_episode_is_held() -> None:
    story = Story()
    story.complaints(20, every_ms=1000)  # the pane ends, and the pause comes, at five past ten
    story.hourly(16, "click", count=120)
    story.hourly(16, "spend", amount=60.0)
    report = over(story.records(), window=Span(TEN, MIDNIGHT + HOUR))
    (held,) = report.runs[0].held
    assert (held.channel, held.by) == ("channel:douyin", "auto")
    assert held.hours == pytest.approx(13 + 55 / 60, abs=0.001)
    assert held.clicks == pytest.approx(120 * (13 + 55 / 60))
    assert held.spend == pytest.approx(60 * (13 + 55 / 60), abs=0.01)


def test_two_policies_are_compared_episode_by_episode() -> None:
    story = Story()
    story.complaints(30)
    story.complaints(20, channel="weibo")
    story.complaints(20, channel="wechat", every_ms=1000)
    story.clicks(100)
    other = policy(2, complaint_volume={"thresholds": {"complaints": 25}}, click_fraud={"enabled": False})
    report = over(story.records(), policy(), other)
    told = {(each.kind, each.indicator, each.subject) for each in report.differences}
    (actor,) = {trip.subject for trip in report.runs[0].trips if trip.indicator == "click_fraud"}
    assert told == {
        ("changed", "complaint_volume", "channel:douyin"),
        ("changed", "complaint_volume", "channel:weibo"),
        ("changed", "complaint_volume", "channel:wechat"),
        ("only_first", "click_fraud", actor),
    }
    same = over(story.records(), policy(), policy(2))
    assert same.differences == []


def test_what_is_in_the_shadow_is_shown_and_orders_nothing() -> None:
    story = Story()
    story.complaints(20)
    hidden = policy(complaint_volume={"maturity": "shadow"})
    trip = of(over(story.records(), hidden).runs[0].trips, "complaint_volume")
    assert trip.shadow
    assert trip.tripped is not None
    assert trip.orders == []
    assert not of(over(story.records()).runs[0].trips, "complaint_volume").shadow


def test_a_shadow_may_lie_on_one_channel_only() -> None:
    story = Story()
    story.complaints(20)
    story.complaints(20, channel="weibo")
    hidden = policy(complaint_volume={"overrides": {"channel:weibo": {"maturity": "shadow"}}})
    trips = over(story.records(), hidden).runs[0].trips
    assert {(trip.subject, trip.shadow, len(trip.orders)) for trip in trips} == {
        ("channel:douyin", False, 1),
        ("channel:weibo", True, 0),
    }


def test_a_series_has_the_counts_of_the_day_and_falls_at_midnight() -> None:
    story = Story()
    story.complaints(30)
    report = over(story.records(), window=Span(TEN, MIDNIGHT + HOUR))
    (series,) = [each for each in report.series if each.rule == "complaint_volume"]
    (points,) = series.runs
    assert max(point.value or 0 for point in points) == 30
    assert (points[-1].at, points[-1].value) == (MIDNIGHT, 0)
    assert {point.threshold for point in points} == {20}


def test_an_indicator_that_stays_silent_shows_what_came_nearest() -> None:
    story = Story()
    story.complaints(4)
    story.complaints(7, channel="weibo")
    report = over(story.records())
    assert report.runs[0].trips == []
    assert [each.subject for each in report.series if each.rule == "complaint_volume"] == ["channel:weibo"]


Step = tuple[str, str, int]


@settings(max_examples=20, deadline=None)
@given(st.lists(st.integers(1, 20), max_size=12), st.integers(20, 400))
def test_it_makes_no_difference_how_what_is_judged_at_once_is_cut(cuts: list[int], rest: int) -> None:
    story = Story()
    story.complaints(45, every_ms=7 * 1000)
    story.clicks(230)
    records = story.records()
    trips = over(records).runs[0].trips
    wanted = {(trip.indicator, trip.subject, each.level): each.at for trip in trips for each in trip.levels}
    pipeline, index = Pipeline(policy(), KEY), 0
    outputs = pipeline.mark(records[0].stamp_ms)
    for size in [*cuts, *[rest] * len(records)]:
        if part := records[index : index + size]:
            outputs += pipeline.feed(part, part[-1].stamp_ms)
        index += size
    found: dict[Step, datetime | None] = {}
    for each in facts(outputs):
        for level in range(1, (each.level or 0) + 1):
            found.setdefault((each.indicator or "", each.subject or "", level), each.event_time)
    assert found == wanted
    assert len(found) == 4, "two levels of each"


def test_a_log_that_ends_before_its_window_is_followed_to_the_end() -> None:
    story = Story()
    story.clicks(100)
    report = over(story.records(), window=Span(TEN, TEN + HOUR))
    trip = of(report.runs[0].trips, "click_fraud")
    assert trip.resolved is not None
    assert trip.tripped is not None
    assert trip.resolved < from_ms(TEN + 10 * MINUTE)
