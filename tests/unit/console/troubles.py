"""Alerts with all that belongs to them, for the tests of their pages."""

from datetime import datetime, timedelta
from typing import Any

from schemas.alerts import ActionTaken, AlertState
from schemas.base import Bilingual, Window
from schemas.channels import ChannelState, Hold
from schemas.commands import Code, Evidence, PolicyVersion, SourceRange
from services.runtime.ids import derive
from tests.unit.console.samples import NOW, alert, asked, waiting


def evidence(indicator: str, subject: str, at: datetime = NOW, detail: Any = None, **fields: Any) -> Evidence:
    """On what an alert rests."""
    known: dict[str, Any] = {
        "indicator": indicator,
        "subject": subject,
        "value": 20.0,
        "threshold": 20.0,
        "window": Window(from_=at - timedelta(hours=9), to=at),
        "samples": {"complaints_opened": 20, "complaints_counted": 19, "anonymous": 1},
        "policy": PolicyVersion(name="default", version=7),
        "code": Code(rule=indicator, digest="ab33c4fd87d0"),
        "sources": [SourceRange(topic="complaint-events", partition=0, from_=1200, to=1290)],
        "detail": {"products": {"fund-a": 14, "fund-b": 5}} if detail is None else detail,
    }
    return Evidence(**known | fields)


def step(what: str, target: str, state: str, minutes: int = 0, by: str = "indicator:complaint_volume") -> ActionTaken:
    """How far an order has come."""
    moment = NOW + timedelta(minutes=minutes)
    known: dict[str, Any] = {"what": what, "target": target, "state": state, "by": by, "at": moment}
    return ActionTaken(**known)


def paused(name: str = "douyin", minutes: int = 0, **fields: Any) -> AlertState:
    """Too many complaints about a channel, which was paused."""
    subject = f"channel:{name}"
    known: dict[str, Any] = {
        "subject": subject,
        "title": Bilingual(
            en=f"Channel {name}: 20 complaints today, limit 20", zh=f"渠道 {name}：今日投诉 20 件，阈值 20"
        ),
        "summary": Bilingual(
            en="From midnight to 17:30, 20 complaints were opened. The channel was paused.",
            zh="今日零点至 17:30 共收到投诉 20 件，渠道已暂停。",
        ),
        "value": 20.0,
        "threshold": 20.0,
        "evidence": evidence("complaint_volume", subject, NOW + timedelta(minutes=minutes)),
        "actions": [step("pause", subject, "confirmed", minutes)],
        "runbook": "services/indicators/runbook.md#complaint_volume",
    }
    return alert(name, minutes=minutes, **known | fields)


def slowed(name: str = "wechat", minutes: int = 0, **fields: Any) -> AlertState:
    """Too many complaints per purchase, for which a throttle waits for approval."""
    subject = f"channel:{name}"
    known: dict[str, Any] = {
        "indicator": "complaint_rate",
        "severity": "warning",
        "subject": subject,
        "title": Bilingual(en=f"Channel {name}: 2.5 % complaints per purchase", zh=f"渠道 {name}：投诉率 2.5%"),
        "summary": Bilingual(en="10 complaints on 400 purchases.", zh="购买 400 笔，投诉 10 件。"),
        "value": 0.025,
        "threshold": 0.02,
        "evidence": evidence("complaint_rate", subject, samples={"complaints_opened": 10, "purchases": 400}),
        "actions": [step("throttle", subject, "waiting", minutes, "indicator:complaint_rate")],
        "runbook": "services/indicators/runbook.md#complaint_rate",
    }
    return alert(name, minutes=minutes, **known | fields)


def held(name: str = "douyin", *, requested: bool = False) -> ChannelState:
    """A channel that a guardrail paused; requested: somebody has asked to let it go on."""
    hold = Hold(
        hold_id=derive("hold", name),
        kind="pause",
        indicator="complaint_volume",
        alert_id=derive(name),
        level=1,
        since=NOW,
        by="indicator:complaint_volume",
        reason="20 complaints today",
    )
    return _target(f"channel:{name}", "paused", 0.0, hold, requests=[asked(name, 0, hold)] if requested else [])


def asking(name: str = "wechat", **fields: Any) -> ChannelState:
    """A channel for which a throttle waits."""
    return _target(f"channel:{name}", "running", 1.0, waiting(name, **fields))


def _target(target: str, status: str, factor: float, hold: Hold, **fields: Any) -> ChannelState:
    known: dict[str, Any] = {"target": target, "generation": 1, "status": status, "factor": factor, "holds": [hold]}
    platform: Any = {"wanted": status, "confirmed": status, "confirmed_generation": 1}
    return ChannelState(**known | {"platform": platform} | fields)
