"""Holds: what several of them come to, and how an order adds one or puts it in place of another.

Two promises: an indicator's order never loosens a target, and a hold always says who placed it and why.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal, get_args

from schemas.base import Bilingual
from schemas.channels import Hold, HoldKind, TargetStatus
from schemas.commands import Command
from services.channel_control.sentences import both, chinese, cut, name, own
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
    """Whether a hold acts unless it is masked: one that waits for approval, or was refused it, does not, nor does one
    that has opened by itself."""
    return hold.approval in ("none", "granted") and (hold.ramp is None or hold.ramp.step < 1)


def acts(hold: Hold) -> bool:
    """Whether a hold stops or slows its target now."""
    return counts(hold) and not hold.masked


def waits(hold: Hold) -> bool:
    """Whether a hold waits for a person's approval."""
    return hold.approval == "waiting"


def is_record(hold: Hold) -> bool:
    """Whether a hold only tells that it was asked for: it was rejected, or nobody decided in time."""
    return hold.approval in ("rejected", "expired")


def effective(holds: Iterable[Hold]) -> tuple[TargetStatus, float]:
    """What the holds come to: the strongest kind wins, then the lowest factor; and the share of traffic left."""
    strongest = min((asked_of(hold) for hold in holds if acts(hold)), key=strictness, default=None)
    return ("running", 1.0) if strongest is None else (_STATUS[strongest[0]], strongest[1])


def asked_of(hold: Hold) -> tuple[HoldKind, float]:
    """What a hold that acts asks for by itself, and the share of traffic that it leaves: partly opened, it slows."""
    left = _factor(hold) if hold.kind == "throttle" else 0.0
    if hold.ramp is None or hold.ramp.step == 0:
        return hold.kind, left
    return "throttle", max(left, hold.ramp.step)


def strictness(asked: tuple[HoldKind, float]) -> tuple[int, float]:
    """The smaller, the stricter: the kind first, then what is left."""
    return -STRENGTH[asked[0]], asked[1]


def _factor(hold: Hold) -> float:
    return 1.0 if hold.factor is None else hold.factor


@dataclass(frozen=True, slots=True)
class Placing:
    """What an order makes of the holds: the new whole, the hold that the order is in, and how it came there."""

    holds: tuple[Hold, ...]
    hold: Hold
    how: Literal["added", "raised", "covered"]
    """`covered`: a hold of the same alert says as much already; nothing changed."""


def place(holds: Sequence[Hold], kind: HoldKind, command: Command, at: datetime, decide_by: datetime) -> Placing:
    """Takes an order's hold in among the standing ones.

    A higher level of the same alert raises its hold; a stronger kind takes the place of a weaker one of that alert. But
    what still waits for approval never pushes out or lowers what acts. `decide_by`: until when it waits, if it does.
    """
    new = hold_of(kind, command, at, decide_by)
    for hold in holds:
        if hold.hold_id == new.hold_id:  # the order was repeated after its id had been forgotten
            return Placing(tuple(holds), hold, "covered")
    mine = [hold for hold in holds if _is_of_same_alert(hold, new)]
    for hold in mine:
        if _covers(hold, new):
            return Placing(tuple(holds), hold, "covered")
    for hold in mine:
        if _can_be_raised(hold, new):
            return _raise(holds, hold, new)
    kept = [hold for hold in holds if not _gives_way(hold, new)]
    if len(kept) >= MAX_HOLDS:
        kept, new = _make_room(kept, new)
    return Placing((*kept, new), new, "added")


def _is_of_same_alert(hold: Hold, new: Hold) -> bool:
    """Whether these are one indicator's holds of one alert. What a person stopped because of it is their own affair."""
    same = hold.alert_id is not None and hold.alert_id == new.alert_id
    return same and new.indicator is not None and hold.indicator == new.indicator


def _covers(hold: Hold, new: Hold) -> bool:
    """Whether an order adds nothing to a hold of its alert: a stronger one, or one that was decided on before."""
    if hold.kind == new.kind:
        return is_record(hold) and not _is_higher(new, hold) and (hold.approval == "rejected" or not counts(new))
    return STRENGTH[hold.kind] > STRENGTH[new.kind] and (counts(hold) or (waits(hold) and not counts(new)))


def _can_be_raised(hold: Hold, new: Hold) -> bool:
    """Whether an order belongs into this hold of its alert. What has to ask for less traffic asks beside what acts."""
    if hold.kind != new.kind or is_record(hold):
        return False
    return counts(new) or waits(hold) or _factor(hold) <= _factor(new)


def _gives_way(hold: Hold, new: Hold) -> bool:
    """Whether a hold goes when a new one comes: a weaker one of the same alert, or a record that has served."""
    same_alert = _is_of_same_alert(hold, new)
    if is_record(hold):
        return hold.by == new.by and (not same_alert or STRENGTH[hold.kind] <= STRENGTH[new.kind])
    return same_alert and STRENGTH[hold.kind] < STRENGTH[new.kind] and (counts(new) or not counts(hold))


def asks(command: Command) -> bool:
    """Whether an order has to wait for a person's approval."""
    return not command.is_from_person() and command.maturity == "approve"


def hold_of(kind: HoldKind, command: Command, at: datetime, decide_by: datetime) -> Hold:
    """What an order asks for."""
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
        until=command.expires_at,
        approval="waiting" if asks(command) else "none",
        decide_by=decide_by if asks(command) else None,
        **reason(why(command)),
    )


def reason(said: Bilingual) -> dict[str, Any]:
    """The fields of a hold that say why it stands."""
    return {"reason": said.en, "reason_zh": chinese(said)}


def reason_of(hold: Hold) -> Bilingual:
    """Why it stands."""
    return Bilingual.of(hold.reason, hold.reason_zh) or own("")


def why(command: Command) -> Bilingual:
    """The order's reason in one sentence, never empty: a person's own words, or what a part of Tidegate says in both
    languages."""
    said = own(command.note or "") if command.is_from_person() or command.reason is None else command.reason
    if not said.en:
        return both(
            f"{command.command} ordered by {command.issued_by}", f"{name(command.issued_by)} 下达 {command.command}"
        )
    return cut(said, MAX_REASON)


def _is_higher(new: Hold, old: Hold) -> bool:
    return (new.level or 1) > (old.level or 1)


def _raise(holds: Sequence[Hold], old: Hold, new: Hold) -> Placing:
    """A hold that acts goes on; one that waits asks for what the new order says, with all the time of a new one."""
    ends_the_wait = counts(new) and waits(old)
    if not _is_higher(new, old) and not ends_the_wait:
        return Placing(tuple(holds), old, "covered")
    level = max(new.level or 1, old.level or 1)
    if counts(old):
        factor = None if old.factor is None else min(_factor(old), _factor(new))
        raised = old.model_copy(update={"level": level, "factor": factor, **reason(reason_of(new))})
    else:
        raised = new.model_copy(update={"hold_id": old.hold_id, "level": level, "since": old.since})
    return Placing(tuple(raised if hold is old else hold for hold in holds), raised, "raised")


def _make_room(holds: list[Hold], new: Hold) -> tuple[list[Hold], Hold]:
    """Without the oldest hold of the new one's issuer and kind, whose lower factor and later end the new one takes."""
    for oldest in holds:
        if (oldest.by, oldest.kind, counts(oldest)) == (new.by, new.kind, counts(new)):
            factor = None if new.factor is None else min(_factor(oldest), new.factor)
            until = None if oldest.until is None or new.until is None else max(oldest.until, new.until)
            new = new.model_copy(update={"factor": factor, "until": until})
            return [hold for hold in holds if hold is not oldest], new
    return holds, new
