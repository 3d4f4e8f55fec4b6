"""Alerts for the tests of incidents."""

from datetime import UTC, datetime, timedelta
from typing import Any

from schemas.alerts import AlertState
from schemas.base import Bilingual, Window
from schemas.commands import Evidence, PolicyVersion
from services.runtime.ids import derive

NOON = datetime(2026, 11, 23, 4, tzinfo=UTC)


def alert(
    name: str, minutes: float = 0, indicator: str = "complaint_volume", detail: Any = None, **fields: Any
) -> AlertState:
    """An alert that was opened so many minutes after NOON, with this in its evidence."""
    at = NOON + timedelta(minutes=minutes)
    known: dict[str, Any] = {
        "alert_id": derive(name),
        "status": "open",
        "severity": "critical",
        "indicator": indicator,
        "subject": f"channel:{name}",
        "level": 1,
        "title": Bilingual(en=f"{name} in trouble", zh=f"{name} 异常"),
        "summary": Bilingual(en="so it is", zh="如此"),
        "opened_at": at,
        "event_time": at,
        "value": 20.0,
        "threshold": 20.0,
    }
    return AlertState(**known | {"evidence": evidence(indicator, f"channel:{name}", at, detail)} | fields)


def evidence(indicator: str, subject: str, at: datetime, detail: Any, **fields: Any) -> Evidence:
    """On what an alert rests."""
    known: dict[str, Any] = {
        "indicator": indicator,
        "subject": subject,
        "value": 20.0,
        "threshold": 20.0,
        "window": Window(from_=at - timedelta(hours=1), to=at),
        "policy": PolicyVersion(name="default", version=7),
        "detail": detail or {},
    }
    return Evidence(**known | fields)
