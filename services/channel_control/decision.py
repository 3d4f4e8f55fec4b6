"""What came of one order: a value that the machine writes down as state, audit and facts for alerts."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from schemas.alerting import Silence
from schemas.alerts import ActionState, ActionTaken, AlertWords
from schemas.audit import Outcome
from schemas.base import Bilingual
from schemas.channels import FourEyesRequest, Hold
from schemas.commands import Command
from schemas.policy import Policy
from services.channel_control.holding.target import Target
from services.channel_control.sentences import both, chinese, cut, own

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
    asks_because: Bilingual | None = None


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
    why: Bilingual
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
    command: Command, state: ActionState, at: datetime, text: Bilingual | None = None, *, by: str | None = None
) -> tuple[AlertNote, ...]:
    """What the order's own alert is told of it; nothing without an alert. `by`: who, if not the order's author."""
    if command.alert_id is None:
        return ()
    action = action_of(command.command, command.target, state, by or command.issued_by, at, text)
    return (AlertNote(command.alert_id, action),)


def notes_for(
    holds: list[Hold], target: str, state: ActionState, by: str, at: datetime, text: Bilingual | None = None
) -> tuple[AlertNote, ...]:
    """What the alerts behind these holds are told."""
    return tuple(
        AlertNote(hold.alert_id, action_of(hold.kind, target, state, by, at, text))
        for hold in holds
        if hold.alert_id is not None
    )


def action_of(
    what: str, target: str, state: ActionState, by: str, at: datetime, text: Bilingual | None = None
) -> ActionTaken:
    """How far an order has come, with what is said of it."""
    said = None if text is None else cut(text, MAX_NOTE)
    en, zh = (None, None) if said is None else (said.en, chinese(said))
    return ActionTaken(what=what, target=target, state=state, by=by, at=at, note=en, note_zh=zh)


def noted(command: Command) -> Bilingual | None:
    """What the order's author adds in words of their own; a part of Tidegate says it in both languages."""
    if command.note is None:
        return None
    return own(command.note) if command.is_from_person() or command.reason is None else command.reason


def refuse(command: Command, moment: Moment, problem: Bilingual) -> Decision:
    """Changes nothing, and says why."""
    return Decision("refused", problem, notes=note_of(command, "refused", moment.at, problem))


def not_as_seen(target: Target, command: Command) -> Bilingual | None:
    """Why a person's order is not about what stands now: the target has changed since they looked."""
    saw = command.expected_generation
    if saw is None:
        return both(f"{command.command} does not say which generation it saw", f"{command.command} 未注明所见的版本")
    if saw != target.generation:
        return both(
            f"the target has changed: it is at generation {target.generation}, not {saw}",
            f"对象已变化：现为第 {target.generation} 版，而非第 {saw} 版",
        )
    return None
