"""Complaints per purchase of the trailing day on one channel: slowed at the first figure, paused at the second.

· 渠道最近一日每笔购买的投诉数：达到第一档限流，达到第二档暂停。
"""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Annotated, Any

from pydantic import Field, model_validator

from schemas.base import Bilingual, Severity
from schemas.policy import Clearing
from services.indicators.comparison import Confidence
from services.indicators.examples import amounts, complaints, fires, silent
from services.indicators.rule import Case, Limits, Order, Rule, Share, Verdict, Words, graded, share_of, unsure
from services.indicators.statistics import surely_more
from services.indicators.subjects.channel_view import ChannelView
from services.indicators.tracing import shown

HOURS = 24


class ComplaintRateLimits(Limits):
    """Figures of complaint_rate."""

    slow_at: Share = 0.02
    """Complaints per purchase at which the channel is slowed. · 每笔购买的投诉数，达到即对渠道限流。"""
    pause_at: Share = 0.05
    """Complaints per purchase at which it is paused instead. · 每笔购买的投诉数，达到即改为暂停。"""
    throttle_to: Annotated[float, Field(ge=0, lt=1)] = 0.5
    """Share of traffic that a slowed channel keeps. · 限流后渠道保留的流量比例。"""
    min_complaints: Annotated[int, Field(ge=1)] = 5
    """Fewer do not trip, whatever the rate. · 投诉数不足此数时不触发，不论比率高低。"""
    min_purchases: Annotated[int, Field(ge=1)] = 100
    """With fewer the rate says nothing. · 购买数不足此数时，不看比率。"""
    confidence: Confidence = 0.99
    """For the pause: how sure it must be that the rate is above `slow_at`, and its height not the chance of a few.
    · 暂停所需的置信度：投诉率确实高于 `slow_at`，而非少数投诉的偶然结果。"""
    per_person: Annotated[int, Field(ge=1)] = 3
    """At most so many complaints count per account or address. · 每个账户或地址最多计入的投诉数。"""
    anonymous_share: Annotated[float, Field(ge=0, le=1)] = 0.5
    """One-click complaints without an account make up at most this share of what reaches `slow_at`.
    · 计入 `slow_at` 的投诉中，无账户一键投诉最多占此比例。"""

    @model_validator(mode="after")
    def _in_order(self) -> "ComplaintRateLimits":
        if self.pause_at <= self.slow_at:
            raise ValueError("pause_at must be above slow_at")
        return self


class ComplaintRate(Rule[ChannelView, ComplaintRateLimits]):
    """The ratio of the trailing 24 hours, when a pane closes. · 最近 24 小时的比率，在时间片结束时判断。"""

    id, subject, judged = "complaint_rate", "channel", "at close"
    title, source = Bilingual(en="Complaints per purchase", zh="投诉率"), "8.3"
    reads = ("complaints", "purchases")
    actions = {"throttle": "approve", "pause": "auto"}
    clearing = Clearing(below=0.9, hold=timedelta(minutes=30))
    limits = ComplaintRateLimits
    examples = (
        fires(amounts("purchases", 400), complaints(8)),
        silent(amounts("purchases", 401), complaints(8)),
        fires(amounts("purchases", 100), complaints(5)),
        silent(amounts("purchases", 99), complaints(8)),
        silent(amounts("purchases", 100), complaints(4)),
    )

    def judge(self, view: ChannelView, limits: ComplaintRateLimits, now_ms: int) -> Verdict:
        """Counted complaints by purchases; unsure with too few of what it takes, or when no conversions come in.

        Few complaints over enough purchases are surely a low rate, so they may clear; only a trip needs enough of both.
        """
        day = view.trailing(now_ms, hours=HOURS)
        purchases = view.total("purchases", day)
        if purchases < limits.min_purchases:
            return unsure(0.0, limits.slow_at, day, "too few purchases", samples={"purchases": purchases})
        tally = view.complaints(day, per_person=limits.per_person)
        count = tally.count(int(share_of(purchases, limits.slow_at * limits.anonymous_share)))
        samples = {"complaints_opened": tally.opened, "complaints_counted": count, "purchases": purchases}
        rate = count / purchases
        if view.silent("conversion-events", now_ms):
            return unsure(rate, limits.slow_at, day, "no conversions come in", samples=samples)
        if rate >= limits.slow_at and count < limits.min_complaints:
            return unsure(rate, limits.slow_at, day, "too few complaints", samples=samples)
        sure = surely_more(count, purchases * limits.slow_at) >= limits.confidence
        steps = (limits.slow_at, limits.pause_at) if sure else (limits.slow_at,)
        return graded(rate, steps, day, samples=samples)

    def orders(self, case: Case[ChannelView, ComplaintRateLimits]) -> Iterable[Order]:
        """The pause takes the place of the throttle."""
        if case.verdict.level == 1:
            return [Order("throttle", case.subject, 1, factor=case.limits.throttle_to)]
        return [Order("pause", case.subject, 2)] if case.verdict.level else []

    def severity(self, verdict: Verdict) -> Severity:
        """Slowing is a signal, pausing a guardrail."""
        return "critical" if verdict.level > 1 else "warning"

    def detail(self, case: Case[ChannelView, ComplaintRateLimits]) -> Mapping[str, Any]:
        """The products that most complaints are about, as far as they name one."""
        return shown(product=case.view.complained_of(case.verdict.span))

    def words(self, case: Case[ChannelView, ComplaintRateLimits]) -> Words:
        """The rate, and what it is made of."""
        verdict, limits = case.verdict, case.limits
        count, purchases = verdict.samples["complaints_counted"], verdict.samples["purchases"]
        return Words(
            Bilingual(
                en=f"Channel {case.label.en}: {verdict.value:.1%} complaints per purchase, "
                f"limit {verdict.threshold:.1%}",
                zh=f"渠道 {case.label.zh}：投诉率 {verdict.value:.1%}，阈值 {verdict.threshold:.1%}",
            ),
            Bilingual(
                en=f"In the {HOURS} hours until {case.clock(case.now_ms)}, {count} complaints counted against "
                f"{purchases} purchases. The channel is slowed at {limits.slow_at:.1%} and paused at "
                f"{limits.pause_at:.1%}.",
                zh=f"截至 {case.clock(case.now_ms)} 的 {HOURS} 小时内，计入投诉 {count} 件，购买 {purchases} 笔。"
                f"达到 {limits.slow_at:.1%} 时限流，达到 {limits.pause_at:.1%} 时暂停。",
            ),
        )
