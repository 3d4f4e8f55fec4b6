"""Clicks that buy nothing: past so many clicks per purchase over six hours, the team is told."""

from schemas.base import Bilingual
from services.indicators.examples import amounts, fires, silent
from services.indicators.rule import Case, Limits, Rule, Verdict, Words, graded
from services.indicators.subjects.channel_view import ChannelView


class IdleClicksLimits(Limits):
    clicks_per_purchase: int = 1000


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
        text = Bilingual(
            en=f"{case.label.en}: {case.verdict.value:,.0f} clicks per purchase", zh=f"{case.label.zh}：点击不成交"
        )
        return Words(title=text, summary=text)
