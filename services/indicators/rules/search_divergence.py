"""Searches for a product soar while they no longer end in purchases: customers are afraid. Experts are called, and the
product's aggressive promotion is paused on every channel that carries it.

· 产品搜索激增却不再转为购买：客户在担忧。上报专家，并在承载该产品的所有渠道暂停其激进推广。
"""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Annotated, Any

from pydantic import Field

from schemas.base import Bilingual
from schemas.policy import Clearing
from services.indicators.comparison import Confidence
from services.indicators.examples import Happening, event, fires, silent
from services.indicators.rule import Case, Limits, Order, Rule, Verdict, Words, graded, unsure
from services.indicators.statistics import surely_lower
from services.indicators.subjects.product import ProductView
from services.indicators.windows.days import Span

HOURS = 1
BASELINE_HOURS = 24
CARRIED_HOURS = 24
_NAMED = 3
_SHOWN = 50
"""So many of the channels are in the evidence, which goes with each order."""


class SearchDivergenceLimits(Limits):
    """Figures of search_divergence."""

    growth: Annotated[float, Field(gt=1)] = 2.0
    """Searches of the hour over the hourly mean of the day before. · 最近一小时搜索量与前一日每小时均值之比。"""
    fall: Annotated[float, Field(gt=0, lt=1)] = 0.3
    """By how much the share of searches that end in a purchase has fallen against that day.
    · 搜索转为购买的比例较前一日的降幅。"""
    min_searches: Annotated[int, Field(ge=1)] = 100
    """Of the hour, and of the day before. · 最近一小时及前一日的搜索量下限。"""
    confidence: Confidence = 0.99999
    """How sure it must be that fewer searches end in a purchase than the day before. Stricter than elsewhere: this is
    judged nearly three hundred times a day on an hour's purchases, and a pause follows.
    · 搜索转购买确实下降所需的置信度；每天判断近三百次且会触发暂停，故比其他指标更严格。"""


class SearchDivergence(Rule[ProductView, SearchDivergenceLimits]):
    """Both figures at once, when a pane closes. The value is the smaller of the two as a multiple of its limit.

    · 两个数值同时在时间片结束时判断。取值为两者相对各自阈值倍数中的较小者。
    """

    id, subject, judged = "search_divergence", "product", "at close"
    title, source = Bilingual(en="Searched in fear, no longer bought", zh="搜索激增而购买下降"), "4.3, 9.1"
    reads = ("searches", "purchases")
    actions = {"escalate": "auto", "pause": "auto"}
    clearing = Clearing(below=0.9, hold=timedelta(minutes=30))
    limits = SearchDivergenceLimits

    def judge(self, view: ProductView, limits: SearchDivergenceLimits, now_ms: int) -> Verdict:
        """The hour against the day before it; unsure with too few searches, or when no conversions come in.

        Where searches have not risen nobody is afraid, whatever is bought, so that may clear; only a trip needs enough.
        """
        hour = view.trailing(now_ms, hours=HOURS)
        day = view.before(hour, hours=BASELINE_HOURS)
        samples = {
            "searches": view.total("searches", hour),
            "searches_before": view.total("searches", day),
            "purchases": view.total("purchases", hour),
            "purchases_before": view.total("purchases", day),
        }
        if view.silent("conversion-events", now_ms):
            return unsure(0.0, 1.0, hour, "no conversions come in", samples=samples)
        if why := _unknown(view, samples, limits, hour):
            risen = rise(samples) / limits.growth
            if risen >= 1 or not view.heard("channel-events", hour):
                return unsure(0.0, 1.0, hour, why, samples=samples)
            return graded(round(risen, 9), [1.0], hour, samples=samples)
        growth, fall = divergence(samples)
        score = round(max(min(growth / limits.growth, fall / limits.fall), 0.0), 9)
        rates = (samples[name] for name in ("purchases", "searches", "purchases_before", "searches_before"))
        if score >= 1 and surely_lower(*rates) < limits.confidence:
            return unsure(score, 1.0, hour, "may be chance", samples=samples)
        return graded(score, [1.0], hour, samples=samples, detail={"growth": growth, "fall": fall})

    def orders(self, case: Case[ProductView, SearchDivergenceLimits]) -> Iterable[Order]:
        """Calls the experts, and pauses the product's promotion wherever it was carried in the last day."""
        if not case.verdict.level:
            return
        yield Order("escalate", case.subject, 1)
        for channel in case.view.carriers(case.now_ms, hours=CARRIED_HOURS):
            yield Order("pause", f"promotion:{case.name}@{channel}", 1)

    def detail(self, case: Case[ProductView, SearchDivergenceLimits]) -> Mapping[str, Any]:
        """Channels that carry the product, and how many do."""
        carriers = case.view.carriers(case.now_ms, hours=CARRIED_HOURS)
        return {"carried_by": carriers[:_SHOWN], "carrier_count": len(carriers)}

    def words(self, case: Case[ProductView, SearchDivergenceLimits]) -> Words:
        """How much more is searched, how much less of it ends in a purchase, and what to say to customers."""
        growth, fall, samples = case.verdict.detail["growth"], case.verdict.detail["fall"], case.verdict.samples
        carriers = case.view.carriers(case.now_ms, hours=CARRIED_HOURS)
        at, name = case.clock(case.now_ms), case.label
        return Words(
            Bilingual(
                en=f"Product {name.en}: searches × {growth:.1f}, purchases per search down {fall:.0%}",
                zh=f"产品 {name.zh}：搜索量为平时 {growth:.1f} 倍，搜索购买率下降 {fall:.0%}",
            ),
            Bilingual(
                en=f"In the hour until {at}, {samples['searches']:,} searches and {samples['purchases']:,} purchases; "
                f"in the {BASELINE_HOURS} hours before, {samples['searches_before']:,} and "
                f"{samples['purchases_before']:,}. "
                f"Carried by {len(carriers)} channels ({', '.join(carriers[:_NAMED]) or 'none'}). "
                "Customers look for reassurance: publish market interpretation for this product.",
                zh=f"截至 {at} 的 1 小时内搜索 {samples['searches']:,} 次、购买 {samples['purchases']:,} 笔；此前 "
                f"{BASELINE_HOURS} 小时为 {samples['searches_before']:,} 次、{samples['purchases_before']:,} 笔。"
                f"在 {len(carriers)} 个渠道推广（{'、'.join(carriers[:_NAMED]) or '无'}）。"
                "客户正在寻求解释，建议发布该产品的市场解读内容。",
            ),
        )


def _unknown(view: ProductView, samples: Mapping[str, int], limits: SearchDivergenceLimits, hour: Span) -> str | None:
    """Why the two cannot be compared."""
    if min(samples["searches"], samples["searches_before"]) < limits.min_searches:
        return "too few searches"
    if not view.reaches(view.before(hour, hours=BASELINE_HOURS)):
        return "the day before is not known well enough"
    return None if samples["purchases_before"] else "nothing was bought the day before"


def rise(samples: Mapping[str, int]) -> float:
    """The hour's searches over the hourly mean of the day before."""
    if not samples["searches"]:
        return 0.0
    return samples["searches"] * BASELINE_HOURS / (samples["searches_before"] * HOURS or 1e-9)


def divergence(samples: Mapping[str, int]) -> tuple[float, float]:
    """Growth of the hourly searches, and fall of the purchases per search: whole numbers divided once each."""
    growth = rise(samples)
    kept = samples["purchases"] * samples["searches_before"] / (samples["purchases_before"] * samples["searches"])
    return round(growth, 9), round(1 - kept, 9)


def _hours(searches: int, bought: int, hours: Iterable[int], product: str = "wenli-1") -> list[Happening]:
    """Searches and purchases of a product in some hours, counted from ten in the morning."""
    happenings = []
    for hour in hours:
        at = hour * 3600 + 60
        happenings += event("search", at, channel_id="douyin", product_id=product, count=searches)
        for n in range(bought):
            happenings += event("conversion", at + n, channel_id="douyin", product_id=product, stage="purchase")
    return happenings


SearchDivergence.examples = (
    fires(_hours(800, 160, range(-24, 0)), _hours(1600, 224, [0])),
    silent(_hours(800, 160, range(-24, 0)), _hours(1600, 225, [0])),
    silent(_hours(800, 160, range(-24, 0)), _hours(1599, 160, [0])),
    silent(_hours(100, 10, range(-24, 0)), _hours(200, 12, [0])),
    silent(_hours(4, 1, range(-24, 0)), _hours(99, 1, [0])),
)
