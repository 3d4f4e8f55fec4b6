"""Approval: a person's yes or no to what waits for one, and what becomes of it when nobody decides in time.

What was rejected or has expired stays on its target as a record, so that no order of the same alert asks again unless
its level is higher (and after a rejection none acts by itself either). The record goes when its indicator next asks
for something new there, or when a person resumes the target.
"""

from dataclasses import replace
from datetime import datetime
from typing import Literal

from schemas.base import Bilingual
from schemas.channels import Hold
from schemas.commands import Command
from services.channel_control.decision import Decision, Moment, in_words, not_as_seen, noted, notes_for, refuse
from services.channel_control.holding.holds import waits, why
from services.channel_control.holding.target import Target
from services.channel_control.people import four_eyes
from services.channel_control.sentences import KINDS, both, name

_Settled = Literal["granted", "rejected", "expired"]


def answer(target: Target, command: Command, moment: Moment) -> Decision:
    """A person's `approve` or `reject` of the holds that it names, all of them or none.

    The person decides on what stands now, so what they approve acts, however long its verdict may act by itself.
    """
    request = four_eyes.named(target, command)
    if request is not None:
        return four_eyes.answer(target, request, command, moment)
    named = _named(target, command)
    problem = _problem(command, named, moment.at) or not_as_seen(target, command)
    if problem is not None:
        return refuse(command, moment, problem)
    if command.command == "reject":
        return settled(target, named, "rejected", command, moment)
    return _approved(target, named, command, moment)


def _approved(target: Target, named: list[Hold], command: Command, moment: Moment) -> Decision:
    """Each of these holds has one approval more; those that have as many as they need act."""
    by = command.issued_by
    agreed = {hold.hold_id: hold.model_copy(update={"approved_by": [*hold.approved_by, by]}) for hold in named}
    target = replace(target, holds=tuple(agreed.get(hold.hold_id, hold) for hold in target.holds))
    complete = [hold for hold in agreed.values() if len(hold.approved_by) >= hold.approvals_needed]
    done = settled(target, complete, "granted", command, moment)
    if len(complete) == len(agreed):
        return done
    open_ = next(hold for hold in agreed.values() if hold not in complete)
    agreed_by, needed, said = len(open_.approved_by), open_.approvals_needed, why(command)
    text = both(
        f"{agreed_by} of {needed} people approve the {open_.kind}: {said.en}",
        f"已有 {agreed_by}/{needed} 人批准{KINDS[open_.kind]}：{said.zh}",
    )
    return replace(done, outcome="waiting", why=text, holds=tuple(agreed))


def _problem(command: Command, named: list[Hold], at: datetime) -> Bilingual | None:
    if not command.hold_ids:
        return both(f"{command.command} names no hold", f"{command.command} 未指明措施")
    if len(named) < len(set(command.hold_ids)):
        return both(f"{command.command} names a hold that does not stand", f"{command.command} 所指的措施已不存在")
    return next((problem for hold in named if (problem := _not_open(hold, command, at)) is not None), None)


def _not_open(hold: Hold, command: Command, at: datetime) -> Bilingual | None:
    """Why there is nothing to decide about a hold."""
    zh = KINDS[hold.kind]
    if hold.approval == "none":
        return both(f"the {hold.kind} needs no approval", f"{zh}措施无需批准")
    if hold.decided_by is not None:
        done = "批准" if hold.approval == "granted" else "驳回"
        return both(
            f"the {hold.kind} was {hold.approval} before, by {hold.decided_by}",
            f"{zh}措施此前已由 {name(hold.decided_by)} {done}",
        )
    if hold.approval == "expired" or _is_overdue(hold, at):
        by = "–" if hold.decide_by is None else in_words(hold.decide_by)
        return both(f"the {hold.kind} has expired: nobody decided by {by}", f"{zh}措施已过期：至 {by} 无人决定")
    if command.command == "approve" and four_eyes.is_one_of(command.issued_by, hold.approved_by):
        return both(
            f"the same person has approved the {hold.kind} before: it takes different people",
            f"同一人已批准过该{zh}措施：须由不同人员批准",
        )
    return None


def _is_overdue(hold: Hold, at: datetime) -> bool:
    return waits(hold) and hold.decide_by is not None and at >= hold.decide_by


def _named(target: Target, command: Command) -> list[Hold]:
    return [hold for hold in target.holds if hold.hold_id in (command.hold_ids or ())]


def settled(target: Target, named: list[Hold], approval: _Settled, command: Command, moment: Moment) -> Decision:
    """These holds wait no more; their alerts are told."""
    by = command.issued_by
    decided_by = by if command.is_from_person() else None
    update = {"approval": approval, "decided_by": decided_by}
    holds = tuple(hold.model_copy(update=update) if hold in named else hold for hold in target.holds)
    after = target.with_holds(holds)
    settled_ids = {hold.hold_id for hold in named}
    is_masked = approval == "granted" and any(hold.masked for hold in after.holds if hold.hold_id in settled_ids)
    return Decision(
        "masked" if is_masked else "done",
        why(command),
        target=after,
        holds=tuple(hold.hold_id for hold in named),
        notes=notes_for(named, target.name, approval, by, moment.at, noted(command)),
    )
