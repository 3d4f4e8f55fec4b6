"""Deadlines: of holds and requests that wait for people, of holds with an end or a next step, of overrides.

The companion reports that one has come, the machine decides on the report's arrival.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final, Literal

from schemas.base import Bilingual
from schemas.channels import Hold
from schemas.commands import Command
from services.channel_control.decision import Decision, Moment, in_words, noted, notes_for
from services.channel_control.holding.holds import waits, why
from services.channel_control.holding.overrides import notes_of_change, released
from services.channel_control.holding.target import Target
from services.channel_control.people import four_eyes
from services.channel_control.people.approvals import settled
from services.channel_control.ramps.ramps import next_at
from services.channel_control.sentences import KINDS, both, name
from services.runtime.ids import derive

SHUT_S: Final = 5.0
"""So soon it is looked again whether a hold may open."""
_BY: Final = "reconciler"


@dataclass(frozen=True, slots=True)
class Deadline:
    """Of which hold, request or override, when, and what is to be said then. opens: the hold, if it is one
    that opens then."""

    id: str
    at: datetime
    text: Bilingual
    word: Literal["expired", "due"] = "expired"
    opens: Hold | None = None


def deadlines(target: Target) -> Iterator[Deadline]:
    """All that will come on a target."""
    for hold in target.holds:
        if waits(hold) and hold.decide_by is not None:
            until = in_words(hold.decide_by)
            text = both(f"nobody decided by {until}", f"至 {until} 无人决定")
            yield Deadline(hold.hold_id, hold.decide_by, text)
        elif hold.until is not None:
            yield Deadline(hold.hold_id, hold.until, _was_until(hold.kind, KINDS[hold.kind], hold.by, hold.until))
        elif (step := next_at(hold)) is not None:
            text = both(
                f"the {hold.kind} was to open further at {in_words(step)}",
                f"{KINDS[hold.kind]}应于 {in_words(step)} 进一步放开",
            )
            yield Deadline(hold.hold_id, step, text, "due", hold)
    for request in target.requests:
        agreed, needed, until = len(request.approved_by), request.approvals_needed, in_words(request.decide_by)
        text = both(f"{agreed} of {needed} people agreed by {until}", f"至 {until} 有 {agreed}/{needed} 人同意")
        yield Deadline(request.request_id, request.decide_by, text)
    if (override := target.override) is not None:
        text = _was_until("override", "人工放行", override.by, override.until)
        yield Deadline(override.override_id, override.until, text)


def _was_until(what: str, zh: str, by: str, until: datetime) -> Bilingual:
    return both(f"the {what} by {by} was until {in_words(until)}", f"{name(by)} 的{zh}截至 {in_words(until)}")


def overdue(
    targets: Iterable[Target], now: datetime, may_open: Callable[[Target, Hold], bool] = lambda _, __: True
) -> tuple[list[Command], float | None]:
    """A report for each deadline that has come, and in how many seconds the next one will; None: there is none.

    may_open: whether this hold of a target may open further now, should it be time.
    """
    reports: list[Command] = []
    next_s: float | None = None
    for target in targets:
        for deadline in deadlines(target):
            if now >= deadline.at and deadline.opens is not None and not may_open(target, deadline.opens):
                next_s = SHUT_S if next_s is None else min(next_s, SHUT_S)
            elif now >= deadline.at:
                reports.append(_report(target, deadline, now))
            else:
                left_s = (deadline.at - now).total_seconds()
                next_s = left_s if next_s is None else min(next_s, left_s)
    return reports, next_s


def _report(target: Target, deadline: Deadline, at: datetime) -> Command:
    """The same deadline gives the same id."""
    return Command(
        command_id=derive(deadline.id, str(deadline.at.astimezone(UTC)), deadline.word),
        command=deadline.word,
        target=target.name,
        hold_ids=[deadline.id],
        issued_by=_BY,
        issued_at=at,
        note=deadline.text.en,
        reason=deadline.text,
    )


def is_early(target: Target, command: Command, moment: Moment) -> bool:
    """Whether this is a deadline that came before its time: the companion's clock is ahead, and it will ask again.
    While automation has to ask, the time of no step comes."""
    if command.command not in ("expired", "due") or command.issued_by != _BY:
        return False
    if command.command == "due" and moment.asks_because is not None:
        return True
    named = command.hold_ids or ()
    return any(deadline.id in named and moment.at < deadline.at for deadline in deadlines(target))


def expire(target: Target, command: Command, moment: Moment) -> Decision:
    """The companion's word that the time has come of what it names."""
    named = command.hold_ids or ()
    ends = (each for each in deadlines(target) if each.word == "expired" and each.id in named)
    due = {each.id for each in ends if moment.at >= each.at}
    if not due:
        return Decision("recorded", both("nothing of it waits any more", "已没有等待中的事项"))
    undecided = [hold for hold in target.holds if hold.hold_id in due and waits(hold)]
    if undecided:
        return settled(target, undecided, "expired", command, moment)
    request = next((request for request in target.requests if request.request_id in due), None)
    if request is not None:
        return four_eyes.expired(target, request, command, moment)
    return _ended(target, due, command, moment)


def _ended(target: Target, due: set[str], command: Command, moment: Moment) -> Decision:
    """These holds are lifted; what an override masked that is over acts."""
    lifted = [hold for hold in target.holds if hold.hold_id in due]
    is_over = target.override is not None and target.override.override_id in due
    over = replace(target, override=None) if is_over else target
    after = over.with_holds(tuple(hold for hold in target.holds if hold not in lifted))
    by, at = command.issued_by, moment.at
    return Decision(
        "done",
        why(command),
        target=after,
        holds=tuple(hold.hold_id for hold in (*lifted, *released(target, after))),
        notes=(
            *notes_for(lifted, target.name, "lifted", by, at, noted(command)),
            *notes_of_change(target, after, by, at, noted(command)),
        ),
    )
