"""What a new account costs on one channel (CAC, spend ÷ accounts opened): slowed where it has risen far over the week
before or is above the ceiling. Where it has fallen as far, that is good news, told in an alert of its own.

· 渠道每开一户的获客成本（CAC，投放 ÷ 开户数）：较上周大幅上升或超过上限时限流；降幅同样大时为好消息，另行通报。
"""

from collections.abc import Iterable
from datetime import timedelta
from math import inf, nextafter
from typing import Annotated, Any, ClassVar, Final

from pydantic import Field

from schemas.base import Bilingual, Severity
from schemas.policy import Clearing
from schemas.topics import CHANNEL_EVENTS, CONVERSION_EVENTS
from services.indicators.comparison import (
    HOURS,
    PATIENCE,
    Confidence,
    Ratio,
    Wander,
    before_words,
    both,
    changed,
    compared_with,
    newness,
    silence,
    with_note,
)
from services.indicators.examples import Example, amounts, fires, silent, spent
from services.indicators.rule import Case, Limits, Order, Rule, Share, Verdict, Words, unsure
from services.indicators.statistics import surely_fewer
from services.indicators.subjects.channel_view import ChannelView
from services.indicators.windows.days import Span

_FEEDS: Final = (CHANNEL_EVENTS, CONVERSION_EVENTS)
_MICROS: Final = 1_000_000
Yuan = Annotated[float, Field(gt=0)]


class CacSpikeLimits(Limits):
    """Figures of cac_spike."""

    rise: Annotated[float, Field(gt=0)] = 0.2
    """By which share of the week's CAC that of the day is above it. · 当日获客成本高于上周的比例。"""
    ceiling: Yuan = 380.0
    """CNY an account; more trips, whatever it was before. · 每户成本上限（元），超过即触发，不论此前水平。"""
    fall: Share = 0.2
    """By which share it has fallen, for good news. · 降幅达到此比例即通报好消息。"""
    goal: Yuan = 300.0
    """The year's goal: shown. That the ceiling is exceeded counts where it is surely missed.
    · 年度目标，仅展示；确定未达目标时，超过上限才计入。"""
    throttle_to: Annotated[float, Field(ge=0, lt=1)] = 0.5
    """Share of traffic that a slowed channel keeps. · 限流后渠道保留的流量比例。"""
    min_accounts: Annotated[int, Field(ge=1)] = 30
    """Opened in the day and in the week; for the ceiling, in the day.
    · 当日及上周的开户数下限；与上限比较时仅看当日。"""
    confidence: Confidence = 0.999
    """How sure to be that a change is no chance; 0 takes every change at its word.
    · 变化并非偶然所需的置信度；0 表示不作检验。"""
    wander: Wander = 0.05
    """By how much a day differs from another for no reason, as a share: its standard deviation. Counts as chance.
    · 各日之间的自然波动（标准差，按比例），计入偶然。"""


class CacSpike(Rule[ChannelView, CacSpikeLimits]):
    """The CAC of the trailing 24 hours against that of the seven days before and the ceiling, when a pane closes.

    The value is the rise against `rise`, or the CAC against the ceiling, whichever is nearer to its limit.

    · 最近 24 小时的获客成本与此前七天及上限比较，在时间片结束时判断。
    取值为相对 `rise` 的升幅或相对上限的成本，以更接近阈值者为准。
    """

    id, subject, judged = "cac_spike", "channel", "at close"
    title, source = Bilingual(en="A new account costs too much", zh="获客成本过高"), "3.4, 4.4, 8.3"
    reads = ("spend_micros", "accounts_opened")
    actions = {"throttle": "approve", "escalate": "auto"}
    clearing = Clearing(below=0.9, hold=timedelta(minutes=30))
    fires_after = PATIENCE
    limits = CacSpikeLimits
    _before = (*spent(4_200_000, days_ago=5), *amounts("accounts_opened", 21_000, days_ago=5))
    examples: ClassVar[tuple[Example, ...]] = (
        fires(_before, spent(720_000), amounts("accounts_opened", 3000)),
        silent(_before, spent(719_999), amounts("accounts_opened", 3000)),
        silent(_before, spent(24_000), amounts("accounts_opened", 100)),
        fires(spent(76_001), amounts("accounts_opened", 200)),
        silent(spent(76_000), amounts("accounts_opened", 200)),
        silent(spent(11_401), amounts("accounts_opened", 30)),
        silent(spent(29_000), amounts("accounts_opened", 29)),
    )

    def judge(self, view: ChannelView, limits: CacSpikeLimits, now_ms: int) -> Verdict:
        """Above the ceiling is a breach for sure; so is a rise that is more than chance."""
        costs = _Costs(view, now_ms)
        if why := costs.unknown(limits, now_ms):
            return unsure(0.0, limits.rise, costs.day, why, samples=costs.samples())
        exceeds, known = costs.cac > limits.ceiling, costs.known("ceiling")
        above = exceeds and costs.misses(limits.goal) >= limits.confidence
        # Only above the ceiling is too much, and the smallest step above it is where an episode begins.
        ceiling = Verdict(
            "breach" if above else "calm",
            costs.cac,
            limits.ceiling,
            costs.day,
            nextafter(limits.ceiling, inf),
            int(above),
            **known,
        )
        rise = ceiling if above else costs.against_week(1, limits.rise, limits)
        if rise.verdict != "calm":
            return rise
        if exceeds:
            return unsure(costs.cac, limits.ceiling, costs.day, "may be chance", samples=costs.samples())
        return max(rise, ceiling, key=lambda each: each.value / each.begins_at)

    def orders(self, case: Case[ChannelView, CacSpikeLimits]) -> Iterable[Order]:
        """Slows what has become dear, and lets people look for the reason."""
        if not case.verdict.level:
            return []
        return [Order("throttle", case.subject, 1, factor=case.limits.throttle_to), Order("escalate", case.subject, 1)]

    def severity(self, verdict: Verdict) -> Severity:
        """Money, not customers."""
        return "warning"

    def words(self, case: Case[ChannelView, CacSpikeLimits]) -> Words:
        """What an account costs now, what it cost, and the ceiling and the goal."""
        verdict, limits = case.verdict, case.limits
        cac = verdict.detail["cac"]
        if verdict.detail["against"] == "ceiling":
            title = Bilingual(
                en=f"Channel {case.label.en}: a new account costs {cac:,.2f} CNY, ceiling {limits.ceiling:,.2f}",
                zh=f"渠道 {case.label.zh}：获客成本 {cac:,.2f} 元，上限 {limits.ceiling:,.2f} 元",
            )
        else:
            title = Bilingual(
                en=f"Channel {case.label.en}: a new account costs {verdict.value:.1%} more than before, "
                f"limit {limits.rise:.1%}",
                zh=f"渠道 {case.label.zh}：获客成本较此前上升 {verdict.value:.1%}，阈值 {limits.rise:.1%}",
            )
        goal = Bilingual(
            en=f"The ceiling is {limits.ceiling:,.2f}, the goal {limits.goal:,.2f}.",
            zh=f"上限 {limits.ceiling:,.2f} 元，目标 {limits.goal:,.2f} 元。",
        )
        return Words(title, _summary(case, goal))


class CacFall(CacSpike):
    """Good news: a fall of the CAC as large, unless it is still above the ceiling. An alert of its own."""

    strand = "fall"
    examples = (
        fires(CacSpike._before, spent(480_000), amounts("accounts_opened", 3000)),
        silent(CacSpike._before, spent(480_001), amounts("accounts_opened", 3000)),
        silent(
            spent(21_000_000, days_ago=5),
            amounts("accounts_opened", 21_000, days_ago=5),
            spent(1_170_000),
            amounts("accounts_opened", 3000),
        ),
        silent(CacSpike._before, amounts("accounts_opened", 3000)),
    )

    def judge(self, view: ChannelView, limits: CacSpikeLimits, now_ms: int) -> Verdict:
        """The value is the share by which the CAC has fallen."""
        costs = _Costs(view, now_ms)
        if why := costs.unknown(limits, now_ms):
            return unsure(0.0, limits.fall, costs.day, why, samples=costs.samples())
        if costs.cac > limits.ceiling:
            return Verdict("calm", 0.0, limits.fall, costs.day, limits.fall, **costs.known("ceiling"))
        return costs.against_week(-1, limits.fall, limits)

    def orders(self, case: Case[ChannelView, CacSpikeLimits]) -> Iterable[Order]:
        """Nothing has to be done."""
        return ()

    def severity(self, verdict: Verdict) -> Severity:
        """Good to know."""
        return "info"

    def words(self, case: Case[ChannelView, CacSpikeLimits]) -> Words:
        """What an account costs now, what it cost, and what to make of it."""
        verdict, cac = case.verdict, case.verdict.detail["cac"]
        advice = Bilingual(en="Consider giving this channel more budget.", zh="建议考虑为该渠道增加预算。")
        return Words(
            Bilingual(
                en=f"Good news of channel {case.label.en}: a new account costs {cac:,.2f} CNY, {verdict.value:.1%} "
                "less than before",
                zh=f"利好：渠道 {case.label.zh} 获客成本 {cac:,.2f} 元，较此前下降 {verdict.value:.1%}",
            ),
            _summary(case, advice),
        )


class _Costs:
    """The CAC of the trailing day and of the days before it."""

    def __init__(self, view: ChannelView, now_ms: int) -> None:
        self._view = view
        self.day: Span = view.trailing(now_ms, HOURS)
        self._base = view.baseline(now_ms, _FEEDS)
        self.now, self.before = both(view, "spend_micros", "accounts_opened", self.day, self._base)

    @property
    def cac(self) -> float:
        """Of the day, in CNY, rounded once."""
        return _in_yuan(self.now)

    def misses(self, goal: float) -> float:
        """How sure it is that the money should have brought more accounts."""
        return surely_fewer(self.now.whole, self.now.part / (goal * _MICROS))

    def samples(self) -> dict[str, int]:
        """What the ratios are made of."""
        return {"accounts_opened": self.now.whole, "accounts_opened_before": self.before.whole}

    def unknown(self, limits: CacSpikeLimits, now_ms: int) -> str | None:
        """Why the CAC of the day is not known."""
        if self.now.whole < limits.min_accounts:
            return "too few accounts opened"
        return silence(self._view, _FEEDS, now_ms) or (None if self.now.part else "no spend")

    def against_week(self, sign: int, limit: float, limits: CacSpikeLimits) -> Verdict:
        """The rise over the days before held against its limit; with a sign of -1 the fall."""
        if why := self._incomparable(limits):
            return unsure(0.0, limit, self.day, why, samples=self.samples())
        change = 0.0 + sign * self.now.rise_over(self.before)
        # Where an account costs more, fewer accounts come of the same money.
        lower, than = (Ratio(each.whole, each.part) for each in (self.now, self.before)[::sign])
        known = self.known("week")
        sure = {"confidence": limits.confidence, "wander": limits.wander}
        return changed(change, limit, self.day, lower=lower, than=than, **sure, **known)

    def _incomparable(self, limits: CacSpikeLimits) -> str | None:
        if self.before.whole < limits.min_accounts:
            return "too few accounts opened before"
        return newness(self._view, _FEEDS, self.day) or (None if self.before.part else "no spend before")

    def known(self, against: str) -> dict[str, Any]:
        """Samples and detail of a verdict; money in CNY."""
        detail: dict[str, Any] = {"against": against, "cac": self.cac, "spend": self.now.part / _MICROS}
        if self.before.whole:
            detail |= {"cac_before": _in_yuan(self.before), "spend_before": self.before.part / _MICROS}
            detail |= compared_with(self._base)
        return {"samples": self.samples(), "detail": detail}


def _in_yuan(cost: Ratio) -> float:
    """CNY an account."""
    return cost.part / (cost.whole * _MICROS)


def _summary(case: Case[ChannelView, CacSpikeLimits], last: Bilingual) -> Bilingual:
    """What was spent and what came of it, in the day and in the days before."""
    detail, samples, at = case.verdict.detail, case.verdict.samples, case.clock(case.now_ms)
    accounts, accounts_before = samples["accounts_opened"], samples["accounts_opened_before"]
    before = Bilingual(en="; nothing to compare with", zh="，无可比数据")
    if accounts_before:
        spend, each, then = detail["spend_before"], detail["cac_before"], before_words(detail)
        before = Bilingual(
            en=f"; {then.en}, {spend:,.2f} for {accounts_before:,}, which is {each:,.2f} each",
            zh=f"；{then.zh}投放 {spend:,.2f} 元，开户 {accounts_before:,} 个，每户 {each:,.2f} 元",
        )
    summary = Bilingual(
        en=f"In the {HOURS} hours until {at}, {detail['spend']:,.2f} CNY were spent for {accounts:,} new accounts, "
        f"{detail['cac']:,.2f} each{before.en}. {last.en}",
        zh=f"截至 {at} 的 {HOURS} 小时内投放 {detail['spend']:,.2f} 元，开户 {accounts:,} 个，"
        f"每户 {detail['cac']:,.2f} 元{before.zh}。{last.zh}",
    )
    return with_note(summary, detail)
