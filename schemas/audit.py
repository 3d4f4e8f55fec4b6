"""The audit: every order, decision and delivery, for ever, on `audit`."""

from typing import Any, Literal

from schemas.base import HexId, Instant, Name, Ref, Versioned

Outcome = Literal[
    "done", "masked", "waiting", "stale", "refused", "repeated", "confirmed", "failed", "delivered", "recorded"
]


class AuditRecord(Versioned):
    """Who did or ordered what, when, why and with what outcome. `audit_id` is the same in every replay."""

    audit_id: HexId
    at: Instant
    writer: Name
    who: Name
    what: Name
    target: Ref
    outcome: Outcome
    why: str | None = None
    command_id: HexId | None = None
    alert_id: HexId | None = None
    generation: int | None = None
    holds: list[HexId] = []
    detail: dict[str, Any] = {}
