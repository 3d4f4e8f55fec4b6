"""The audit: every order, decision and delivery, for ever, on `audit`."""

from typing import Annotated, Any, Literal

from pydantic import Field

from schemas.base import Bilingual, Fingerprint, HexId, Instant, Message, Name, Ref, Versioned

Outcome = Literal[
    "done", "masked", "waiting", "stale", "refused", "repeated", "confirmed", "failed", "delivered", "recorded"
]


class Link(Message):
    """A record's place in the chain of its writer on its partition of `audit`, see services/runtime/machines/chain.py.

    number: from 1 on. previous: the digest of the record before it, zeros for the first.
    """

    number: Annotated[int, Field(ge=1)]
    previous: Fingerprint
    digest: Fingerprint


class AuditRecord(Versioned):
    """Who did or ordered what, when, why and with what outcome. `audit_id` is the same in every replay.

    why_zh: the same in Chinese; null where it is a person's own words.
    chain: None on what was written before there were chains.
    """

    audit_id: HexId
    at: Instant
    writer: Name
    who: Name
    what: Name
    target: Ref
    outcome: Outcome
    why: str | None = None
    why_zh: str | None = None
    command_id: HexId | None = None
    alert_id: HexId | None = None
    generation: int | None = None
    holds: list[HexId] = []
    detail: dict[str, Any] = {}
    chain: Link | None = None

    def reason(self) -> Bilingual | None:
        """Why, in both languages."""
        return Bilingual.of(self.why, self.why_zh)

    def note(self) -> Bilingual | None:
        """What was added to the order: a person's own words, or those of a part of Tidegate."""
        said = self.detail.get("note")
        is_own = self.who.startswith("person:")
        return Bilingual.of(str(said), None if is_own else self.why_zh) if said else None

    def alerts(self) -> frozenset[str]:
        """The alerts that it is about: the one that it names, and all of which a message told."""
        told = self.detail.get("alerts", [])
        named = [] if self.alert_id is None else [self.alert_id]
        return frozenset([*named, *(told if isinstance(told, list) else [])])


class ChainHead(Versioned):
    """Where a chain stood at a moment. offset: of the record on `audit`."""

    at: Instant
    writer: Name
    partition: Annotated[int, Field(ge=0)]
    number: Annotated[int, Field(ge=1)]
    digest: Fingerprint
    offset: Annotated[int, Field(ge=0)]


class SignedHead(ChainHead):
    """A line of a file outside of the cluster, which holds the audit to what it was.

    signature: Ed25519, base64 in its one canonical form, over the canonical JSON of the rest.
    """

    signature: Annotated[str, Field(pattern=r"^[A-Za-z0-9+/]{85}[AQgw]==$")]
