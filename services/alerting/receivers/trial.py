"""A marked test alert, to find out whether a receiver takes messages."""

from datetime import timedelta

from schemas.alerts import AlertState, Change, Language, WebhookMessage
from schemas.base import Bilingual, HexId, Instant, Severity, to_ms
from services.alerting.telling import SEVERITIES, Due
from services.runtime.ids import derive

_TITLE = Bilingual(en="TEST, nothing has happened", zh="测试消息，并无异常")
_SUMMARY = Bilingual(
    en="Somebody tries with `tidegate alert test` whether messages arrive here. The links lead to no alert.",
    zh="有人正在用 `tidegate alert test` 测试此处能否收到消息，链接不指向任何告警。",
)


def trial(
    alert_id: HexId, receiver: str, now: Instant, change: Change, *, severity: Severity, language: Language
) -> Due:
    """The message that opens the test alert of this id, or the one that ends it."""
    over = change == "alert.resolved"
    state = AlertState(
        alert_id=alert_id,
        status="resolved" if over else "open",
        severity=severity,
        indicator="test",
        subject=f"receiver:{receiver}",
        level=1,
        title=_TITLE,
        summary=_SUMMARY,
        opened_at=now - timedelta(seconds=1) if over else now,
        event_time=None,
        resolved_at=now if over else None,
        value=None,
        threshold=None,
        evidence=None,
        labels={"test": "true"},
    )
    return Due(
        webhook_id=derive(alert_id, change),
        alert_id=alert_id,
        number=0,
        change=change,
        rank=(SEVERITIES.index(severity), 1),
        decided_ms=to_ms(now),
        body=WebhookMessage(type=change, timestamp=now, data=state).model_dump_json(),
        receiver=receiver,
        language=language,
    )
