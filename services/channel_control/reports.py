"""The reconciler's reports: what the platform has confirmed, and what it has failed to do."""

from dataclasses import replace
from typing import Final

from schemas.commands import Command
from services.channel_control.decision import Decision, Moment, notes_for, refuse
from services.channel_control.drift import BY, drifted, is_back, left, over
from services.channel_control.target import Target

MAX_ERROR: Final = 300


def report(target: Target, command: Command, moment: Moment) -> Decision:
    """What a report changes: never the holds, so never the generation."""
    generation = command.expected_generation
    if generation is None:
        return refuse(command, moment, "a report without the generation that it is about")
    if generation > target.generation:
        return refuse(command, moment, f"generation {generation} is not known here")
    if command.command == "drifted":
        if generation != target.confirmed_generation or generation < target.generation:
            return Decision("recorded", "a reading of what has changed since")
        return drifted(target, command, moment)
    if target.confirmed_generation is not None and generation <= target.confirmed_generation:
        if command.command == "confirmed" and is_back(target, command.observed):
            return left(target, moment)
        return Decision("recorded", "this generation, or a newer one, is confirmed already")
    if command.command == "confirmed":
        return _confirmed(target, command, generation, moment)
    return _failed(target, command, generation, moment)


def _confirmed(target: Target, command: Command, generation: int, moment: Moment) -> Decision:
    seen = command.observed
    if seen is None or seen.target != target.name or seen.generation != generation:
        return refuse(command, moment, "a confirmation without what the platform answered for that generation")
    current = generation == target.generation
    if current and seen != target.wanted():
        return refuse(command, moment, "what the platform answered is not what is wanted")
    new = target.acting_since(target.confirmed_generation or 0, generation)
    confirmed = replace(
        target,
        confirmed=seen.status,
        confirmed_generation=generation,
        confirmed_at=moment.at,
        error=None if current else target.error,
        drift=None if current else target.drift,
    )
    text = f"the platform says {seen.status}"
    notes = notes_for(new, target.name, "confirmed", BY, moment.at) + (over(target, moment) if current else ())
    return Decision("confirmed", text, confirmed, tuple(hold.hold_id for hold in new), notes)


def _failed(target: Target, command: Command, generation: int, moment: Moment) -> Decision:
    if generation < target.generation:
        return Decision("recorded", "a failure with an older generation")
    error = (command.note or "the platform did not do it")[:MAX_ERROR]
    waiting = target.acting_since(target.confirmed_generation or 0, generation)
    notes = notes_for(waiting, target.name, "failed", BY, moment.at, error)
    return Decision("failed", error, replace(target, error=error), tuple(hold.hold_id for hold in waiting), notes)
