"""The twenty figures of the business: each a formula over sums, so that it can be had of any stretch of time, and of
the whole, a channel, a product or a segment. Pure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

from schemas.base import Bilingual
from schemas.goals import FigureId
from schemas.readings import Measure, Scope

Counted = Literal[Measure, "open_complaints"]
"""`open_complaints` is no sum but how many are open now; it is known of the whole only."""
Sums = Mapping[str, float]
"""By what is `Counted`. What is not named is zero, but for `open_complaints`, which then is not known."""
Unit = Literal["number", "cny", "percent", "per_thousand", "times", "duration"]

ALL: Final[tuple[Scope, ...]] = ("all", "channel", "product", "segment")
_BY_CHANNEL: Final[tuple[Scope, ...]] = ("all", "channel")
_NO_SEGMENT: Final[tuple[Scope, ...]] = ("all", "channel", "product")


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure. better: in which direction it is good news; None where neither is. source: the chapters that ask for
    it, or why it is here. scopes: of what it can be told."""

    id: FigureId
    title: Bilingual
    formula: Bilingual
    unit: Unit
    better: Literal["up", "down"] | None
    source: str
    of: Callable[[Sums], float | None]
    scopes: tuple[Scope, ...] = ALL

    @property
    def metric(self) -> str:
        """Its name among the metrics."""
        return f"tidegate_business_{self.id}"


def _sum(measure: Counted) -> Callable[[Sums], float | None]:
    return lambda sums: sums.get(measure, 0.0)


def _ratio(part: Counted, whole: Counted, times: float = 1.0) -> Callable[[Sums], float | None]:
    def quotient(sums: Sums) -> float | None:
        base = sums.get(whole, 0.0)
        return sums.get(part, 0.0) / base * times if base else None

    return quotient


def _text(en: str, zh: str) -> Bilingual:
    return Bilingual(en=en, zh=zh)


_OURS: Final = "ours: what an operations lead looks at first"
FIGURES: Final = (
    Figure(
        "impressions",
        _text("Impressions", "曝光"),
        _text("impressions", "曝光次数"),
        "number",
        "up",
        _OURS,
        _sum("impressions"),
        _BY_CHANNEL,
    ),
    Figure(
        "engagement_ratio",
        _text("Engagement", "互动率"),
        _text("engagements ÷ impressions", "互动 ÷ 曝光"),
        "percent",
        "up",
        "§ 4.1, 8.3",
        _ratio("engagements", "impressions"),
        _BY_CHANNEL,
    ),
    Figure("clicks", _text("Clicks", "点击"), _text("clicks", "点击次数"), "number", "up", "§ 4.4", _sum("clicks")),
    Figure(
        "click_through_ratio",
        _text("Click-through", "点击率"),
        _text("clicks ÷ impressions", "点击 ÷ 曝光"),
        "percent",
        "up",
        _OURS,
        _ratio("clicks", "impressions"),
        _BY_CHANNEL,
    ),
    Figure(
        "suspicious_clicks_ratio",
        _text("Suspicious clicks", "可疑点击占比"),
        _text("clicks of addresses over the limit of click_fraud ÷ clicks", "超过 click_fraud 阈值的地址的点击 ÷ 点击"),
        "percent",
        "down",
        "§ 4.3, 9.2",
        _ratio("suspicious_clicks", "clicks"),
        _BY_CHANNEL,
    ),
    Figure("spend_cny", _text("Spend", "投放支出"), _text("spend", "投放支出"), "cny", None, "§ 3.4", _sum("spend")),
    Figure(
        "click_cost_cny",
        _text("Cost per click", "单次点击成本"),
        _text("spend ÷ clicks", "投放支出 ÷ 点击"),
        "cny",
        "down",
        _OURS,
        _ratio("spend", "clicks"),
    ),
    Figure(
        "accounts",
        _text("Accounts opened", "开户数"),
        _text("accounts opened", "新开账户数"),
        "number",
        "up",
        "§ 3.4",
        _sum("accounts_opened"),
    ),
    Figure(
        "cac_cny",
        _text("Cost of a new account (CAC)", "获客成本（CAC）"),
        _text("spend ÷ accounts opened", "投放支出 ÷ 开户数"),
        "cny",
        "down",
        "§ 3.4, 4.4, 8.3",
        _ratio("spend", "accounts_opened"),
    ),
    Figure(
        "purchases",
        _text("Purchases", "购买笔数"),
        _text("purchases", "购买笔数"),
        "number",
        "up",
        "§ 4.4",
        _sum("purchases"),
    ),
    Figure(
        "conversion_ratio",
        _text("Conversion", "转化率"),
        _text("purchases ÷ clicks", "购买笔数 ÷ 点击"),
        "percent",
        "up",
        "§ 4.4, 8.3",
        _ratio("purchases", "clicks"),
    ),
    Figure(
        "purchases_cny",
        _text("Amount bought", "购买金额"),
        _text("sum of the purchases' amounts", "购买金额合计"),
        "cny",
        "up",
        _OURS,
        _sum("purchase_amount"),
    ),
    Figure(
        "average_purchase_cny",
        _text("Average purchase", "笔均金额"),
        _text("amount bought ÷ purchases", "购买金额 ÷ 购买笔数"),
        "cny",
        "up",
        _OURS,
        _ratio("purchase_amount", "purchases"),
    ),
    Figure(
        "return_on_spend_ratio",
        _text("Bought per yuan spent", "单位投放购买额"),
        _text("amount bought ÷ spend", "购买金额 ÷ 投放支出"),
        "times",
        "up",
        _OURS,
        _ratio("purchase_amount", "spend"),
    ),
    Figure(
        "complaints",
        _text("Complaints", "投诉"),
        _text("complaints opened", "新增投诉"),
        "number",
        "down",
        "§ 4.3",
        _sum("complaints"),
    ),
    Figure(
        "complaints_per_thousand_purchases",
        _text("Complaints per 1,000 purchases", "每千笔购买投诉数"),
        _text("complaints opened ÷ purchases × 1,000", "新增投诉 ÷ 购买笔数 × 1,000"),
        "per_thousand",
        "down",
        "§ 8.3",
        _ratio("complaints", "purchases", 1000),
    ),
    Figure(
        "open_complaints",
        _text("Open complaints", "未答复投诉"),
        _text("complaints that wait for an answer now", "当前待答复投诉"),
        "number",
        "down",
        "§ 4.3",
        lambda sums: sums.get("open_complaints"),
        ("all",),
    ),
    Figure(
        "answered_in_time_ratio",
        _text("Answered in time", "按时答复率"),
        _text("complaints answered within their time ÷ complaints answered", "时限内答复 ÷ 已答复投诉"),
        "percent",
        "up",
        "§ 4.3, 8.3",
        _ratio("answered_in_time", "answered"),
        _NO_SEGMENT,
    ),
    Figure(
        "answer_seconds",
        _text("Time to an answer", "平均答复时长"),
        _text("time from opening to answer, summed ÷ complaints answered", "投诉至答复时长合计 ÷ 已答复投诉"),
        "duration",
        "down",
        "§ 4.3",
        _ratio("answer_seconds", "answered"),
        _NO_SEGMENT,
    ),
    Figure(
        "negative_mentions_ratio",
        _text("Negative mentions", "负面声量占比"),
        _text("negative mentions ÷ mentions", "负面提及 ÷ 全部提及"),
        "percent",
        "down",
        "§ 9.3",
        _ratio("negative_mentions", "mentions"),
        ("all", "product"),
    ),
)
"""In the order in which people see them: reach, cost, sales, complaints, reputation."""
BY_ID: Final[Mapping[str, Figure]] = MappingProxyType({figure.id: figure for figure in FIGURES})


def met(figure: Figure, value: float | None, goal: float | None) -> bool | None:
    """Whether a goal is met; None where there is nothing to compare."""
    if value is None or goal is None or figure.better is None:
        return None
    return value >= goal if figure.better == "up" else value <= goal
