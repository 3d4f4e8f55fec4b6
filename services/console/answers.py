"""What the console answers."""

from typing import Literal

from pydantic import BaseModel, Field

from schemas.alerts import AlertState
from schemas.audit import AuditRecord
from schemas.channels import ChannelState
from schemas.problems import ProblemDetails
from services.console.orders import OrderAnswer
from services.scanning.report import Report

Kind = Literal["channel", "promotion", "product", "actor", "account", "content"]
"""What a target can be."""


class ChannelList(BaseModel):
    """Targets by name."""

    channels: list[ChannelState]
    next: str | None = Field(description="Where the next page begins: give it as `after`. null: this was the last.")


class AuditList(BaseModel):
    """Audit records, the newest first."""

    audit: list[AuditRecord]


class AlertList(BaseModel):
    """Alerts, the one opened last first."""

    alerts: list[AlertState]


class ScanAnswer(Report):
    """What a scan found, and by which policy."""

    policy: str = Field(description="`name/version`")


class OrderProblem(ProblemDetails):
    """An order that was refused, or of which it is not known whether it was given."""

    order: OrderAnswer
