"""Clicks from one address in the trailing minute: the address and its busiest accounts are frozen, experts called.

· 同一地址最近一分钟内的点击：冻结该地址及其最活跃的账户，并上报专家。
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Annotated, Any

from pydantic import Field

from schemas.base import Bilingual
from schemas.policy import Clearing
from services.indicators.examples import clicks, fires, silent
from services.indicators.rule import Case, Limits, Order, Rule, Verdict, Words, doubling
from services.indicators.subjects.actor_view import ActorView
from services.indicators.tracing import freezes, shown, written

SECONDS = 60


class ClickFraudLimits(Limits):
    """Figures of click_fraud."""

    clicks: Annotated[int, Field(ge=2)] = 100
    """From one address in the trailing minute. · 最近一分钟内同一地址的点击数。"""
    account_clicks: Annotated[int, Field(ge=1)] = 20
    """Of these clicks, from which on an account is frozen too. · 其中某账户达到此数时一并冻结。"""
    max_accounts: Annotated[int, Field(ge=0, le=1000)] = 50
    """No more accounts than this are frozen in one episode. · 单次异常中最多冻结的账户数。"""


class ClickFraud(Rule[ActorView, ClickFraudLimits]):
    """The count of the trailing minute; level k at 2^(k−1) times the threshold, and likewise for each account.

    · 最近一分钟的点击数；达到阈值的 2^(k−1) 倍为第 k 级，各账户同理。
    """

    id, subject, judged = "click_fraud", "actor", "at once"
    title, source = Bilingual(en="Clicks from one address", zh="同一地址异常点击"), "4.3, 9.2"
    reads = ("clicks",)
    actions = {"freeze": "auto", "escalate": "auto"}
    clearing = Clearing(below=0.5, hold=timedelta(minutes=5))
    limits = ClickFraudLimits
    examples = (
        fires(clicks(100, within=55)),
        silent(clicks(99, within=55)),
        silent(clicks(200, within=600)),
    )

    def judge(self, view: ActorView, limits: ClickFraudLimits, now_ms: int) -> Verdict:
        """Counts the pane of the moment and the twelve before."""
        span = view.trailing(now_ms, seconds=SECONDS)
        count = view.clicks(span)
        return doubling(count, limits.clicks, span, samples={"clicks": count})

    def floor(self, limits: ClickFraudLimits) -> int:
        """With fewer clicks there is nothing to see."""
        return limits.clicks

    def orders(self, case: Case[ActorView, ClickFraudLimits]) -> Iterable[Order]:
        """Freezes the address and escalates at every level; freezes an account at each doubling of its own figure."""
        for level in range(1, case.verdict.level + 1):
            yield Order("freeze", case.subject, level)
            yield Order("escalate", case.subject, level)
        counts, limits = case.view.accounts(case.verdict.span), case.limits
        yield from freezes(counts, limits.account_clicks, limits.max_accounts, case.given, _why)

    def detail(self, case: Case[ActorView, ClickFraudLimits]) -> Mapping[str, Any]:
        """The trace: channels, links and accounts with their clicks, the first click and the last."""
        found = case.view.each(case.verdict.span)
        counts: dict[str, Counter[str]] = {"channel": Counter(), "link": Counter(), "account": Counter()}
        for click in found:
            for kind, count in counts.items():
                if (name := getattr(click, kind)) is not None:
                    count[name] += click.clicks
        trace = shown(**counts)
        if found:
            trace["first_click"], trace["last_click"] = (written(found[index].at_ms) for index in (0, -1))
        return {"trace": trace}

    def words(self, case: Case[ActorView, ClickFraudLimits]) -> Words:
        """How many clicks, and on how many channels with how many accounts."""
        verdict, count = case.verdict, int(case.verdict.value)
        trace = self.detail(case)["trace"]
        since, until = (case.clock(at, seconds=True) for at in (verdict.span.start, verdict.span.end))
        channels = ", ".join(list(trace["channels"])[:3])
        return Words(
            Bilingual(
                en=f"{count} clicks within {SECONDS} s from one address, limit {case.limits.clicks}",
                zh=f"同一地址 {SECONDS} 秒内点击 {count} 次，阈值 {case.limits.clicks} 次",
            ),
            Bilingual(
                en=f"Address {case.name} clicked {count} times between {since} and {until}: {trace['channel_count']} "
                f"channels (most on {channels}), {trace['link_count']} links, {trace['account_count']} accounts. "
                "If many people share it (an office, a carrier), add it to shared_addresses.",
                zh=f"地址 {case.name} 在 {since} 至 {until} 间点击 {count} 次，涉及渠道 {trace['channel_count']} 个"
                f"（主要为 {channels}）、链接 {trace['link_count']} 个、账户 {trace['account_count']} 个。"
                "若为多人共用地址（办公网、运营商出口），请加入 shared_addresses。",
            ),
        )


def _why(account: str, count: int) -> Bilingual:
    return Bilingual(
        en=f"Account {account} made {count} of the clicks of one suspicious address within {SECONDS} s.",
        zh=f"账户 {account} 在 {SECONDS} 秒内占可疑地址点击中的 {count} 次。",
    )
