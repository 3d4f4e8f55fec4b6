"""One-click complaints from one address in the trailing ten minutes: the address and its busiest accounts are frozen,
experts called.

· 同一地址最近十分钟内的一键投诉：冻结该地址及其最活跃的账户，并上报专家。
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Annotated, Any

from pydantic import Field

from schemas.base import Bilingual
from schemas.policy import Clearing
from services.indicators.examples import Happening, event, fires, silent
from services.indicators.rule import Case, Limits, Order, Rule, Verdict, Words, doubling
from services.indicators.subjects.actor_view import ActorView
from services.indicators.tracing import freezes, shown, written

MINUTES = 10


class ComplaintFloodLimits(Limits):
    """Figures of complaint_flood."""

    complaints: Annotated[int, Field(ge=2)] = 5
    """Different ones by one click from one address in the trailing ten minutes.
    · 最近十分钟内同一地址的不同一键投诉数。"""
    account_complaints: Annotated[int, Field(ge=1)] = 2
    """Of these complaints, from which on an account is frozen too. · 其中某账户达到此数时一并冻结。"""
    max_accounts: Annotated[int, Field(ge=0, le=1000)] = 50
    """No more accounts than this are frozen in one episode. · 单次异常中最多冻结的账户数。"""


class ComplaintFlood(Rule[ActorView, ComplaintFloodLimits]):
    """The count of the trailing ten minutes; level k at 2^(k−1) times the threshold, and likewise for each account.

    · 最近十分钟的投诉数；达到阈值的 2^(k−1) 倍为第 k 级，各账户同理。
    """

    id, subject, judged = "complaint_flood", "actor", "at once"
    title, source = Bilingual(en="One-click complaints from one address", zh="同一地址集中投诉"), "9.2"
    reads = ("complaints",)
    actions = {"freeze": "auto", "escalate": "auto"}
    clearing = Clearing(below=0.5, hold=timedelta(minutes=10))
    limits = ComplaintFloodLimits

    def judge(self, view: ActorView, limits: ComplaintFloodLimits, now_ms: int) -> Verdict:
        """Counts the pane of the moment and those of the ten minutes before."""
        span = view.trailing(now_ms, seconds=MINUTES * 60)
        count = view.complaints(span)
        return doubling(count, limits.complaints, span, samples={"complaints": count})

    def floor(self, limits: ComplaintFloodLimits) -> int:
        """With fewer complaints there is nothing to see."""
        return limits.complaints

    def orders(self, case: Case[ActorView, ComplaintFloodLimits]) -> Iterable[Order]:
        """Freezes the address and escalates at every level; freezes an account at each doubling of its own figure."""
        for level in range(1, case.verdict.level + 1):
            yield Order("freeze", case.subject, level)
            yield Order("escalate", case.subject, level)
        counts, limits = case.view.complaints_by_account(case.verdict.span), case.limits
        yield from freezes(counts, limits.account_complaints, limits.max_accounts, case.given, _why)

    def detail(self, case: Case[ActorView, ComplaintFloodLimits]) -> Mapping[str, Any]:
        """The trace: channels and accounts with their complaints, how many there are, the first and the last."""
        found = case.view.each_complaint(case.verdict.span)
        trace = shown(
            channel=Counter(each.channel for each in found),
            account=case.view.complaints_by_account(case.verdict.span),
        )
        trace["complaint_count"] = len(found)
        if found:
            trace["first_complaint"], trace["last_complaint"] = (written(found[index].at_ms) for index in (0, -1))
        return {"trace": trace}

    def words(self, case: Case[ActorView, ComplaintFloodLimits]) -> Words:
        """How many complaints, on how many channels, with how many accounts."""
        verdict, count = case.verdict, int(case.verdict.value)
        trace = self.detail(case)["trace"]
        since, until = (case.clock(at, seconds=True) for at in (verdict.span.start, verdict.span.end))
        most = [case.called(f"channel:{name}") for name in list(trace["channels"])[:3]]
        return Words(
            Bilingual(
                en=f"{count} one-click complaints within {MINUTES} min from one address, "
                f"limit {case.limits.complaints}",
                zh=f"同一地址 {MINUTES} 分钟内一键投诉 {count} 件，阈值 {case.limits.complaints} 件",
            ),
            Bilingual(
                en=f"Address {case.name} complained {count} times between {since} and {until}: "
                f"{trace['channel_count']} channels (most on {', '.join(each.en for each in most)}), "
                f"{trace['account_count']} accounts. Real customers may be among them: answer their complaints. "
                "If many people share the address (an office, a carrier), add it to shared_addresses.",
                zh=f"地址 {case.name} 在 {since} 至 {until} 间一键投诉 {count} 件，涉及渠道 {trace['channel_count']} 个"
                f"（主要为 {'、'.join(each.zh for each in most)}）、账户 {trace['account_count']} 个。"
                "其中可能有真实客户，其投诉仍须答复。若为多人共用地址（办公网、运营商出口），请加入 shared_addresses。",
            ),
        )


def _why(account: str, count: int) -> Bilingual:
    return Bilingual(
        en=f"Account {account} made {count} of the complaints of one suspicious address within {MINUTES} min.",
        zh=f"账户 {account} 在 {MINUTES} 分钟内占可疑地址一键投诉中的 {count} 件。",
    )


def _complaints(number: int, *, every: float, entry: str = "one_click", ids: int = 100) -> list[Happening]:
    """Complaints from one address, one after the other."""
    happenings = []
    for n in range(number):
        fields = {"channel_id": "douyin", "complaint_id": f"c-{n % ids}", "entry": entry, "ip": "203.0.113.7"}
        happenings += event("complaint_opened", n * every, **fields)
    return happenings


ComplaintFlood.examples = (
    fires(_complaints(5, every=140)),
    silent(_complaints(4, every=10)),
    silent(_complaints(20, every=160)),
    silent(_complaints(20, every=10, entry="hotline")),
    silent(_complaints(20, every=10, ids=4)),
)
