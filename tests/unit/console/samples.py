"""Messages for the console's tests."""

from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any, Literal

from schemas.alerts import AlertState
from schemas.audit import AuditRecord
from schemas.base import Bilingual
from schemas.channels import ChannelState
from services.console.people import Person
from services.runtime.ids import derive

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)


def person(role: Literal["viewer", "operator"] = "operator", name: str = "li.wei") -> Person:
    """The holder of the token that is the role's name."""
    return Person(name=name, sha256=sha256(role.encode()).hexdigest(), role=role)


def channel(target: str, generation: int = 1) -> ChannelState:
    """A target that runs."""
    platform: Any = {"wanted": "running"}
    return ChannelState(target=target, generation=generation, status="running", factor=1.0, platform=platform)


def alert(name: str, status: Literal["open", "resolved"] = "open", minutes: int = 0, **fields: Any) -> AlertState:
    """An alert that was opened so many minutes after NOW."""
    text = Bilingual(en="x", zh="x")
    known: dict[str, Any] = {
        "alert_id": derive(name),
        "status": status,
        "severity": "critical",
        "indicator": "complaint_volume",
        "subject": "channel:douyin",
        "level": 1,
        "title": text,
        "summary": text,
        "opened_at": NOW + timedelta(minutes=minutes),
        "event_time": None,
        "value": None,
        "threshold": None,
        "evidence": None,
    }
    return AlertState(**known | fields)


def audit(name: str, **fields: Any) -> AuditRecord:
    """What channel_control wrote of an order."""
    known: dict[str, Any] = {
        "audit_id": derive("audit", name),
        "at": NOW,
        "writer": "channel_control:0",
        "who": "person:li.wei",
        "what": "pause",
        "target": "channel:douyin",
        "outcome": "done",
        "command_id": derive(name),
    }
    return AuditRecord(**known | fields)
