"""conversion_drop and engagement_drop: a rate of the trailing day against the week before it."""

import pytest

from tests.unit.indicators.weeks import DAY, after_a_week, happen, statuses, told
from tests.unit.indicators.world import DOUYIN, HOUR, MINUTE, World, with_every_change


def test_a_rate_that_fell_by_three_tenths_calls_people() -> None:
    world = after_a_week()
    happen(world, clicks=1000, purchases=140)
    world.mark(6 * MINUTE)
    (fact,) = told(world, "conversion_drop")
    assert (fact.severity, fact.level, fact.value, fact.threshold) == ("warning", 1, 0.3, 0.3)
    assert world.ordered() == [("escalate", DOUYIN, 1)]
    assert fact.evidence is not None
    assert fact.evidence.detail.items() >= {"rate": 0.14, "rate_before": 0.2, "days": 7}.items()


def test_no_purchase_is_a_real_zero_while_their_feed_is_alive() -> None:
    world = after_a_week()
    happen(world, clicks=1000)
    world.mark(6 * MINUTE)
    assert told(world, "conversion_drop") == []
    happen(world, 7 * MINUTE, leads=1)
    world.mark(11 * MINUTE)
    assert [fact.value for fact in told(world, "conversion_drop")] == [1.0]


def test_a_silent_feed_neither_trips_nor_clears_a_comparison() -> None:
    world = after_a_week()
    happen(world, clicks=1000, purchases=100)
    world.mark(6 * MINUTE)
    happen(world, HOUR, clicks=1, purchases=2000)
    world.mark(HOUR + 6 * MINUTE)
    happen(world, 3 * HOUR, clicks=1)
    world.mark(4 * HOUR)
    assert [status for status, _ in statuses(world, "conversion_drop")] == ["open", "resolved"]
    happen(world, 5 * HOUR, clicks=20_000)  # purchases are silent since one o'clock
    world.mark(6 * HOUR)
    assert len(told(world, "conversion_drop")) == 2


@pytest.mark.parametrize(("later_ms", "alerts"), [(0, 1), (5 * MINUTE, 0)])
def test_a_week_that_reaches_back_over_less_than_half_of_its_span_is_unsure(later_ms: int, alerts: int) -> None:
    closes = 5 * MINUTE  # the middle of the seven days that end a day before
    world = after_a_week(at=closes - DAY - 3.5 * DAY + later_ms)
    happen(world, clicks=1000, purchases=100)
    world.mark(closes + MINUTE)
    assert len(told(world, "conversion_drop")) == alerts


def test_a_feed_that_is_younger_than_the_other_is_not_compared() -> None:
    world = after_a_week(week={"clicks": 7000, "spend": 140_000})
    happen(world, -2 * DAY, purchases=1400, accounts=700)
    happen(world, clicks=1000, purchases=100, spend=10_000, accounts=100)
    world.mark(6 * MINUTE)
    assert world.facts == []


def test_the_week_ends_where_the_day_begins() -> None:
    world = after_a_week()
    happen(world, 5 * MINUTE - DAY - 1, clicks=1, purchases=7000)  # the last of the week
    happen(world, 5 * MINUTE - DAY, clicks=1000, purchases=250)  # the first of the day
    happen(world, leads=1, clicks=1)
    world.mark(5 * MINUTE + 30_000)
    (fact,) = told(world, "conversion_drop")
    assert fact.evidence is not None
    assert fact.evidence.samples == {
        "purchases": 250,
        "clicks": 1001,
        "purchases_before": 8400,
        "clicks_before": 7001,
    }


def test_engagement_is_only_told() -> None:
    world = World("channel", with_every_change())
    happen(world, -5 * DAY, impressions=10_000, engagements=12_000)  # several on each
    happen(world, impressions=10_000, engagements=7200)
    world.mark(6 * MINUTE)
    (fact,) = told(world, "engagement_drop")
    assert (fact.severity, fact.value, fact.level) == ("warning", 0.4, 1)
    assert world.commands == []


def test_one_channel_may_have_its_own_limit() -> None:
    own = {"overrides": {DOUYIN: {"thresholds": {"drop": 0.9}}}}
    world = after_a_week(with_every_change(conversion_drop=own))
    happen(world, clicks=1000, purchases=100)
    world.mark(6 * MINUTE)
    assert world.facts == []


def test_the_evidence_names_the_offsets_of_the_week_and_the_day() -> None:
    world = World("channel", with_every_change())
    happen(world, -8.5 * DAY, clicks=1, purchases=1)
    happen(world, -5 * DAY, clicks=7000, purchases=1400)
    happen(world, clicks=1000, purchases=100)
    happen(world, 30 * MINUTE, clicks=1)
    world.mark(6 * MINUTE)
    (fact,) = told(world, "conversion_drop")
    assert fact.evidence is not None
    ranges = {(each.topic, each.partition): (each.from_, each.to) for each in fact.evidence.sources}
    assert ranges == {("channel-events", 0): (1, 4), ("conversion-events", 0): (1, 3)}  # by the hour


def test_like_is_compared_with_like_where_there_is_enough_of_it() -> None:
    world = World("channel", with_every_change())
    happen(world, -7 * DAY - HOUR, clicks=4000, purchases=400)  # the Sunday before
    happen(world, -DAY - HOUR, clicks=4000, purchases=400)  # this Saturday
    happen(world, -4 * DAY, clicks=4000, purchases=500)  # a workday
    happen(world, -HOUR, clicks=1000, purchases=69)  # this Sunday and the night after it
    world.mark(6 * MINUTE)
    (fact,) = told(world, "conversion_drop")
    assert fact.evidence is not None and fact.summary is not None
    assert fact.evidence.detail == {"rate": 0.069, "rate_before": 0.1, "days": 2}
    assert "on the 2 comparable days of the 7 before, 800 of 8,000" in fact.summary.en
    assert "此前 7 天中同类的 2 天点击 8,000 次" in fact.summary.zh
