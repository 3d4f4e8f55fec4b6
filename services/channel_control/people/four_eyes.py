"""Four eyes: what loosens a guardrail or a freeze waits until other people agree, all different, none who asked.

A request names the holds that it is about. It is void when one of them goes meanwhile, and lifts none that landed after
it. Whoever agrees names the generation they saw.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from typing import Final

from schemas.alerts import ActionState
from schemas.base import Bilingual
from schemas.channels import FourEyesRequest, Hold, Override
from schemas.commands import Command
from schemas.policy import FourEyes
from services.channel_control.decision import (
    AlertNote,
    Decision,
    Moment,
    action_of,
    in_words,
    not_as_seen,
    noted,
    refuse,
)
from services.channel_control.holding.holds import counts, why
from services.channel_control.holding.lifting import lift
from services.channel_control.holding.masks import guard_of
from services.channel_control.holding.overrides import keep_running
from services.channel_control.holding.target import Target
from services.channel_control.sentences import both, name
from services.runtime.ids import derive

MAX_REQUESTS: Final = 16
"""On one target at a time."""


def guarded(holds: Iterable[Hold], rule: FourEyes) -> list[Hold]:
    """Those of these holds that one person alone may not loosen."""
    return [hold for hold in holds if counts(hold) and guard_of(hold) in rule.orders]


def ask(target: Target, command: Command, moment: Moment, hold_ids: list[str], override: Override | None) -> Decision:
    """The order becomes a request, unless the same one waits already."""
    if len(target.requests) >= MAX_REQUESTS:
        return refuse(
            command,
            moment,
            both(f"{MAX_REQUESTS} requests wait on this target already", f"该对象已有 {MAX_REQUESTS} 项申请等待"),
        )
    request = _request_of(command, moment, hold_ids, override)
    if any(_is_same(request, other) for other in target.requests):
        return refuse(command, moment, both("the same was asked for before and waits", "相同申请已提交，正在等待"))
    needed, until = request.approvals_needed, in_words(request.decide_by)
    return Decision(
        "waiting",
        both(
            f"waits until {until} for {needed} other people to agree: {request.reason}",
            f"等待另外 {needed} 人同意，截至 {until}：{request.reason}",
        ),
        target=replace(target, requests=(*target.requests, request)).with_holds(target.holds),
        holds=tuple(hold_ids),
        notes=told(target, request, "waiting", command.issued_by, moment.at, noted(command)),
        request=request,
    )


def _request_of(command: Command, moment: Moment, hold_ids: list[str], override: Override | None) -> FourEyesRequest:
    latest = moment.at + moment.policy.four_eyes.expire
    return FourEyesRequest(
        request_id=derive(command.command_id, "request"),
        command="resume" if override is None else "override",
        by=command.issued_by,
        since=moment.at,
        decide_by=latest if override is None else min(latest, override.until),
        hold_ids=hold_ids,
        override=override,
        approvals_needed=moment.policy.four_eyes.approvals,
        reason=why(command).en,
    )


def _is_same(one: FourEyesRequest, other: FourEyesRequest) -> bool:
    scopes = [None if each.override is None else each.override.indicators for each in (one, other)]
    return (one.command, set(one.hold_ids), scopes[0]) == (other.command, set(other.hold_ids), scopes[1])


def named(target: Target, command: Command) -> FourEyesRequest | None:
    """The request that an order is about, if it is about one."""
    return next((each for each in target.requests if [each.request_id] == command.hold_ids), None)


def answer(target: Target, request: FourEyesRequest, command: Command, moment: Moment) -> Decision:
    """Another person's `approve` or `reject` of a request."""
    problem = _problem(request, command, moment.at) or not_as_seen(target, command)
    if problem is not None:
        return refuse(command, moment, problem)
    if command.command == "reject":
        return _ended(target, request, "rejected", command, moment)
    agreed = request.model_copy(update={"approved_by": [*request.approved_by, command.issued_by]})
    if len(agreed.approved_by) < agreed.approvals_needed:
        return _agreed(target, agreed, command)
    return _fulfilled(target, agreed, command, moment)


def withdraw(target: Target, request: FourEyesRequest, command: Command, moment: Moment) -> Decision:
    """The word of the person who asked that they ask no more."""
    problem = not_as_seen(target, command)
    if not is_one_of(command.issued_by, [request.by]):
        problem = both("only the one who asked takes it back; others reject it", "只有申请人可撤回；其他人请驳回")
    if problem is not None:
        return refuse(command, moment, problem)
    return _ended(target, request, "rejected", command, moment)


def expired(target: Target, request: FourEyesRequest, command: Command, moment: Moment) -> Decision:
    """Its time has come."""
    return _ended(target, request, "expired", command, moment)


def is_one_of(person: str, people: Iterable[str]) -> bool:
    """Whether a person is among these, however their name is written."""
    return person.strip().casefold() in {each.strip().casefold() for each in people}


def _problem(request: FourEyesRequest, command: Command, at: datetime) -> Bilingual | None:
    if at >= request.decide_by:
        until = in_words(request.decide_by)
        return both(f"the request has expired: it could be decided on until {until}", f"申请已过期：决定期限为 {until}")
    if command.command == "reject":
        return None
    if is_one_of(command.issued_by, [request.by]):
        return both("who asked cannot approve it: it takes other people", "申请人不能自行批准：须由他人批准")
    if is_one_of(command.issued_by, request.approved_by):
        return both(
            "the same person has approved it before: it takes different people", "同一人已批准过：须由不同人员批准"
        )
    return None


def _agreed(target: Target, request: FourEyesRequest, command: Command) -> Decision:
    requests = tuple(request if each.request_id == request.request_id else each for each in target.requests)
    agreed, needed, said = len(request.approved_by), request.approvals_needed, why(command)
    return Decision(
        "waiting",
        both(f"{agreed} of {needed} people agree: {said.en}", f"已有 {agreed}/{needed} 人同意：{said.zh}"),
        target=replace(target, requests=requests).with_holds(target.holds),
        holds=tuple(request.hold_ids),
        request=request,
    )


def _fulfilled(target: Target, request: FourEyesRequest, command: Command, moment: Moment) -> Decision:
    rest = _without(target, request)
    if request.override is None:
        done = lift(rest, request.hold_ids, command, moment)
    else:
        done = keep_running(rest, request.override, command, moment)
    said = told(target, request, "granted", command.issued_by, moment.at, noted(command))
    text = both(
        f"{', '.join(request.approved_by)} agree with {request.by}: {request.reason}",
        f"{'、'.join(map(name, request.approved_by))} 同意 {name(request.by)} 的申请：{request.reason}",
    )
    return replace(done, why=text, notes=(*said, *done.notes), request=request)


def _ended(target: Target, request: FourEyesRequest, state: ActionState, command: Command, moment: Moment) -> Decision:
    return Decision(
        "done",
        why(command),
        target=_without(target, request).with_holds(target.holds),
        holds=tuple(request.hold_ids),
        notes=told(target, request, state, command.issued_by, moment.at, noted(command)),
        request=request,
    )


def _without(target: Target, request: FourEyesRequest) -> Target:
    left = tuple(each for each in target.requests if each.request_id != request.request_id)
    return replace(target, requests=left)


def with_void(target: Target, decision: Decision, command: Command, moment: Moment) -> Decision:
    """The decision, which also tells of the requests that lost a hold by it."""
    if decision.target is None:
        return decision
    left = {request.request_id for request in decision.target.requests} | set(command.hold_ids or ())
    void = [request for request in target.requests if request.request_id not in left]
    text = both("void: a hold that it names is gone", "作废：所涉措施已不存在")
    notes = [note for each in void for note in told(target, each, "replaced", command.issued_by, moment.at, text)]
    return replace(decision, void=tuple(request.request_id for request in void), notes=(*decision.notes, *notes))


def told(
    target: Target, request: FourEyesRequest, state: ActionState, by: str, at: datetime, text: Bilingual | None
) -> tuple[AlertNote, ...]:
    """What the alerts behind the request's holds are told, each once."""
    action = action_of(request.command, target.name, state, by, at, text)
    alerts = dict.fromkeys(hold.alert_id for hold in target.holds if hold.hold_id in request.hold_ids)
    return tuple(AlertNote(alert_id, action) for alert_id in alerts if alert_id is not None)
