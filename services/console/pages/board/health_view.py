"""The health of Tidegate itself, as far as the console sees it: a line for each thing to look at. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

from schemas.alerts import AlertState
from schemas.base import Bilingual
from schemas.channels import ChannelState
from services.console.pages.board.standing import person
from services.runtime.health import PartState

Tone = Literal["good", "warning", "bad"]
SILENT: Final = timedelta(minutes=3)
"""Panes close once a minute and half a minute late: after three without a reading nobody judges."""


@dataclass(frozen=True, slots=True)
class Line:
    """One thing: what, how it is, since when. href: where to read on."""

    what: Bilingual
    tone: Tone
    said: Bilingual
    since: datetime | None = None
    href: str | None = None


def lines(
    parts: Iterable[PartState], switch: ChannelState | None, label: str | None, about: Sequence[AlertState]
) -> list[Line]:
    """Reading, automation, the policy, and what the watchdog and the platforms say."""
    return [_reading(parts), _automation(switch), _policy(label), *_alerts(about)]


def judging(newest: datetime | None, now: datetime) -> Line:
    """Whether the indicators go on; newest: the end of the last pane of which they told."""
    what = Bilingual(en="Indicators", zh="指标计算")
    if newest is None:
        return Line(what, "warning", Bilingual(en="no reading yet", zh="暂无读数"))
    if now - newest > SILENT:
        return Line(what, "bad", Bilingual(en="silent: nothing is judged", zh="中断：新数据未被判断"), newest)
    return Line(what, "good", Bilingual(en="judging", zh="正常"), newest)


def _reading(parts: Iterable[PartState]) -> Line:
    what, behind = Bilingual(en="This page", zh="本页数据"), [part for part in parts if not part.ready]
    if not behind:
        return Line(what, "good", Bilingual(en="up to date", zh="最新"))
    topics = ", ".join(f"{part.name} ({part.reason})" for part in behind)
    names = "、".join(part.name for part in behind)
    return Line(what, "bad", Bilingual(en=f"may be old: {topics}", zh=f"可能不是最新，尚未读完：{names}"))


def _automation(switch: ChannelState | None) -> Line:
    what = Bilingual(en="Automation", zh="自动处置")
    if switch is None or not switch.holds:
        return Line(what, "good", Bilingual(en="on", zh="开启"))
    hold = switch.holds[0]
    who, why = person(hold.by) or hold.by, hold.reason or ""
    said = Bilingual(
        en=f"off, by {who}: {why}. Whatever would act asks people first.",
        zh=f"已由 {who} 关闭：{why}。所有自动措施均先请求人工批准。",
    )
    return Line(what, "bad", said, hold.since)


def _policy(label: str | None) -> Line:
    what = Bilingual(en="Policy in force", zh="生效策略")
    if label is None:
        return Line(what, "warning", Bilingual(en="none: the defaults", zh="无，使用默认值"))
    return Line(what, "good", Bilingual(en=label, zh=label), href="/policy")


def _alerts(about: Sequence[AlertState]) -> list[Line]:
    what = Bilingual(en="Watchdog and platforms", zh="自检与平台")
    if not about:
        return [Line(what, "good", Bilingual(en="nothing to say", zh="无异常"))]
    return [
        Line(
            what,
            "warning" if alert.severity == "info" else "bad",
            alert.title,
            alert.opened_at,
            f"/alerts/{alert.alert_id}",
        )
        for alert in about
    ]
