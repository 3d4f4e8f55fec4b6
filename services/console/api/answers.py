"""What the console answers."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from schemas.alerts import AlertState
from schemas.audit import AuditRecord
from schemas.base import Bilingual, Fingerprint, HexId, Instant, Ref
from schemas.channels import ChannelState, FourEyesRequest, Hold
from schemas.problems import ProblemDetails
from services.console.orders.orders import OrderAnswer
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
    since: Instant = Field(description="Older records are not looked at; they are in the topic `audit`.")


class AlertList(BaseModel):
    """Alerts, the one opened last first."""

    alerts: list[AlertState]


class ScanAnswer(Report):
    """What a scan found, and by which policy."""

    policy: str = Field(description="`name/version`")
    fingerprint: Fingerprint = Field(description="Of the body: `reviewed_fingerprint` once it is published.")


class Request(BaseModel):
    """An order that waits for a person's approval: the hold says what, since when, until when (`decide_by`) and why."""

    model_config = ConfigDict(frozen=True)

    target: Ref
    generation: Annotated[int, Field(description="Give it as `expected_generation`.")]
    hold: Hold
    alert_id: Annotated[HexId | None, Field(description="The alert with the evidence: `/api/v1/alerts/{alert_id}`.")]
    title: Annotated[Bilingual | None, Field(description="Of that alert, if it is known.")]


class PersonsRequest(BaseModel):
    """What a person asked for that others have to agree to."""

    target: Ref
    generation: Annotated[int, Field(description="Give it as `expected_generation`.")]
    request: Annotated[FourEyesRequest, Field(description="Give its `request_id` in `hold_ids`.")]
    holds: Annotated[list[Hold], Field(description="Those that it names.")]


class ApprovalList(BaseModel):
    """What waits, the most urgent first."""

    approvals: Annotated[list[Request], Field(description="Orders of automation.")]
    requests: Annotated[list[PersonsRequest], Field(description="Orders of people, which take several of them.")]


class OrderList(BaseModel):
    """Orders that belong together, and what came of each; one that was refused says why in its audit."""

    orders: list[OrderAnswer]


class OrderProblem(ProblemDetails):
    """An order that was refused, or of which it is not known whether it was given."""

    order: OrderAnswer
