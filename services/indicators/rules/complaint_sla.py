"""Complaints that nobody answers: a warning before the answer is due, and a call to people when it is overdue.

· 无人答复的投诉：到期前预警，超时后呼叫人员。
"""

import math
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Final

from pydantic import Field

from schemas.base import Bilingual
from schemas.calendar import HoursBasis
from services.indicators.examples import event, fires, silent
from services.indicators.rule import HOUR_MS, Case, Limits, Order, Rule, Verdict, Words, share_of
from services.indicators.subjects.cases import ANSWERED, HIGH_NET_WORTH, NORMAL, ComplaintView, Opening
from services.indicators.subjects.store import Surroundings
from services.indicators.tracing import written
from services.indicators.windows.days import Span

Hours = Annotated[float, Field(gt=0, le=400)]
_ENTRIES: Final = {
    "one_click": Bilingual(en="by one click", zh="一键投诉"),
    "hotline": Bilingual(en="through the hotline", zh="客服热线"),
    "branch": Bilingual(en="at a branch", zh="营业网点"),
    "regulator": Bilingual(en="through the regulator", zh="监管转办"),
}


class ComplaintSlaLimits(Limits):
    """Figures of complaint_sla."""

    hours: Hours = 48
    """From its opening, a complaint is to be answered within so many. · 自投诉提交起，须在此小时数内答复。"""
    high_net_worth_hours: Hours = 2
    """That of a high-net-worth client within so many. · 高净值客户的投诉须在此小时数内答复。"""
    warn_share: Annotated[float, Field(gt=0, le=1)] = 0.8
    """Share of that at which it warns. · 达到时限的此比例时预警。"""
    basis: HoursBasis = "natural"
    """`working`: only working hours of the policy's calendar count. · `working`：仅计策略日历中的工作时间。"""

    def limit_ms(self, kind: str) -> int:
        """How long complaints of a kind may wait."""
        return round((self.high_net_worth_hours if kind == HIGH_NET_WORTH else self.hours) * HOUR_MS)

    def warns_ms(self, kind: str) -> int:
        """After how long it warns."""
        return math.ceil(share_of(self.limit_ms(kind), self.warn_share))


class ComplaintSla(Rule[ComplaintView, ComplaintSlaLimits]):
    """The hours since the opening, until there is an answer; both figures to the minute in which they are reached.

    · 自提交起至答复为止的小时数；两个数值均精确到分钟。
    """

    id, subject, judged, waits = "complaint_sla", "complaint", "at close", True
    title, source = Bilingual(en="A complaint is not answered in time", zh="投诉超时未答复"), "4.3, 8.3, 9.3"
    reads = ("complaints",)
    actions = {"escalate": "auto"}
    limits = ComplaintSlaLimits

    def horizons(self, limits: ComplaintSlaLimits, now_ms: int, around: Surroundings) -> Mapping[str, int]:
        """The openings for which it is time to warn, and those for which time is up; and what is answered by now."""
        cutoffs = {
            f"{kind}:{what}": around.calendar.cutoff(now_ms, wait(kind), limits.basis)
            for kind in (NORMAL, HIGH_NET_WORTH)
            for what, wait in (("warns", limits.warns_ms), ("trips", limits.limit_ms))
        }
        return {**cutoffs, ANSWERED: now_ms}

    def judge(self, view: ComplaintView, limits: ComplaintSlaLimits, now_ms: int) -> Verdict:
        """How long it has waited by now; an answered one waits no more."""
        opening = view.open_at(now_ms)
        if opening is None:
            return Verdict("calm", 0.0, limits.hours, Span(now_ms, now_ms), limits.hours)
        limit_ms, warns_ms = limits.limit_ms(opening.kind), limits.warns_ms(opening.kind)
        waited_ms = view.waited_ms(now_ms, limits.basis)
        late = waited_ms >= limit_ms
        return Verdict(
            "breach" if late else "calm",
            _hours(waited_ms),
            _hours(limit_ms),
            Span(opening.at_ms, now_ms),
            _hours(warns_ms),
            level=int(late),
        )

    def orders(self, case: Case[ComplaintView, ComplaintSlaLimits]) -> Iterable[Order]:
        """Calls people once it is overdue."""
        return [Order("escalate", case.subject, 1)] if case.verdict.level else []

    def detail(self, case: Case[ComplaintView, ComplaintSlaLimits]) -> Mapping[str, Any]:
        """What the complaint is, and when the answer is due."""
        opening = case.view.open_at(case.now_ms)
        if opening is None:
            return {}
        return {
            "opened_at": written(opening.at_ms),
            "due_at": written(_due_ms(opening, case)),
            "basis": case.limits.basis,
            "high_net_worth": opening.high_net_worth,
            "channel": opening.channel,
            "product": opening.product,
            "entry": opening.entry,
        }

    def words(self, case: Case[ComplaintView, ComplaintSlaLimits]) -> Words:
        """How long it has waited, of how many hours, where it came from, and when the answer is or was due."""
        opening, limit = case.view.open_at(case.now_ms), f"{case.verdict.threshold:g}"
        waited = f"{math.floor(round(case.verdict.value * 10, 6)) / 10:.1f}"
        working, rich = case.limits.basis == "working", opening is not None and opening.high_net_worth
        unit = Bilingual(en="working h" if working else "h", zh="个工作小时" if working else "小时")
        client = Bilingual(en=" (high-net-worth client)", zh="（高净值客户）") if rich else Bilingual(en="", zh="")
        return Words(
            Bilingual(
                en=f"Complaint {case.name}{client.en}: {waited} {unit.en} without an answer, limit {limit}",
                zh=f"投诉 {case.name}{client.zh}：{waited} {unit.zh}未答复，时限 {limit} {unit.zh}",
            ),
            Bilingual(en="", zh="") if opening is None else _story(opening, case),
        )


def _story(opening: Opening, case: Case[ComplaintView, ComplaintSlaLimits]) -> Bilingual:
    """Where it came from, and when the answer is or was due."""
    opened, due = (f"{case.days.local(at):%Y-%m-%d %H:%M}" for at in (opening.at_ms, _due_ms(opening, case)))
    channel, entry = case.called(f"channel:{opening.channel}"), _ENTRIES[opening.entry]
    about = Bilingual(en="", zh="")
    if opening.product is not None:
        product = case.called(f"product:{opening.product}")
        about = Bilingual(en=f" about product {product.en}", zh=f"，涉及产品 {product.zh}")
    late = case.verdict.level > 0
    return Bilingual(
        en=f"Opened on {opened} {entry.en} on channel {channel.en}{about.en}. "
        f"The answer {'was' if late else 'is'} due by {due}.",
        zh=f"{opened} 经{entry.zh}提交，渠道 {channel.zh}{about.zh}。{'已于' if late else '须于'} {due} "
        f"{'超过答复时限' if late else '前答复'}。",
    )


def _due_ms(opening: Opening, case: Case[ComplaintView, ComplaintSlaLimits]) -> int:
    limit_ms = case.limits.limit_ms(opening.kind)
    return case.around.calendar.deadline(opening.at_ms, limit_ms, case.limits.basis)


def _hours(ms: int) -> float:
    """As in a sentence, but finer than a second: what is due at a whole second is not called due before."""
    return round(ms / HOUR_MS, 4)


def _opened(hours_ago: float, **more: Any) -> Any:
    """A complaint so many hours before ten in the morning."""
    fields = {"channel_id": "douyin", "complaint_id": "c-1", "entry": "hotline", **more}
    return event("complaint_opened", -hours_ago * 3600, **fields)


ComplaintSla.examples = (
    fires(_opened(48)),
    fires(_opened(2, segment="high_net_worth")),
    silent(_opened(46.9)),
    silent(_opened(48), event("complaint_answered", complaint_id="c-1")),
)
