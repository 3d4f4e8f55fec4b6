"""cac_spike: what an account costs over the trailing day, against the week before it and a ceiling."""

from collections.abc import Mapping

import pytest

from services.indicators.machine import build
from tests.support.indicator_log import policy
from tests.support.replay import Plan, assert_replay_safe
from tests.support.twelve import TWELVE
from tests.unit.indicators.weeks import WEEK, after_a_week, happen, statuses, told
from tests.unit.indicators.world import DOUYIN, EVERY_CHANGE, HOUR, MINUTE, World, with_every_change


def test_an_account_that_costs_a_fifth_more_slows_the_channel_and_calls_people() -> None:
    world = after_a_week()
    happen(world, spend=24_000, accounts=100)
    world.mark(6 * MINUTE)
    (fact,) = told(world, "cac_spike")
    assert (fact.severity, fact.level, fact.value, fact.threshold) == ("warning", 1, 0.2, 0.2)
    throttle, escalate = world.commands
    assert (throttle.command, throttle.factor, throttle.maturity) == ("throttle", 0.5, "approve")
    assert (escalate.command, escalate.target, escalate.maturity) == ("escalate", DOUYIN, "auto")
    assert fact.evidence is not None
    assert fact.evidence.samples == {"accounts_opened": 100, "accounts_opened_before": 700}
    assert fact.evidence.detail["baseline"]["en"].startswith(
        "These 24 hours count as a weekend; with fewer than 2 such"
    )
    assert {name: value for name, value in fact.evidence.detail.items() if name != "baseline"} == {
        "days": 7,
        "against": "week",
        "cac": 240.0,
        "cac_before": 200.0,
        "spend": 24_000.0,
        "spend_before": 140_000.0,
    }


def test_the_ceiling_needs_no_week_and_only_above_it_is_too_much() -> None:
    world = World("channel", with_every_change())
    happen(world, spend=380 * 30, accounts=30)
    world.mark(6 * MINUTE)
    assert world.facts == []
    happen(world, 7 * MINUTE, spend=0.000001)
    world.mark(11 * MINUTE)
    (fact,) = told(world, "cac_spike")
    assert (fact.threshold, world.ordered()) == (380, [("throttle", DOUYIN, 1), ("escalate", DOUYIN, 1)])


def test_above_the_ceiling_it_stays_open_until_the_week_is_calm_too() -> None:
    world = after_a_week(week=WEEK | {"spend": 245_000})  # 350 an account
    happen(world, spend=40_000, accounts=100)
    world.mark(6 * MINUTE)
    happen(world, HOUR, accounts=10)  # 363.6: under the ceiling, by less than a tenth
    world.mark(2 * HOUR)
    assert statuses(world, "cac_spike") == [("open", "warning")]
    happen(world, 2 * HOUR, accounts=10, clicks=1)  # 333.3
    world.mark(2 * HOUR + 34 * MINUTE)
    assert len(told(world, "cac_spike")) == 1
    world.mark(2 * HOUR + 36 * MINUTE)
    assert [status for status, _ in statuses(world, "cac_spike")] == ["open", "resolved"]
    assert told(world, "cac_spike")[1].value == pytest.approx(1000 / 3)


def test_good_news_is_an_alert_of_its_own_that_orders_nothing() -> None:
    world = after_a_week()
    happen(world, spend=24_000, accounts=100)
    world.mark(6 * MINUTE)
    happen(world, HOUR, accounts=60)  # from 240 to 150
    world.mark(HOUR + 6 * MINUTE)
    assert statuses(world, "cac_spike") == [("open", "warning"), ("open", "info")]
    bad, good = told(world, "cac_spike")
    assert bad.alert_id != good.alert_id
    assert (good.value, good.threshold, good.subject) == (0.25, 0.2, DOUYIN)
    assert len(world.commands) == 2
    world.mark(HOUR + 36 * MINUTE)
    assert [(each.alert_id, each.status) for each in told(world, "cac_spike")[2:]] == [(bad.alert_id, "resolved")]
    happen(world, 2 * HOUR, spend=20_000)
    world.mark(2 * HOUR + 40 * MINUTE)
    last = told(world, "cac_spike")[3:]
    assert [(each.status, each.severity) for each in last] == [("open", "warning"), ("resolved", None)]
    assert last[1].alert_id == good.alert_id


def test_both_alerts_of_one_indicator_outlive_a_restart() -> None:
    world = after_a_week()
    happen(world, spend=24_000, accounts=100)
    world.mark(6 * MINUTE)
    happen(world, HOUR, accounts=60)
    world.mark(HOUR + 6 * MINUTE)
    world.mark(HOUR + 40 * MINUTE)
    assert len(told(world, "cac_spike")) == 3
    for place in range(len(world.log.records)):
        assert_replay_safe(lambda: build("channel", 0), world.log.records, Plan((place,), (place, place + 1), ()))


def test_above_the_ceiling_there_is_no_good_news_and_it_ends_what_there_was() -> None:
    world = after_a_week(week=WEEK | {"spend": 420_000})  # 600 an account
    happen(world, spend=37_000, accounts=100)
    world.mark(6 * MINUTE)
    assert statuses(world, "cac_spike") == [("open", "info")]
    happen(world, 7 * MINUTE, spend=3_000)  # 400, a third less than 600
    world.mark(HOUR)
    assert statuses(world, "cac_spike") == [("open", "info"), ("open", "warning"), ("resolved", None)]


def test_a_policy_that_switches_cac_spike_off_closes_both_alerts() -> None:
    world = after_a_week()
    happen(world, spend=24_000, accounts=100)
    world.mark(6 * MINUTE)
    happen(world, HOUR, accounts=60)
    world.mark(HOUR + 6 * MINUTE)
    world.mark(HOUR + 7 * MINUTE, in_force=with_every_change(2, cac_spike={"enabled": False}))
    assert [status for status, _ in statuses(world, "cac_spike")] == ["open", "open", "resolved", "resolved"]


@pytest.mark.parametrize(
    ("week", "day"),
    [
        (WEEK, {"spend": 24_000, "accounts": 29}),
        (WEEK | {"accounts": 29}, {"spend": 37_000, "accounts": 100}),
        (WEEK | {"spend": 0}, {"spend": 10_000, "accounts": 100}),
        (WEEK, {"clicks": 1, "accounts": 100}),
    ],
    ids=["few accounts", "few accounts before", "no spend before", "no spend"],
)
def test_what_is_not_known_well_enough_is_neither_bad_nor_good(
    week: Mapping[str, float], day: Mapping[str, float]
) -> None:
    world = after_a_week(week=week)
    happen(world, **day)
    world.mark(HOUR)
    assert told(world, "cac_spike") == []
    assert world.machine.seen.verdicts["cac_spike", "unsure"] > 0


def test_a_small_change_of_few_accounts_may_be_chance_unless_the_policy_takes_every_one() -> None:
    for confidence, alerts in ((0.95, 0), (0.0, 1)):
        said = EVERY_CHANGE | {"thresholds": {"confidence": confidence}}
        world = after_a_week(policy(cac_spike=said))
        happen(world, spend=7_200, accounts=30)
        world.mark(6 * MINUTE)
        assert len(told(world, "cac_spike")) == alerts


def test_on_a_large_channel_a_fifth_more_counts_where_days_do_not_differ_as_much() -> None:
    for wander, alerts in ((0.05, 1), (0.07, 0)):
        said = EVERY_CHANGE | {"thresholds": {"wander": wander}}
        world = after_a_week(policy(cac_spike=said), week={"spend": 4_200_000, "accounts": 21_000})
        happen(world, spend=720_000, accounts=3000)
        world.mark(6 * MINUTE)
        assert len(told(world, "cac_spike")) == alerts


def test_above_the_ceiling_may_be_chance_while_the_goal_is_not_surely_missed() -> None:
    for accounts, alerts in ((108, 0), (109, 1)):
        world = World("channel", policy(cac_spike={"fire": {"hold": "0s"}}))
        happen(world, spend=400 * accounts, accounts=accounts)
        world.mark(6 * MINUTE)
        assert len(told(world, "cac_spike")) == alerts


def test_a_change_is_told_when_it_has_lasted_as_long_as_a_feed_may_be_silent() -> None:
    world = after_a_week(policy())
    for hours in range(5):
        happen(world, hours * HOUR, clicks=1000, purchases=20, leads=1)
    world.mark(2 * HOUR)
    assert world.facts == []
    world.mark(2 * HOUR + 6 * MINUTE)
    assert [fact.status for fact in told(world, "conversion_drop")] == ["open"]


def test_sales_that_are_on_their_way_never_pass_for_a_drop() -> None:
    world = after_a_week(policy())
    happen(world, clicks=2000, purchases=400)
    for hours in range(1, 8):  # purchases are missing from now on
        happen(world, hours * HOUR, clicks=1000)
    world.mark(8 * HOUR)
    assert world.machine.seen.verdicts["conversion_drop", "breach"] > 0
    happen(world, 7 * HOUR, purchases=1400)
    world.mark(9 * HOUR)
    assert not TWELVE & {fact.indicator for fact in world.facts}
