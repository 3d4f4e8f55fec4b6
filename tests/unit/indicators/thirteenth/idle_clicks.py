"""Clicks that buy nothing: past so many per purchase over six hours, the team is told. · 点击多而不成交时通知团队。"""

from schemas.base import Bilingual
from services.indicators.examples import amounts, fires, silent
from services.indicators.rule import Case, Limits, Rule, Verdict, Words, graded
from services.indicators.subjects.channel_view import ChannelView


class IdleClicksLimits(Limits):
    clicks_per_purchase: int = 1000
    """So many clicks for one purchase are too many. · 每笔成交的点击数上限。"""


class IdleClicks(Rule[ChannelView, IdleClicksLimits]):
    id, subject, judged, reads = "idle_clicks", "channel", "at close", ("clicks", "purchases")
    title, source = Bilingual(en="Clicks that buy nothing", zh="点击不成交"), "ours"
    limits = IdleClicksLimits
    examples = (fires(amounts("clicks", 2000), amounts("purchases", 2)), silent(amounts("clicks", 999)))

    def judge(self, view: ChannelView, limits: IdleClicksLimits, now_ms: int) -> Verdict:
        span = view.trailing(now_ms, hours=6)
        clicks, purchases = view.total("clicks", span), view.total("purchases", span)
        samples = {"clicks": clicks, "purchases": purchases}
        return graded(clicks / max(purchases, 1), [limits.clicks_per_purchase], span, samples=samples)

    def words(self, case: Case[ChannelView, IdleClicksLimits]) -> Words:
        name, figure = case.label, f"{case.verdict.value:,.0f}"
        text = Bilingual(en=f"{name.en}: {figure} clicks per purchase", zh=f"{name.zh}：每笔成交 {figure} 次点击")
        return Words(title=text, summary=text)
