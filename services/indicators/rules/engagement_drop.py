"""Engagements per impression of the trailing day on one channel, far under those of the week before: told, no more.

· 渠道最近一日每次曝光的互动数远低于上周：仅告知。
"""

from datetime import timedelta
from typing import Annotated

from pydantic import Field

from schemas.base import Bilingual, Severity
from schemas.policy import Clearing
from schemas.topics import CHANNEL_EVENTS
from services.indicators.comparison import HOURS, PATIENCE, Confidence, Wander, before_words, fallen, with_note
from services.indicators.examples import amounts, fires, silent
from services.indicators.rule import Case, Limits, Rule, Share, Verdict, Words
from services.indicators.subjects.channel_view import ChannelView


class EngagementDropLimits(Limits):
    """Figures of engagement_drop."""

    drop: Share = 0.4
    """By which share the rate has fallen. · 互动率下降的比例。"""
    min_impressions: Annotated[int, Field(ge=1)] = 10_000
    """Needed in the day and in the week. · 当日及上周的曝光数下限。"""
    confidence: Confidence = 0.999
    """How sure to be that a change is no chance; 0 takes every change at its word.
    · 变化并非偶然所需的置信度；0 表示不作检验。"""
    wander: Wander = 0.05
    """By how much a day differs from another for no reason, as a share: its standard deviation. Counts as chance.
    · 各日之间的自然波动（标准差，按比例），计入偶然。"""
    goal: Share = 0.25
    """The year's goal: shown, not judged. · 年度目标，仅展示，不参与判断。"""


class EngagementDrop(Rule[ChannelView, EngagementDropLimits]):
    """The ratio of the trailing 24 hours against that of the seven days before, when a pane closes.

    · 最近 24 小时的比率与此前七天比较，在时间片结束时判断。
    """

    id, subject, judged = "engagement_drop", "channel", "at close"
    title, source = Bilingual(en="Fewer impressions are engaged with", zh="互动率下降"), "4.1, 8.3"
    reads = ("engagements", "impressions")
    clearing = Clearing(below=0.9, hold=timedelta(minutes=30))
    fires_after = PATIENCE
    limits = EngagementDropLimits
    examples = (
        fires(
            *(amounts("impressions", 70_000, days_ago=5), amounts("engagements", 14_000, days_ago=5)),
            *(amounts("impressions", 10_000), amounts("engagements", 1200)),
        ),
        silent(
            *(amounts("impressions", 70_000, days_ago=5), amounts("engagements", 14_000, days_ago=5)),
            *(amounts("impressions", 10_000), amounts("engagements", 1201)),
        ),
        silent(
            *(amounts("impressions", 9999, days_ago=5), amounts("engagements", 2000, days_ago=5)),
            *(amounts("impressions", 10_000), amounts("engagements", 12)),
        ),
    )

    def judge(self, view: ChannelView, limits: EngagementDropLimits, now_ms: int) -> Verdict:
        """The value is the share by which the rate has fallen."""
        return fallen(
            view,
            "engagements",
            "impressions",
            now_ms,
            topics=(CHANNEL_EVENTS,),
            least=limits.min_impressions,
            limit=limits.drop,
            confidence=limits.confidence,
            wander=limits.wander,
        )

    def severity(self, verdict: Verdict) -> Severity:
        """No customer is harmed by it."""
        return "warning"

    def words(self, case: Case[ChannelView, EngagementDropLimits]) -> Words:
        """The rates of both spans, what they are made of, and the goal."""
        verdict, samples, goal = case.verdict, case.verdict.samples, case.limits.goal
        now, before, then = verdict.detail["rate"], verdict.detail["rate_before"], before_words(verdict.detail)
        return Words(
            Bilingual(
                en=f"Channel {case.label.en}: engagement rate down {verdict.value:.1%} to {now:.2%}, "
                f"limit {verdict.threshold:.1%}",
                zh=f"渠道 {case.label.zh}：互动率下降 {verdict.value:.1%} 至 {now:.2%}，阈值 {verdict.threshold:.1%}",
            ),
            with_note(
                Bilingual(
                    en=f"In the {HOURS} hours until {case.clock(case.now_ms)}, {samples['engagements']:,} engagements "
                    f"came of {samples['impressions']:,} impressions; {then.en}, "
                    f"{samples['engagements_before']:,} of {samples['impressions_before']:,}, a rate of {before:.2%}. "
                    f"The goal is {goal:.0%}.",
                    zh=f"截至 {case.clock(case.now_ms)} 的 {HOURS} 小时内，曝光 {samples['impressions']:,} 次，"
                    f"互动 {samples['engagements']:,} 次；{then.zh}曝光 {samples['impressions_before']:,} 次，"
                    f"互动 {samples['engagements_before']:,} 次，互动率 {before:.2%}。目标 {goal:.0%}。",
                ),
                verdict.detail,
            ),
        )
