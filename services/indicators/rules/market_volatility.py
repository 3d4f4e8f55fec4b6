"""The reference rate rises fast, growth is weak, or a policy changes: high-risk products are slowed, experts called.

· 参考利率快速上升、经济增长疲弱或监管政策变化：对高风险产品限流，并上报专家。
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Annotated, Any, Final

from pydantic import Field

from schemas.base import Bilingual, Severity
from services.indicators.examples import event, fires, silent
from services.indicators.rule import Case, Limits, Order, Rule, Verdict, Words, unsure
from services.indicators.subjects.market import PANE_MS, MarketView
from services.indicators.windows.days import Span

GDP: Final = "gdp"
POLICY: Final = "policy"
READINGS: Final = 3
SHOWN: Final = 10
"""So many policy changes are in the evidence, the newest first."""
_SAFER: Final = ("bond", "money_market")
_NEAR: Final = 1e-9
"""Of what must be exceeded, not reached: anything above nothing."""


class MarketVolatilityLimits(Limits):
    """Figures of market_volatility."""

    series: list[str] = ["lpr_1y", "lpr_5y"]
    """The reference rates that are judged; others are kept only. · 参与判断的参考利率，其余仅保存。"""
    rise_bp: Annotated[float, Field(ge=0)] = 50.0
    """Basis points that a rate may rise over three consecutive monthly readings.
    · 连续三个月度读数内利率允许上升的基点数。"""
    gdp_percent: float = 5.0
    """Growth under this is weak. · 增长率（%）低于此值视为疲弱。"""
    throttle_to: Annotated[float, Field(ge=0, lt=1)] = 0.5
    """Share of traffic that a high-risk product keeps. · 高风险产品限流后保留的流量比例。"""


class MarketVolatility(Rule[MarketView, MarketVolatilityLimits]):
    """Each series is a subject of its own, judged with every reading. · 每个序列单独判断，每次读数即判断。"""

    id, subject, judged = "market_volatility", "market", "at once"
    title, source = Bilingual(en="The market moves, or a policy changes", zh="市场波动与监管变化"), "9.1"
    reads = ("readings",)
    actions = {"throttle": "approve", "escalate": "auto"}
    limits = MarketVolatilityLimits
    examples = (
        fires(
            event("rate", series="lpr_1y", month="2026-01", percent=3.0),
            event("rate", series="lpr_1y", month="2026-02", percent=3.2),
            event("rate", series="lpr_1y", month="2026-03", percent=3.51),
        ),
        silent(
            event("rate", series="lpr_1y", month="2026-01", percent=3.0),
            event("rate", series="lpr_1y", month="2026-02", percent=3.2),
            event("rate", series="lpr_1y", month="2026-03", percent=3.5),
        ),
        fires(event("gdp_growth", quarter="2026-Q2", percent=4.9)),
        silent(event("gdp_growth", quarter="2026-Q2", percent=5.0)),
        fires(event("policy_change", title="Cooling-off period for online sales of insurance")),
    )

    def judge(self, view: MarketView, limits: MarketVolatilityLimits, now_ms: int) -> Verdict:
        """By what the series holds: changes of policy, quarters or months."""
        pane = Span(now_ms - PANE_MS, now_ms)
        if changes := view.changes(pane):
            titles = [{"title": each.title, "url": each.url} for each in reversed(changes[-SHOWN:])]
            # Each one is a new level, so that each is told: no episode goes on for two panes without any.
            level = view.in_a_row(now_ms, 2 * PANE_MS)
            return Verdict("breach", len(changes), 1, pane, 1, level, detail={"changes": titles})
        periods = view.latest(now_ms, READINGS)
        if periods and view.series == GDP:
            return self._growth(periods, limits, pane)
        if periods and view.series in limits.series:
            return self._rise(periods, limits, pane)
        return Verdict("calm", 0, 1, pane, 1)

    def _growth(self, periods: Mapping[str, Decimal], limits: MarketVolatilityLimits, pane: Span) -> Verdict:
        newest = max(periods)
        percent = periods[newest]
        short = Decimal(str(limits.gdp_percent)) - percent
        detail = {"quarter": newest, "percent": float(percent), "limit": limits.gdp_percent}
        return _beyond(short, Decimal(0), pane, detail)

    def _rise(self, periods: Mapping[str, Decimal], limits: MarketVolatilityLimits, pane: Span) -> Verdict:
        months = list(periods)
        rise_bp = Decimal(str(limits.rise_bp))
        detail = {"readings": {month: float(periods[month]) for month in months}}
        if len(months) < READINGS or _number(months[-1]) - _number(months[0]) != READINGS - 1:
            return unsure(0.0, limits.rise_bp, pane, f"no {READINGS} consecutive months are known")
        return _beyond((periods[months[-1]] - periods[months[0]]) * 100, rise_bp, pane, detail)

    def orders(self, case: Case[MarketView, MarketVolatilityLimits]) -> Iterable[Order]:
        """Slows every high-risk product of the directory and calls the experts; a change of policy is told only."""
        if not case.verdict.level or case.name == POLICY:
            return
        yield Order("escalate", case.subject, 1)
        for product in case.around.policy.directory.high_risk():
            yield Order("throttle", f"product:{product}", 1, factor=case.limits.throttle_to)

    def severity(self, verdict: Verdict) -> Severity:
        """A change of policy is news, the others are signals."""
        return "info" if "changes" in verdict.detail else "warning"

    def detail(self, case: Case[MarketView, MarketVolatilityLimits]) -> Mapping[str, Any]:
        """The products that deserve more weight now."""
        return {} if case.name == POLICY else {"more_weight": _safer(case)}

    def words(self, case: Case[MarketView, MarketVolatilityLimits]) -> Words:
        """What was read, and what to do with it."""
        if case.name == POLICY:
            return _policy_words(case)
        title = _growth_title(case) if case.name == GDP else _rise_title(case)
        safer = _safer(case)
        return Words(
            title,
            Bilingual(
                en=f"Give more weight to bond and money-market products: {', '.join(safer)}."
                if safer
                else "Give more weight to bond and money-market products; the directory of the policy names none.",
                zh=f"建议提高债券和货币市场产品的比重：{'、'.join(safer)}。"
                if safer
                else "建议提高债券和货币市场产品的比重；策略目录中尚未登记此类产品。",
            ),
        )


def _number(month: str) -> int:
    """Months counted from year nought."""
    year, _, number = month.partition("-")
    return int(year) * 12 + int(number)


def _beyond(value: Decimal, limit: Decimal, pane: Span, detail: Mapping[str, Any]) -> Verdict:
    """A breach where the limit is exceeded; to have reached it is none."""
    level = int(value > limit)
    begins_at = float(limit) + _NEAR
    return Verdict("breach" if level else "calm", float(value), float(limit), pane, begins_at, level, detail=detail)


def _safer(case: Case[MarketView, MarketVolatilityLimits]) -> list[str]:
    products = case.around.policy.directory.products
    return sorted(name for name, entry in products.items() if entry.kind in _SAFER)


def _growth_title(case: Case[MarketView, MarketVolatilityLimits]) -> Bilingual:
    quarter, percent = case.verdict.detail["quarter"], case.verdict.detail["percent"]
    return Bilingual(
        en=f"Growth {quarter} was {percent:g} %, under {case.limits.gdp_percent:g} %",
        zh=f"{quarter} 经济增长 {percent:g}%，低于 {case.limits.gdp_percent:g}%",
    )


def _rise_title(case: Case[MarketView, MarketVolatilityLimits]) -> Bilingual:
    readings = list(case.verdict.detail["readings"].items())
    (first, low), (last, high) = readings[0], readings[-1]
    return Bilingual(
        en=f"Rate {case.name} rose {case.verdict.value:.0f} bp from {first} to {last} ({low:g} % to {high:g} %), "
        f"limit {case.limits.rise_bp:.0f} bp",
        zh=f"利率 {case.name} 自 {first} 至 {last} 上升 {case.verdict.value:.0f} 个基点（{low:g}% 至 {high:g}%），"
        f"阈值 {case.limits.rise_bp:.0f} 个基点",
    )


def _policy_words(case: Case[MarketView, MarketVolatilityLimits]) -> Words:
    changes = case.verdict.detail["changes"]
    first, more = changes[0]["title"], int(case.verdict.value) - 1
    links = " ".join(each["url"] for each in changes if each["url"])
    return Words(
        Bilingual(
            en=f"Policy change: {first}" + (f" and {more} more" if more else ""),
            zh=f"监管政策变化：{first}" + (f" 等 {more + 1} 项" if more else ""),
        ),
        Bilingual(
            en=f"Compliance: check which promotions it touches. {links}".strip(),
            zh=f"请合规部门核对受影响的宣传内容。{links}",
        ),
    )
