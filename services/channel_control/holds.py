"""Holds: what several of them come to, and how an order adds one or puts it in place of another.

Two promises: an indicator's order never loosens a target, and a hold always says who placed it and why.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal, get_args

from schemas.channels import Hold, HoldKind, TargetStatus
from schemas.commands import Command
from services.runtime.ids import derive

STRENGTH: Final[dict[HoldKind, int]] = {"throttle": 0, "pause": 1, "freeze": 2, "take_down": 3}
_STATUS: Final[dict[HoldKind, TargetStatus]] = {
    "throttle": "throttled",
    "pause": "paused",
    "freeze": "frozen",
    "take_down": "taken_down",
}
HOLD_KINDS: Final[frozenset[str]] = frozenset(get_args(HoldKind))

MAX_HOLDS: Final = 64
"""From here on a hold takes the place of the oldest one of the same issuer and kind, so that a target which trips day
after day, with nobody lifting anything, does not outgrow its record."""

MAX_REASON: Final = 500


def counts(hold: Hold) -> bool:
    """Whether a hold acts: one that waits for approval, or was refused it, does not."""
    return hold.approval in ("none", "granted")


def effective(holds: Iterable[Hold]) -> tuple[TargetStatus, float]:
    """What the holds come to: the strongest kind wins, then the lowest factor; and the share of traffic left."""
    acting = [hold for hold in holds if counts(hold)]
    if not acting:
        return "running", 1.0
    kind = max((hold.kind for hold in acting), key=STRENGTH.__getitem__)
    if kind != "throttle":
        return _STATUS[kind], 0.0
    return "throttled", min(_factor(hold) for hold in acting)


def _factor(hold: Hold) -> float:
    return 1.0 if hold.factor is None else hold.factor


@dataclass(frozen=True, slots=True)
class Placing:
    """What an order makes of the holds: the new whole, the hold that the order is in, and how it came there."""

    holds: tuple[Hold, ...]
    hold: Hold
    how: Literal["added", "raised", "covered"]
    """`covered`: a hold of the same alert says as much already; nothing changed."""


def place(holds: Sequence[Hold], kind: HoldKind, command: Command, at: datetime) -> Placing:
    """Takes an order's hold in among the standing ones.

    A higher level of the same alert raises its hold; a stronger kind takes the place of a weaker one of that alert. But
    what still waits for approval never pushes out what acts.
    """
    new = _hold_of(kind, command, at)
    for hold in holds:
        if hold.hold_id == new.hold_id:  # the order was repeated after its id had been forgotten
            return Placing(tuple(holds), hold, "covered")
    mine = [hold for hold in holds if hold.alert_id is not None and hold.alert_id == new.alert_id]
    for hold in mine:
        if hold.kind == kind:
            return _raise(holds, hold, new)
    for hold in mine:
        if STRENGTH[hold.kind] > STRENGTH[kind] and (counts(hold) or not counts(new)):
            return Placing(tuple(holds), hold, "covered")
    weaker = [hold for hold in mine if STRENGTH[hold.kind] < STRENGTH[kind]]
    replaced = {hold.hold_id for hold in weaker if counts(new) or not counts(hold)}
    kept = [hold for hold in holds if hold.hold_id not in replaced]
    if len(kept) >= MAX_HOLDS:
        kept, new = _make_room(kept, new)
    return Placing((*kept, new), new, "added")


def _hold_of(kind: HoldKind, command: Command, at: datetime) -> Hold:
    asks_first = not command.is_from_person() and command.maturity == "approve"
    indicator = command.issued_by.removeprefix("indicator:")
    return Hold(
        hold_id=derive(command.command_id, "hold"),
        kind=kind,
        factor=command.factor if kind == "throttle" else None,
        indicator=None if command.is_from_person() else indicator,
        alert_id=command.alert_id,
        level=command.level,
        since=at,
        by=command.issued_by,
        approval="waiting" if asks_first else "none",
        reason=why(command),
    )


def why(command: Command) -> str:
    """The order's reason in one sentence, never empty."""
    said = command.note or (command.reason.en if command.reason else "")
    return said[:MAX_REASON] or f"{command.command} ordered by {command.issued_by}"


def _raise(holds: Sequence[Hold], old: Hold, new: Hold) -> Placing:
    higher = (new.level or 1) > (old.level or 1)
    acts_now = counts(new) and not counts(old)
    if not higher and not acts_now:
        return Placing(tuple(holds), old, "covered")
    raised = old.model_copy(
        update={
            "level": max(new.level or 1, old.level or 1),
            "factor": None if old.factor is None else min(_factor(old), _factor(new)),
            "approval": old.approval if counts(old) else new.approval,
            "reason": new.reason,
        }
    )
    return Placing(tuple(raised if hold is old else hold for hold in holds), raised, "raised")


def _make_room(holds: list[Hold], new: Hold) -> tuple[list[Hold], Hold]:
    """Without the oldest hold of the new one's issuer and kind, whose lower factor the new one takes over."""
    for oldest in holds:
        if (oldest.by, oldest.kind, counts(oldest)) == (new.by, new.kind, counts(new)):
            if new.factor is not None:
                new = new.model_copy(update={"factor": min(_factor(oldest), new.factor)})
            return [hold for hold in holds if hold is not oldest], new
    return holds, new
