"""Complaints opened today on one channel: at the threshold the channel is paused. A guardrail.

· 渠道当日新增投诉：达到阈值即暂停渠道。属于护栏。
"""

from collections.abc import Iterable, Mapping
from typing import Annotated, Any

from pydantic import Field

from schemas.base import Bilingual
from services.indicators.examples import complaints, fires, silent
from services.indicators.rule import Case, Limits, Order, Rule, Verdict, Words, doubling, share_of
from services.indicators.subjects.channel_view import ChannelView
from services.indicators.tracing import shown


class ComplaintVolumeLimits(Limits):
    """Figures of complaint_volume."""

    complaints: Annotated[int, Field(ge=1)] = 20
    """Counted complaints of a business day. · 一个业务日内计入的投诉数。"""
    warn_share: Annotated[float, Field(gt=0, le=1)] = 0.6
    """Share of that at which it warns. · 达到阈值的此比例时预警。"""
    per_person: Annotated[int, Field(ge=1)] = 3
    """At most so many count per account or address. · 每个账户或地址最多计入的投诉数。"""
    anonymous_share: Annotated[float, Field(ge=0, le=1)] = 0.5
    """One-click complaints without an account make up at most this share of `complaints`.
    · 无账户的一键投诉最多占 `complaints` 的此比例。"""


class ComplaintVolume(Rule[ChannelView, ComplaintVolumeLimits]):
    """The count of a day; level k at 2^(k−1) times the threshold.

    · 一个业务日的数量；达到阈值的 2^(k−1) 倍为第 k 级。
    """

    id, subject, judged, per_day = "complaint_volume", "channel", "at once", True
    title, source = Bilingual(en="Complaints of a day", zh="当日投诉量"), "4.3"
    reads = ("complaints",)
    actions = {"pause": "auto"}
    limits = ComplaintVolumeLimits
    examples = (
        fires(complaints(20)),
        silent(complaints(19)),
        silent(complaints(60, account="one-person")),
        silent(complaints(60, anonymous=True)),
    )

    def judge(self, view: ChannelView, limits: ComplaintVolumeLimits, now_ms: int) -> Verdict:
        """Counts the business day up to now."""
        today = view.today(now_ms)
        tally = view.complaints(today, per_person=limits.per_person)
        count = tally.count(int(share_of(limits.complaints, limits.anonymous_share)))
        samples = {"complaints_opened": tally.opened, "complaints_counted": count, "anonymous": tally.anonymous}
        warns_at = share_of(limits.complaints, limits.warn_share)
        return doubling(count, limits.complaints, today, warns_at=warns_at, samples=samples)

    def orders(self, case: Case[ChannelView, ComplaintVolumeLimits]) -> Iterable[Order]:
        """A pause at every level: a channel that was resumed by hand stops again."""
        return [Order("pause", case.subject, level) for level in range(1, case.verdict.level + 1)]

    def detail(self, case: Case[ChannelView, ComplaintVolumeLimits]) -> Mapping[str, Any]:
        """The products that most complaints are about, as far as they name one."""
        return shown(product=case.view.complained_of(case.verdict.span))

    def words(self, case: Case[ChannelView, ComplaintVolumeLimits]) -> Words:
        """How many today, and of how many in all."""
        verdict, limit = case.verdict, case.limits.complaints
        count, opened = int(verdict.value), verdict.samples["complaints_opened"]
        next_at = limit * 2**verdict.level
        since, until = case.clock(verdict.span.start), case.clock(case.now_ms)
        then = Bilingual(en=f"The channel pauses at {next_at}.", zh=f"达到 {next_at} 件时暂停渠道。")
        if verdict.level:
            then = Bilingual(
                en=f"If it is resumed, it pauses again at {next_at}.", zh=f"若人工恢复，达到 {next_at} 件时再次暂停。"
            )
        return Words(
            Bilingual(
                en=f"Channel {case.label.en}: {count} complaints today, limit {limit}",
                zh=f"渠道 {case.label.zh}：今日投诉 {count} 件，阈值 {limit} 件",
            ),
            Bilingual(
                en=f"From {since} to {until}, {opened} complaints were opened; {count} count, at most "
                f"{case.limits.per_person} per account or address. {then.en}",
                zh=f"{since} 至 {until} 共收到投诉 {opened} 件，计入 {count} 件"
                f"（每个账户或地址最多计 {case.limits.per_person} 件）。{then.zh}",
            ),
        )
