"""What came of one order: a value that the machine writes down as state, audit and facts for alerts."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from schemas.alerting import Silence
from schemas.alerts import ActionState, ActionTaken, AlertWords
from schemas.audit import Outcome
from schemas.channels import FourEyesRequest, Hold
from schemas.commands import Command
from schemas.policy import Policy
from services.channel_control.target import Target

MAX_NOTE: Final = 500
"""Characters of a person's words in an alert, of which a hundred may come together there; all are in the audit."""


@dataclass(frozen=True, slots=True)
class Moment:
    """When the order arrived (the broker's append time), and the policy that was in force by then.

    stale_acts: whether a verdict acts however old it is. asks_because: why automation has to ask a person now, whatever
    its maturity; None: it need not.
    """

    at: datetime
    policy: Policy
    stale_acts: bool = False
    asks_because: str | None = None


@dataclass(frozen=True, slots=True)
class AlertNote:
    """What an alert is told: an action of its own, or who acknowledged it. level: to which it rises by that, so that
    people are called again. incident: to which one it belongs by people's word. words: the rest, of an alert that is
    ours."""

    alert_id: str
    action: ActionTaken | None = None
    acknowledged_by: str | None = None
    level: int | None = None
    incident: str | None = None
    words: AlertWords | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """`target` is the new state, None where the order changed nothing; it is about `holds`, and maybe a `request`;
    `void` are the requests that lose a hold by it; `silence` is for alerting."""

    outcome: Outcome
    why: str
    target: Target | None = None
    holds: tuple[str, ...] = ()
    notes: tuple[AlertNote, ...] = ()
    request: FourEyesRequest | None = None
    void: tuple[str, ...] = ()
    silence: Silence | None = None


def in_words(at: datetime) -> str:
    """A moment as people read it."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def note_of(
    command: Command, state: ActionState, at: datetime, text: str | None = None, *, by: str | None = None
) -> tuple[AlertNote, ...]:
    """What the order's own alert is told of it; nothing without an alert. `by`: who, if not the order's author."""
    if command.alert_id is None:
        return ()
    action = ActionTaken(
        what=command.command, target=command.target, state=state, by=by or command.issued_by, at=at, note=text
    )
    return (AlertNote(command.alert_id, action),)


def notes_for(
    holds: list[Hold], target: str, state: ActionState, by: str, at: datetime, text: str | None = None
) -> tuple[AlertNote, ...]:
    """What the alerts behind these holds are told."""
    text = None if text is None else text[:MAX_NOTE]
    return tuple(
        AlertNote(hold.alert_id, ActionTaken(what=hold.kind, target=target, state=state, by=by, at=at, note=text))
        for hold in holds
        if hold.alert_id is not None
    )


def refuse(command: Command, moment: Moment, problem: str) -> Decision:
    """Changes nothing, and says why."""
    return Decision("refused", problem, notes=note_of(command, "refused", moment.at, problem))


def not_as_seen(target: Target, command: Command) -> str | None:
    """Why a person's order is not about what stands now: the target has changed since they looked."""
    saw = command.expected_generation
    if saw is None:
        return f"{command.command} does not say which generation it saw"
    if saw != target.generation:
        return f"the target has changed: it is at generation {target.generation}, not {saw}"
    return None
