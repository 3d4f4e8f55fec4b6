"""cac_spike, conversion_drop and engagement_drop: the trailing day of a channel against the week before it."""

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.alerts import AlertFact
from schemas.base import to_ms
from schemas.policy import Policy
from services.indicators.comparison import Ratio
from services.indicators.machine import build
from services.indicators.rule import AnyRule, Limits, Verdict
from services.indicators.rules.cac_spike import CacFall, CacSpike
from services.indicators.rules.conversion_drop import ConversionDrop
from services.indicators.rules.engagement_drop import EngagementDrop
from services.indicators.subjects.store import Surroundings
from tests.support.indicator_log import CHANNEL, CONVERSION, TEN, Event, Log, mark, policy
from tests.support.replay import Plan, assert_replay_safe
from tests.unit.indicators.world import EVERY_CHANGE, HOUR, MINUTE, World, with_every_change

DOUYIN = "channel:douyin"
DAY = 24 * HOUR
MICROS = 1_000_000
NAMES = {"spend": "spend_micros", "accounts": "accounts_opened"}
WEEK = {"spend": 140_000, "accounts": 700, "clicks": 7000, "purchases": 1400, "leads": 1}
"""Of the days before: 200 CNY an account, and a fifth of the clicks buy."""


def happen(world: World, at: float = 0, **amounts: float) -> None:
    """What was added up at a moment; spend in CNY."""
    world.happen(
        *(
            world.event(NAMES.get(what, what), at, count=round(amount * (MICROS if what == "spend" else 1)))
            for what, amount in amounts.items()
        )
    )


def after_a_week(in_force: Policy | None = None, *, at: float = -5 * DAY, week: Mapping[str, float] = WEEK) -> World:
    world = World("channel", in_force or with_every_change())
    happen(world, at, **week)
    return world


def told(world: World, indicator: str) -> list[AlertFact]:
    return [fact for fact in world.facts if fact.indicator == indicator]


def statuses(world: World, indicator: str) -> list[tuple[str | None, str | None]]:
    return [(fact.status, fact.severity) for fact in told(world, indicator)]


# -- cac_spike


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
    assert world.facts == []


# -- conversion_drop and engagement_drop


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
    assert world.facts == []
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


# -- against a recount by hand


RULES: list[AnyRule] = [CacSpike(), CacFall(), ConversionDrop(), EngagementDrop()]
FEW: dict[str, dict[str, Any]] = {
    "cac_spike": {"min_accounts": 2, "ceiling": 4.0, "confidence": 0.0, "wander": 0.0},
    "conversion_drop": {"min_clicks": 3, "confidence": 0.0},
    "engagement_drop": {"min_impressions": 3, "confidence": 0.0},
}
MEASURED = ("clicks", "impressions", "spend_micros", "accounts_opened", "purchases", "engagements", "leads")
AROUND = Surroundings.under(Policy(version=1))
PANE = 5 * MINUTE


@st.composite
def weeks(draw: st.DrawFn) -> list[Event]:
    """Nine days in which little happens, most of it near the edges of the spans."""
    when = st.sampled_from([0, 1, 2, 23, 24, 25, 48, 24 * 4 + 12, 24 * 5, 24 * 7, 24 * 8, 24 * 9])
    events = []
    for number in range(draw(st.integers(0, 30))):
        what = draw(st.sampled_from(MEASURED))
        at = TEN - draw(when) * HOUR + draw(st.integers(-2, 1)) * PANE + draw(st.sampled_from([0, 1, PANE - 1]))
        source = CHANNEL if MEASURED.index(what) in (0, 1, 2, 5) else CONVERSION
        count = draw(st.integers(0, 12)) * (MICROS if what == "spend_micros" else 1)
        events.append(Event(source, number, at, what, count=count))
    return events


class Recount:
    """The sums that a rule needs at a moment, from the events alone."""

    def __init__(self, events: list[Event], now_ms: int) -> None:
        self._events = events
        self.now_ms = now_ms

    def sums(self, what: str, sources: list[int]) -> tuple[int, int]:
        """Of the day, and of the days before it that are alike, or all seven."""
        ages = [(self.now_ms - 1 - event.at_ms, event.count) for event in self._events if event.what == what]
        day = sum(count for age, count in ages if 0 <= age < DAY)
        alike = [back for back in range(1, 8) if self._kind(back) == self._kind(0) and self._told(back, sources)]
        days = alike if len(alike) >= 2 else range(1, 8)
        return day, sum(count for age, count in ages if age // DAY in days)

    def _kind(self, back: int) -> bool:
        """Whether the middle of the day so many days ago lies in a weekend; there is no holiday in these weeks."""
        return AROUND.days.local(self.now_ms - back * DAY - DAY // 2).weekday() >= 5

    def _told(self, back: int, sources: list[int]) -> bool:
        heard = {event.source for event in self._events if (self.now_ms - 1 - event.at_ms) // DAY == back}
        return heard >= set(sources)

    def usable(self, source: int, *, week: bool) -> bool:
        """Whether a feed was heard in the last two hours, and in the older half of the week."""
        panes = [event.at_ms // PANE * PANE - self.now_ms for event in self._events if event.source == source]
        alive = any(-2 * HOUR <= start < 0 for start in panes)
        return alive and (not week or any(-8 * DAY <= start <= -4.5 * DAY for start in panes))


def drop_by_hand(recount: Recount, part: str, whole: str, sources: list[int], least: int) -> Fraction | None:
    (parts, parts_before), (wholes, wholes_before) = recount.sums(part, sources), recount.sums(whole, sources)
    if min(wholes, wholes_before) < least or not all(recount.usable(source, week=True) for source in sources):
        return None
    before = Fraction(parts_before, wholes_before)
    return 1 - Fraction(parts, wholes) / before if before else Fraction(0)


def cac_by_hand(recount: Recount) -> tuple[Fraction | None, Fraction | None]:
    """CAC of the day in CNY, and its rise over the week."""
    (spend, spend_before), (accounts, accounts_before) = (
        recount.sums(what, [CHANNEL, CONVERSION]) for what in ("spend_micros", "accounts_opened")
    )
    if accounts < 2 or not spend or not all(recount.usable(source, week=False) for source in (CHANNEL, CONVERSION)):
        return None, None
    cac = Fraction(spend, accounts * MICROS)
    known = all(recount.usable(source, week=True) for source in (CHANNEL, CONVERSION))
    if accounts_before < 2 or not spend_before or not known:
        return cac, None
    return cac, cac / Fraction(spend_before, accounts_before * MICROS) - 1


def word(trips: bool | None) -> str:
    return "unsure" if trips is None else "breach" if trips else "calm"


def words_by_hand(events: list[Event], now_ms: int) -> list[str]:
    """What RULES should say."""
    recount = Recount(events, now_ms)
    cac, rise = cac_by_hand(recount)
    above = cac is not None and cac > 4
    spike = True if above else None if rise is None else rise >= Fraction("0.2")
    fall = None if cac is None else False if above else None if rise is None else -rise >= Fraction("0.2")
    conversion = drop_by_hand(recount, "purchases", "clicks", [CHANNEL, CONVERSION], 3)
    engagement = drop_by_hand(recount, "engagements", "impressions", [CHANNEL], 3)
    return [
        word(spike),
        word(fall),
        word(None if conversion is None else conversion >= Fraction("0.3")),
        word(None if engagement is None else engagement >= Fraction("0.4")),
    ]


@given(events=weeks(), later=st.lists(st.integers(-1, 3), max_size=3))
@settings(deadline=None, max_examples=300)
def test_the_verdicts_are_those_of_a_recount(events: list[Event], later: list[int]) -> None:
    machine, log = build("channel", 0), Log("channel")
    machine.apply(log.put(mark(TEN - 1, policy=policy(), read={})))
    if events:
        machine.apply(log.frame(events))
    for panes in (0, *later):
        now_ms = TEN + panes * PANE
        assert [judged(machine._store, rule, now_ms).verdict for rule in RULES] == words_by_hand(events, now_ms)


def judged(store: Any, rule: AnyRule, now_ms: int) -> Verdict:
    limits: Limits = rule.limits.model_validate(FEW[rule.id])
    verdict: Verdict = rule.judge(store.view(DOUYIN, AROUND), limits, now_ms)
    assert verdict.troubled == (verdict.verdict == "breach")
    return verdict


@given(
    now=st.tuples(st.integers(30, 10**6), st.integers(1, 10**12)),
    before=st.tuples(st.integers(30, 10**6), st.integers(1, 10**13)),
)
@settings(deadline=None)
def test_a_change_is_rounded_once(now: tuple[int, int], before: tuple[int, int]) -> None:
    (accounts, spend), (accounts_before, spend_before) = now, before
    exact = Fraction(spend * accounts_before, accounts * spend_before) - 1
    assert Ratio(spend, accounts).rise_over(Ratio(spend_before, accounts_before)) == float(exact)


def test_the_times_of_the_evidence_are_those_of_the_day() -> None:
    world = after_a_week()
    happen(world, clicks=1000, purchases=100)
    world.mark(6 * MINUTE)
    evidence = told(world, "conversion_drop")[0].evidence
    assert evidence is not None
    assert to_ms(evidence.window.to) - to_ms(evidence.window.from_) == DAY
    assert to_ms(evidence.window.to) == TEN + 5 * MINUTE
