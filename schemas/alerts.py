"""Alerts: what people should know. Facts of several writers on `alerts`, merged into one whole on `alert-state`."""

from typing import Annotated, Final, Literal

from pydantic import Field

from schemas.base import Bilingual, HexId, Instant, Message, Name, Ref, Severity, Versioned
from schemas.commands import Evidence

Status = Literal["open", "updated", "resolved"]
ActionState = Literal[
    "ordered",
    "masked",
    "waiting",
    "granted",
    "rejected",
    "expired",
    "replaced",
    "done",
    "confirmed",
    "failed",
    "stale",
    "refused",
    "relapsed",
    "opening",
    "lifted",
]
"""How far an action has come, in the order of its steps.

`masked`: a person's override keeps it from acting, until that has ended.
`waiting`: for a person's approval, which is `granted` or `rejected`, or has `expired` when nobody decided in time.
`replaced`: it waited, and an order of the same alert that goes further took its place, or what it was about is gone.
`opening`: its trouble has eased and it is opened again in steps, the note says how far. `relapsed`: it was put back.
"""

Delivery = Literal["delivered", "failed", "recorded", "due"]
"""`recorded`: there is no receiver, so the message stands in the audit only. `due`: a timer has run out."""


Language = Literal["en", "zh", "both"]
"""In which language people are written to."""

INCIDENT_LABEL: Final = "incident"
"""The label by which people have said to which incident an alert belongs."""


class ActionTaken(Message):
    """Something ordered or done because of an alert. `what` is a command's word, `state` how far it has come.

    note_zh: the note in Chinese; null where it is a person's own words.
    """

    what: Name
    target: Ref
    state: ActionState
    by: Name
    at: Instant
    note: str | None = None
    note_zh: str | None = None


class DeliveryReport(Message):
    """What the deliverer says of one message to one receiver. error_zh: the same in Chinese."""

    webhook_id: HexId
    outcome: Delivery
    status_code: int | None = None
    error: str | None = None
    error_zh: str | None = None


class AlertWords(Message):
    """What can be said of an alert. What is not spoken of is `null` (for a collection: empty) and stays as it was."""

    status: Status | None = None
    severity: Severity | None = None
    indicator: Name | None = None
    subject: Ref | None = None
    level: Annotated[int, Field(ge=0)] | None = None
    title: Bilingual | None = None
    summary: Bilingual | None = None
    opened_at: Instant | None = None
    event_time: Instant | None = None
    value: float | None = None
    threshold: float | None = None
    evidence: Evidence | None = None
    actions: list[ActionTaken] = []
    team: Name | None = None
    acknowledged_by: Name | None = None
    labels: dict[str, str] = {}
    runbook: str | None = None


class AlertFact(AlertWords, Versioned):
    """One writer's word on one alert. `seq` rises with each fact of that writer, so a repeat is known.

    Indicators open, update and resolve; channel_control adds `actions` and `acknowledged_by`; the deliverer reports
    with `delivery`.
    """

    alert_id: HexId
    writer: Name
    seq: Annotated[int, Field(ge=0)]
    at: Instant
    delivery: DeliveryReport | None = None


class AlertState(Versioned):
    """The merged whole of one alert, and the body of its webhooks (`data`).

    `seq` is the offset of the fact that made it so: it rises with every state, and a state that is written once more
    after a death has the seq that it had.
    """

    alert_id: HexId
    seq: int = 0
    status: Status
    severity: Severity
    indicator: Name
    subject: Ref
    level: int
    title: Bilingual
    summary: Bilingual
    opened_at: Instant
    event_time: Instant | None
    resolved_at: Instant | None = None
    value: float | None
    threshold: float | None
    evidence: Evidence | None
    actions: list[ActionTaken] = []
    team: Name | None = None
    acknowledged_by: Name | None = None
    labels: dict[str, str] = {}
    runbook: str | None = None


class MessageLinks(Message):
    """Where to look at an alert, and to acknowledge it: signed, and valid for a day only, for whoever has them."""

    alert: str
    acknowledge: str | None = None


Change = Literal["alert.opened", "alert.updated", "alert.resolved"]
Occasion = Literal["news", "story", "summary", "escalated", "reminder"]
"""Why a message is written: something changed; an alert opened and ended before it could be told; several alerts
changed; nobody acknowledged in time; what was acknowledged still fires."""


class AlertLine(Message):
    """One alert of a message that tells of several."""

    alert_id: HexId
    change: Change
    occasion: Occasion
    severity: Severity
    level: int
    indicator: Name
    subject: Ref
    title: Bilingual
    opened_at: Instant
    resolved_at: Instant | None = None


class GroupNote(Message):
    """The group that a message speaks of. alerts: what changed, the worst first, of which `more` are left out.

    open: how many of the group are open now; by_indicator, by_subject: those, the most first.
    """

    group_id: HexId
    labels: dict[str, str] = {}
    open: int
    by_indicator: dict[str, int] = {}
    by_subject: dict[str, int] = {}
    alerts: list[AlertLine]
    more: int = 0


def _none(value: object) -> bool:
    return value is None


class WebhookMessage(Message):
    """The body of a Standard Webhook: which change it tells of, when that was, and the whole alert.

    `links` are there where alerting knows the console's address. Of several alerts `data` is the worst, `group` has all
    and is there only then. `headline` says in one sentence what the alert's own words do not.
    """

    type: Change
    timestamp: Instant
    data: AlertState
    occasion: Annotated[Occasion, Field(exclude_if=lambda value: value == "news")] = "news"
    headline: Annotated[Bilingual | None, Field(exclude_if=_none)] = None
    group: Annotated[GroupNote | None, Field(exclude_if=_none)] = None
    links: Annotated[MessageLinks | None, Field(exclude_if=_none)] = None
