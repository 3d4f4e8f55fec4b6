"""Displeased mentions of the brand: many of them today, or a large share of today's. An emergency response begins.

· 品牌的负面提及：当日数量多，或占当日提及比例高。启动应急响应。
"""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Annotated, Any, Final

from pydantic import Field

from schemas.base import Bilingual
from schemas.policy import Clearing
from services.indicators.examples import Happening, event, fires, silent
from services.indicators.rule import Case, Limits, Order, Rule, Verdict, Words
from services.indicators.subjects.brand import BrandView

SHOWN: Final = 10
"""So many sources, products and quotes are in the opinion report."""
_NAMED: Final = 3
_MAX_LEVEL: Final = 40


class NegativeSentimentLimits(Limits):
    """Figures of negative_sentiment."""

    mentions: Annotated[int, Field(ge=0)] = 100
    """Negative mentions of a business day: more than this trip. · 一个业务日内的负面提及数，超过即触发。"""
    share: Annotated[float, Field(gt=0, le=1)] = 0.4
    """Negative ones among all of the day's mentions. · 负面提及占当日全部提及的比例。"""
    min_mentions: Annotated[int, Field(ge=1)] = 50
    """With fewer in all the share says nothing. · 提及总数不足此数时，不看占比。"""


class NegativeSentiment(Rule[BrandView, NegativeSentimentLimits]):
    """The count is judged at once, the share when a pane closes; level k above 2^(k−1) times the count.

    · 数量即时判断，占比在时间片结束时判断；超过阈值的 2^(k−1) 倍为第 k 级。
    """

    id, subject, judged, per_day = "negative_sentiment", "brand", "both", True
    title, source = Bilingual(en="The brand is spoken ill of", zh="品牌负面声量"), "9.3"
    reads = ("mentions",)
    actions = {"escalate": "auto"}
    clearing = Clearing(below=1.0, hold=timedelta(hours=1))
    limits = NegativeSentimentLimits

    def judge(self, view: BrandView, limits: NegativeSentimentLimits, now_ms: int) -> Verdict:
        """The count of the business day up to now."""
        today = view.today(now_ms)
        negative, total = view.count(today)
        level = sum(negative > limits.mentions * 2**k for k in range(_MAX_LEVEL)) if negative else 0
        samples = {"negative": negative, "mentions": total}
        begins_at = limits.mentions + 1
        return Verdict("breach" if level else "calm", negative, limits.mentions, today, begins_at, level, samples)

    def judge_at_close(self, view: BrandView, limits: NegativeSentimentLimits, now_ms: int) -> Verdict:
        """The share as well, where the count says nothing."""
        counted = self.judge(view, limits, now_ms)
        negative, total = counted.samples["negative"], counted.samples["mentions"]
        if counted.level or total < limits.min_mentions or negative / total < limits.share:
            return counted
        return Verdict("breach", negative / total, limits.share, counted.span, limits.share, 1, counted.samples)

    def orders(self, case: Case[BrandView, NegativeSentimentLimits]) -> Iterable[Order]:
        """Calls the experts at every level."""
        return [Order("escalate", case.subject, level) for level in range(1, case.verdict.level + 1)]

    def detail(self, case: Case[BrandView, NegativeSentimentLimits]) -> Mapping[str, Any]:
        """The opinion report."""
        return {"report": case.view.report(case.verdict.span, SHOWN)}

    def words(self, case: Case[BrandView, NegativeSentimentLimits]) -> Words:
        """How many, what share, where and about what, and the worst of them."""
        negative, total = case.verdict.samples["negative"], case.verdict.samples["mentions"]
        report = case.view.report(case.verdict.span, _NAMED)
        share, limits = negative / max(total, 1), case.limits
        where = ", ".join(f"{source} {count}" for source, count in report["by_source"].items())
        about = ", ".join(f"{product} {count}" for product, count in report["by_product"].items())
        worst = report["quotes"][0]["quote"] if report["quotes"] else ""
        since, until = case.clock(case.verdict.span.start), case.clock(case.now_ms)
        return Words(
            Bilingual(
                en=f"Brand: {negative} negative mentions today, {share:.0%} of {total}",
                zh=f"品牌：今日负面声量 {negative} 条，占 {total} 条的 {share:.0%}",
            ),
            Bilingual(
                en=f"From {since} to {until}. Limits: more than {limits.mentions} a day, or {limits.share:.0%} of at "
                f"least {limits.min_mentions}. Most on {where}; products: {about or 'none named'}."
                + (f" Worst: “{worst}”" if worst else ""),
                zh=f"{since} 至 {until}。阈值：每日超过 {limits.mentions} 条，或在至少 {limits.min_mentions} 条中占 "
                f"{limits.share:.0%}。主要来源：{where}；涉及产品：{about or '未点名'}。"
                + (f"最严重的原话：“{worst}”" if worst else ""),
            ),
        )


def _mentions(number: int, sentiment: str, **fields: str) -> list[Happening]:
    """Mentions one after the other."""
    return [each for n in range(number) for each in event("mention", n, sentiment=sentiment, source="weibo", **fields)]


NegativeSentiment.examples = (
    fires(_mentions(101, "negative", text="他们骗人，退钱"), _mentions(400, "neutral")),
    silent(_mentions(100, "negative"), _mentions(400, "neutral")),
    fires(_mentions(20, "negative"), _mentions(30, "positive")),
    silent(_mentions(19, "negative"), _mentions(31, "positive")),
    silent(_mentions(40, "negative"), _mentions(9, "positive")),
)
