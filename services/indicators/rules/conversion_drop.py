"""Purchases per click of the trailing day on one channel, far under those of the week before: experts are called.

· 渠道最近一日每次点击的购买数远低于上周：上报专家。
"""

from collections.abc import Iterable
from datetime import timedelta
from typing import Annotated, Final

from pydantic import Field

from schemas.base import Bilingual, Severity
from schemas.events import Segment
from schemas.policy import Clearing
from schemas.topics import CHANNEL_EVENTS, CONVERSION_EVENTS
from services.indicators.comparison import HOURS, PATIENCE, Confidence, Wander, before_words, fallen, with_note
from services.indicators.examples import amounts, fires, silent
from services.indicators.rule import Case, Limits, Order, Rule, Share, Verdict, Words
from services.indicators.subjects.channel_view import ChannelView

_SEGMENTS: Final[dict[Segment, Bilingual]] = {
    "young": Bilingual(en="young", zh="年轻客群"),
    "middle": Bilingual(en="middle-aged", zh="中年客群"),
    "silver": Bilingual(en="silver", zh="银发客群"),
    "high_net_worth": Bilingual(en="high-net-worth", zh="高净值客群"),
}


class ConversionDropLimits(Limits):
    """Figures of conversion_drop."""

    drop: Share = 0.3
    """By which share the rate has fallen. · 转化率下降的比例。"""
    min_clicks: Annotated[int, Field(ge=1)] = 1000
    """Needed in the day and in the week. · 当日及上周的点击数下限。"""
    confidence: Confidence = 0.999
    """How sure to be that a change is no chance; 0 takes every change at its word.
    · 变化并非偶然所需的置信度；0 表示不作检验。"""
    wander: Wander = 0.05
    """By how much a day differs from another for no reason, as a share: its standard deviation. Counts as chance.
    · 各日之间的自然波动（标准差，按比例），计入偶然。"""
    goals: dict[Segment, Share] = {"young": 0.4, "middle": 0.35, "silver": 0.25, "high_net_worth": 0.2}
    """The year's goals by segment: shown, not judged. · 各客群年度目标，仅展示，不参与判断。"""


class ConversionDrop(Rule[ChannelView, ConversionDropLimits]):
    """The ratio of the trailing 24 hours against that of the seven days before, when a pane closes.

    · 最近 24 小时的比率与此前七天比较，在时间片结束时判断。
    """

    id, subject, judged = "conversion_drop", "channel", "at close"
    title, source = Bilingual(en="Fewer clicks become purchases", zh="转化率下降"), "4.4, 8.3, 9.1"
    reads = ("purchases", "clicks")
    actions = {"escalate": "auto"}
    clearing = Clearing(below=0.9, hold=timedelta(minutes=30))
    fires_after = PATIENCE
    limits = ConversionDropLimits
    examples = (
        fires(
            *(amounts("clicks", 7000, days_ago=5), amounts("purchases", 1400, days_ago=5)),
            *(amounts("clicks", 1000), amounts("purchases", 140)),
        ),
        silent(
            *(amounts("clicks", 7000, days_ago=5), amounts("purchases", 1400, days_ago=5)),
            *(amounts("clicks", 1000), amounts("purchases", 141)),
        ),
        silent(
            *(amounts("clicks", 7000, days_ago=5), amounts("purchases", 1400, days_ago=5)),
            *(amounts("clicks", 999), amounts("purchases", 14)),
        ),
        silent(
            *(amounts("clicks", 7000, days_ago=4), amounts("purchases", 1400, days_ago=4)),
            *(amounts("clicks", 1000), amounts("purchases", 14)),
        ),
    )

    def judge(self, view: ChannelView, limits: ConversionDropLimits, now_ms: int) -> Verdict:
        """The value is the share by which the rate has fallen. No purchase while their feed is alive is a rate of 0."""
        return fallen(
            view,
            "purchases",
            "clicks",
            now_ms,
            topics=(CHANNEL_EVENTS, CONVERSION_EVENTS),
            least=limits.min_clicks,
            limit=limits.drop,
            confidence=limits.confidence,
            wander=limits.wander,
        )

    def orders(self, case: Case[ChannelView, ConversionDropLimits]) -> Iterable[Order]:
        """People look for the reason."""
        return [Order("escalate", case.subject, 1)] if case.verdict.level else []

    def severity(self, verdict: Verdict) -> Severity:
        """No customer is harmed by it."""
        return "warning"

    def words(self, case: Case[ChannelView, ConversionDropLimits]) -> Words:
        """The rates of both spans, what they are made of, and the goals."""
        verdict, samples, goals = case.verdict, case.verdict.samples, case.limits.goals
        now, before, then = verdict.detail["rate"], verdict.detail["rate_before"], before_words(verdict.detail)
        en_goals = ", ".join(f"{_SEGMENTS[segment].en} {goal:.0%}" for segment, goal in goals.items())
        zh_goals = "、".join(f"{_SEGMENTS[segment].zh} {goal:.0%}" for segment, goal in goals.items())
        return Words(
            Bilingual(
                en=f"Channel {case.label.en}: conversion rate down {verdict.value:.1%} to {now:.2%}, "
                f"limit {verdict.threshold:.1%}",
                zh=f"渠道 {case.label.zh}：转化率下降 {verdict.value:.1%} 至 {now:.2%}，阈值 {verdict.threshold:.1%}",
            ),
            with_note(
                Bilingual(
                    en=f"In the {HOURS} hours until {case.clock(case.now_ms)}, {samples['purchases']:,} purchases came "
                    f"of {samples['clicks']:,} clicks; {then.en}, {samples['purchases_before']:,} of "
                    f"{samples['clicks_before']:,}, a rate of {before:.2%}. Goals: {en_goals}.",
                    zh=f"截至 {case.clock(case.now_ms)} 的 {HOURS} 小时内，点击 {samples['clicks']:,} 次，"
                    f"购买 {samples['purchases']:,} 笔；{then.zh}点击 {samples['clicks_before']:,} 次，"
                    f"购买 {samples['purchases_before']:,} 笔，转化率 {before:.2%}。目标：{zh_goals}。",
                ),
                verdict.detail,
            ),
        )
