"""What waits for people's yes or no, and what of it is asked of the one who looks. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Literal

from schemas.base import Bilingual
from schemas.channels import ChannelState, FourEyesRequest, Hold, HoldKind
from services.console.people import Person

Asks = Literal["you", "role", "own", "agreed"]
"""`you`: this person may decide. `role`: it takes an approver. `own`: who asked does not approve. `agreed`: has agreed
already."""
_NEVER: Final = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Waiting:
    """A hold of automation, or a request of a person. what: the word of the order. decision_id: what a yes or no names.

    alerts: those because of which it was ordered, or whose holds the request is about. declined: the governor has let
    enough be stopped, and asks people about the rest.
    """

    target: str
    generation: int
    decision_id: str
    what: HoldKind | Literal["resume", "override"]
    factor: float | None
    by: str
    since: datetime
    decide_by: datetime | None
    reason: Bilingual | None
    needed: int
    agreed: tuple[str, ...]
    alerts: tuple[str, ...]
    asks: Asks
    declined: bool = False

    @property
    def by_person(self) -> bool:
        """Whether a person asked for it."""
        return self.by.startswith("person:")


def all_waiting(
    holds: Iterable[tuple[ChannelState, Hold]], requests: Iterable[tuple[ChannelState, FourEyesRequest]], person: Person
) -> list[Waiting]:
    """Everything, what is asked of this person first, and of that what ends first."""
    found = [_of_hold(state, hold, person) for state, hold in holds]
    found += [_of_request(state, request, person) for state, request in requests]
    return sorted(found, key=_order)


def _order(one: Waiting) -> tuple[bool, datetime, str, str]:
    return one.asks != "you", one.decide_by or _NEVER, one.target, one.decision_id


def _of_hold(state: ChannelState, hold: Hold, person: Person) -> Waiting:
    return Waiting(
        target=state.target,
        generation=state.generation,
        decision_id=hold.hold_id,
        what=hold.kind,
        factor=hold.factor,
        by=hold.by,
        since=hold.since,
        decide_by=hold.decide_by,
        reason=Bilingual.of(hold.reason, hold.reason_zh),
        needed=hold.approvals_needed,
        agreed=tuple(hold.approved_by),
        alerts=() if hold.alert_id is None else (hold.alert_id,),
        asks=_asks(person, None, hold.approved_by),
        declined=hold.claim == "declined",
    )


def _of_request(state: ChannelState, request: FourEyesRequest, person: Person) -> Waiting:
    alerts = [hold.alert_id for hold in state.holds if hold.hold_id in request.hold_ids and hold.alert_id is not None]
    return Waiting(
        target=state.target,
        generation=state.generation,
        decision_id=request.request_id,
        what=request.command,
        factor=None,
        by=request.by,
        since=request.since,
        decide_by=request.decide_by,
        reason=Bilingual.of(request.reason, None),
        needed=request.approvals_needed,
        agreed=tuple(request.approved_by),
        alerts=tuple(dict.fromkeys(alerts)),
        asks=_asks(person, request.by, request.approved_by),
    )


def _asks(person: Person, asked_by: str | None, agreed: Iterable[str]) -> Asks:
    if person.issuer == asked_by:
        return "own"
    if not person.is_at_least("approver"):
        return "role"
    return "agreed" if person.issuer in agreed else "you"
