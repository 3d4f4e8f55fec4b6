"""What a message says: the worst alert as a whole, and of several a list, counts and a sentence in both languages."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from schemas.alerts import AlertLine, AlertState, Change, GroupNote, Occasion, WebhookMessage
from schemas.base import Bilingual, HexId, Instant

MOST_LINES: Final = 50
MOST_COUNTS: Final = 10
_NAMED: Final = 3


class Line(NamedTuple):
    """An alert and what a message tells of it."""

    alert: AlertState
    change: Change
    occasion: Occasion


About = tuple[HexId, dict[str, str], Sequence[AlertState]]
"""A group: its id, what its alerts have in common, and those of them that are open now."""


def body(lines: Sequence[Line], occasion: Occasion, at: Instant, zone: ZoneInfo, group: About | None) -> str:
    """The JSON of a message. lines: what it tells, the worst first. zone: in which people read times."""
    lead = lines[0]
    message = WebhookMessage(
        type=lead.change,
        timestamp=at,
        data=lead.alert,
        occasion=occasion,
        headline=_headline(lines, occasion, zone),
        group=None if group is None else _note(lines, *group),
    )
    return message.model_dump_json()


def _note(lines: Sequence[Line], group_id: HexId, labels: dict[str, str], standing: Sequence[AlertState]) -> GroupNote:
    return GroupNote(
        group_id=group_id,
        labels=labels,
        open=len(standing),
        by_indicator=_counts(alert.indicator for alert in standing),
        by_subject=_counts(alert.subject for alert in standing),
        alerts=[_line(each) for each in lines[:MOST_LINES]],
        more=max(0, len(lines) - MOST_LINES),
    )


def _line(told: Line) -> AlertLine:
    alert = told.alert
    return AlertLine(
        alert_id=alert.alert_id,
        change=told.change,
        occasion=told.occasion,
        severity=alert.severity,
        level=alert.level,
        indicator=alert.indicator,
        subject=alert.subject,
        title=alert.title,
        opened_at=alert.opened_at,
        resolved_at=alert.resolved_at,
    )


def _counts(names: Iterable[str]) -> dict[str, int]:
    """The most frequent first, and of those alike in the order of their names."""
    counted = sorted(Counter(names).items(), key=lambda each: (-each[1], each[0]))
    return dict(counted[:MOST_COUNTS])


def _headline(lines: Sequence[Line], occasion: Occasion, zone: ZoneInfo) -> Bilingual | None:
    lead = lines[0].alert
    if len(lines) > 1:
        return _before(_ESCALATED, _summary(lines)) if occasion == "escalated" else _summary(lines)
    if occasion == "story":
        return _story(lead, zone)
    if occasion == "escalated":
        return _before(_ESCALATED, lead.title)
    return _before(_REMINDER, lead.title) if occasion == "reminder" else None


_ESCALATED: Final = Bilingual(en="Nobody has acknowledged this yet: ", zh="尚无人确认：")
_REMINDER: Final = Bilingual(en="Acknowledged, but still firing: ", zh="已确认但仍未恢复：")


def _before(first: Bilingual, then: Bilingual) -> Bilingual:
    return Bilingual(en=first.en + then.en, zh=first.zh + then.zh)


def _story(alert: AlertState, zone: ZoneInfo) -> Bilingual:
    """Of an alert that was over before anyone could be told."""
    begun, ended = (
        f"{at.astimezone(zone):%Y-%m-%d %H:%M}" for at in (alert.opened_at, alert.resolved_at or alert.opened_at)
    )
    return Bilingual(
        en=f"Was open from {begun} to {ended}, is over: {alert.title.en}",
        zh=f"已结束（{begun} 至 {ended}）：{alert.title.zh}",
    )


def _summary(lines: Sequence[Line]) -> Bilingual:
    """`12 alerts on 9 subjects, 3 of them critical, 2 over: complaint_rate 7, click_fraud 5. The worst: …`"""
    alerts = [each.alert for each in lines]
    subjects = len({alert.subject for alert in alerts})
    critical = sum(alert.severity == "critical" and alert.status != "resolved" for alert in alerts)
    over = sum(alert.status == "resolved" for alert in alerts)
    named = list(_counts(alert.indicator for alert in alerts).items())[:_NAMED]
    en = f"{len(alerts)} alerts on {subjects} subject{'s' if subjects > 1 else ''}"
    en += (f", {critical} critical" if critical else "") + (f", {over} over" if over else "")
    zh = f"{subjects} 个对象共 {len(alerts)} 条告警"
    zh += (f"，其中严重 {critical} 条" if critical else "") + (f"，已结束 {over} 条" if over else "")
    kinds_en, kinds_zh = ", ".join(f"{n} {c}" for n, c in named), "、".join(f"{n} {c}" for n, c in named)
    worst = alerts[0].title
    return Bilingual(
        en=f"{en}: {kinds_en}. The worst: {worst.en}",
        zh=f"{zh}：{kinds_zh}。最严重：{worst.zh}",
    )
