"""cac_spike, conversion_drop and engagement_drop against a recount by hand."""

from fractions import Fraction
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

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
from tests.unit.indicators.weeks import DAY, MICROS, after_a_week, happen, told
from tests.unit.indicators.world import DOUYIN, HOUR, MINUTE

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
