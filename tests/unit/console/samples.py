"""Messages for the console's tests."""

from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any, Literal

from schemas.alerts import AlertState
from schemas.audit import AuditRecord
from schemas.base import Bilingual
from schemas.channels import ChannelState, FourEyesRequest, Hold
from services.console.people import Role, TokenHolder
from services.runtime.ids import derive

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)


def person(role: Role = "operator", name: str = "li.wei") -> TokenHolder:
    """The holder of the token that is the role's name."""
    return TokenHolder(name=name, sha256=sha256(role.encode()).hexdigest(), role=role)


def channel(target: str, generation: int = 1, *holds: Hold, seq: int = 0) -> ChannelState:
    """A target that runs."""
    platform: Any = {"wanted": "running"}
    known: dict[str, Any] = {"target": target, "generation": generation, "status": "running", "factor": 1.0}
    return ChannelState(**known, seq=seq, holds=list(holds), platform=platform)


def waiting(name: str, minutes: int = 0, **fields: Any) -> Hold:
    """A throttle that waits for approval, for four hours from so many minutes after NOW on."""
    since = NOW + timedelta(minutes=minutes)
    known: dict[str, Any] = {
        "hold_id": derive("hold", name),
        "kind": "throttle",
        "factor": 0.5,
        "indicator": "complaint_rate",
        "alert_id": derive(name),
        "since": since,
        "by": "indicator:complaint_rate",
        "approval": "waiting",
        "decide_by": since + timedelta(hours=4),
        "reason": "2.5% complaints per purchase",
    }
    return Hold(**known | fields)


def asked(name: str, minutes: int = 0, *holds: Hold) -> FourEyesRequest:
    """A resume of these holds that waits for two others, for four hours from so many minutes after NOW on."""
    since = NOW + timedelta(minutes=minutes)
    return FourEyesRequest(
        request_id=derive("request", name),
        command="resume",
        by="person:li.wei",
        since=since,
        decide_by=since + timedelta(hours=4),
        hold_ids=[hold.hold_id for hold in holds],
        approvals_needed=2,
        reason="called the platform",
    )


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
