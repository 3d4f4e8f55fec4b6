"""What takes several people: all different, none of them the one who asked."""

import json
from typing import Any

import pytest

from schemas.base import from_ms
from schemas.channels import FourEyesRequest
from schemas.commands import Command
from services.channel_control.decision import Moment
from services.channel_control.holding.deadlines import overdue
from services.channel_control.holding.target import Target
from services.channel_control.machine import UNTOLD, ControlMachine
from services.channel_control.people.approvals import answer
from services.channel_control.people.four_eyes import MAX_REQUESTS
from services.runtime.machines.machine import Output, Record
from tests.unit.channel_control.one_log import HOUR_MS, Log, actions, outcome
from tests.unit.channel_control.orders import NOW_MS, hex_id, order, persons, said

FOUR_MS = NOW_MS + 4 * HOUR_MS


def stopped(*orders: dict[str, Any]) -> Log:
    """A log on which a guardrail paused the channel, unless said otherwise; the default policy is in force."""
    log = Log(is_alone=False)
    for fields in orders or (order(1),):
        log.give(fields)
    return log


def resume(log: Log, number: int = 50, **fields: Any) -> dict[str, Any]:
    return persons(number, "resume", **{"expected_generation": log.channel.generation, "note": "called them"} | fields)


def says(log: Log, number: int, who: str, word: str = "approve", **fields: Any) -> dict[str, Any]:
    """A person's word on the only request."""
    known = {"expected_generation": log.channel.generation, "hold_ids": [only(log).request_id]}
    return persons(number, word, **known | {"issued_by": f"person:{who}"} | fields)


def only(log: Log) -> FourEyesRequest:
    (request,) = log.channel.requests
    return request


def detail(outputs: list[Output]) -> dict[str, Any]:
    (audit,) = said(outputs, "audit")
    return dict(audit["detail"])


def test_to_lift_a_guardrails_pause_takes_two_others() -> None:
    log = stopped()
    outputs = log.give(resume(log))
    waits = "waits until 2026-01-01 04:00:00 UTC for 2 other people to agree: called them"
    assert outcome(outputs) == ("waiting", waits)
    assert actions(outputs) == [(hex_id(0xA), "resume", "waiting")]
    (state,) = said(outputs, "channel-state")
    assert (state["status"], state["generation"], len(state["requests"])) == ("paused", 2, 1)
    assert list(log.machine.waiting) == [log.channel.name]
    outputs = log.give(says(log, 51, "wang", note="seen"))
    assert outcome(outputs) == ("waiting", "1 of 2 people agree: seen")
    assert (log.channel.wanted().status, only(log).approved_by) == ("paused", ["person:wang"])
    outputs = log.give(says(log, 52, "chen"))
    assert outcome(outputs) == ("done", "person:wang, person:chen agree with person:li: called them")
    assert actions(outputs) == [(hex_id(0xA), "resume", "granted"), (hex_id(0xA), "pause", "lifted")]
    assert detail(outputs)["request"]["approved_by"] == ["person:wang", "person:chen"]
    assert (log.channel.holds, log.channel.requests, log.channel.wanted().status) == ((), (), "running")
    assert not log.machine.waiting and not log.machine.timed


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"issued_by": "person:li"}, "who asked cannot approve it: it takes other people"),
        ({"issued_by": "person:LI "}, "who asked cannot approve it: it takes other people"),
        ({"issued_by": "person:Wang"}, "the same person has approved it before: it takes different people"),
        (
            {"issued_by": "person:chen", "expected_generation": 2},
            "the target has changed: it is at generation 3, not 2",
        ),
        ({"issued_by": "person:chen", "hold_ids": [hex_id(7)]}, "approve names a hold that does not stand"),
    ],
)
def test_nobody_agrees_twice_or_with_themselves_or_without_looking(fields: dict[str, Any], problem: str) -> None:
    log = stopped()
    log.give(resume(log))
    log.give(says(log, 51, "wang"))
    assert outcome(log.give(says(log, 52, "x", **fields))) == ("refused", problem)
    assert (only(log).approved_by, log.channel.wanted().status) == (["person:wang"], "paused")


CONTENT = "content:7"


@pytest.mark.parametrize(
    ("fields", "outcome_"),
    [
        (order(1, issued_by="indicator:complaint_rate"), "waiting"),
        (order(1, "freeze", issued_by="indicator:click_fraud"), "waiting"),
        (persons(1, "freeze"), "waiting"),
        (order(1, "take_down", target=CONTENT, issued_by="indicator:content_violation"), "waiting"),
        (order(1, "throttle", factor=0.5), "done"),
        (order(1, issued_by="indicator:search_divergence"), "done"),
        (persons(1, "pause"), "done"),
        (persons(1, "take_down", target=CONTENT), "done"),
        (order(1, maturity="approve"), "done"),
    ],
)
def test_what_takes_four_eyes_by_default(fields: dict[str, Any], outcome_: str) -> None:
    log = stopped(fields)
    assert outcome(log.give(resume(log, expected_generation=1, target=fields["target"])))[0] == outcome_


def test_the_policy_says_what_takes_how_many_and_for_how_long() -> None:
    log = stopped()
    policy = {"version": 2, "four_eyes": {"orders": ["guardrail"], "approvals": 1, "expire": "30m"}}
    log.machine.apply(Record(0, NOW_MS, b"policy", json.dumps({"v": 1, "policy": policy}).encode()))
    log.give(resume(log))
    assert only(log).decide_by == from_ms(NOW_MS + HOUR_MS // 2)
    assert outcome(log.give(says(log, 51, "wang")))[0] == "done"
    log.give(persons(2, "freeze"))
    assert outcome(log.give(resume(log, 53)))[0] == "done"


def test_a_hold_that_lands_after_the_request_is_not_lifted() -> None:
    log = stopped()
    log.give(resume(log))
    log.give(order(2, alert_id=hex_id(0xB)))
    log.give(says(log, 51, "wang"))
    log.give(says(log, 52, "chen"))
    assert [hold.alert_id for hold in log.channel.holds] == [hex_id(0xB)]
    assert log.channel.wanted().status == "paused"


def test_a_request_is_void_when_a_hold_that_it_names_is_gone() -> None:
    log = stopped(order(1), persons(2, "pause", expires_at="2026-01-01T01:00:00Z"))
    log.give(resume(log))
    request = only(log)
    late = says(log, 52, "chen")
    outputs = log.give(resume(log, 51, hold_ids=[log.channel.holds[1].hold_id]))
    assert (outcome(outputs)[0], detail(outputs)["void_requests"]) == ("done", [request.request_id])
    assert actions(outputs) == [(hex_id(0xA), "resume", "replaced")]
    assert log.channel.requests == () and not log.machine.waiting
    late["expected_generation"] = log.channel.generation
    assert outcome(log.give(late)) == ("refused", "approve names a hold that does not stand")


def test_it_is_void_too_when_a_stronger_hold_takes_the_place() -> None:
    log = stopped()
    log.give(resume(log))
    outputs = log.give(order(2, "freeze", level=2))
    assert len(detail(outputs)["void_requests"]) == 1
    assert log.channel.requests == ()


def test_one_no_ends_it_and_the_asker_may_take_it_back() -> None:
    log = stopped()
    log.give(resume(log))
    outputs = log.give(says(log, 51, "wang", "reject", note="not before they answer"))
    assert outcome(outputs) == ("done", "not before they answer")
    assert actions(outputs) == [(hex_id(0xA), "resume", "rejected")]
    assert (log.channel.requests, log.channel.wanted().status) == ((), "paused")
    log.give(resume(log, 52))
    problem = "only the one who asked takes it back; others reject it"
    assert outcome(log.give(says(log, 53, "wang", "withdraw"))) == ("refused", problem)
    outputs = log.give(says(log, 54, "li", "withdraw"))
    assert (outcome(outputs)[0], log.channel.requests) == ("done", ())


def test_a_request_expires_by_the_companions_word() -> None:
    log = stopped()
    log.give(resume(log))
    log.give(says(log, 51, "wang"))
    late = says(log, 52, "chen")
    reports, _ = overdue(log.machine.timed.values(), from_ms(FOUR_MS))
    (report,) = [json.loads(each.model_dump_json()) for each in reports]
    assert report["note"] == "1 of 2 people agreed by 2026-01-01 04:00:00 UTC"
    assert log.give(report, FOUR_MS - 1) == []
    problem = "the request has expired: it could be decided on until 2026-01-01 04:00:00 UTC"
    assert outcome(log.give(late, FOUR_MS)) == ("refused", problem)
    outputs = log.give(report, FOUR_MS)
    assert (outcome(outputs)[0], actions(outputs)) == ("done", [(hex_id(0xA), "resume", "expired")])
    assert (log.channel.requests, log.channel.wanted().status) == ((), "paused")


def test_the_same_is_asked_once_and_not_without_end() -> None:
    log = stopped(*(order(number, alert_id=hex_id(0xA0 + number)) for number in range(MAX_REQUESTS + 1)))
    holds = [hold.hold_id for hold in log.channel.holds]
    for number in range(MAX_REQUESTS):
        assert outcome(log.give(resume(log, 100 + number, hold_ids=[holds[number]])))[0] == "waiting"
    again = log.give(resume(log, 200, hold_ids=[holds[0]], issued_by="person:wang"))
    assert outcome(again) == ("refused", f"{MAX_REQUESTS} requests wait on this target already")
    log = stopped()
    log.give(resume(log))
    assert outcome(log.give(resume(log, 51))) == ("refused", "the same was asked for before and waits")


def test_an_override_of_a_guardrails_pause_takes_others_too() -> None:
    log = stopped()
    fields = {"expected_generation": 1, "expires_at": "2026-01-01T02:00:00Z", "note": "it is another campaign"}
    outputs = log.give(persons(50, "override", **fields))
    assert (outcome(outputs)[0], actions(outputs)) == ("waiting", [(hex_id(0xA), "override", "waiting")])
    assert only(log).decide_by == from_ms(NOW_MS + 2 * HOUR_MS), "not later than its own end"
    log.give(persons(51, "pause"), NOW_MS + 1)
    log.give(says(log, 52, "wang"))
    outputs = log.give(says(log, 53, "chen"), NOW_MS + HOUR_MS)
    assert actions(outputs) == [(hex_id(0xA), "override", "granted"), (hex_id(0xA), "pause", "masked")]
    override = log.channel.override
    assert override is not None and (override.by, override.since) == ("person:li", from_ms(NOW_MS))
    assert [hold.masked for hold in log.channel.holds] == [True, False], "what a person stopped meanwhile stays stopped"
    assert outcome(log.give(persons(54, "override", **fields | {"expected_generation": 4})))[0] == "refused"


def test_an_override_of_other_signals_takes_one_person() -> None:
    log = stopped()
    fields = {"expected_generation": 1, "expires_at": "2026-01-01T02:00:00Z", "indicators": ["cac_spike"]}
    assert outcome(log.give(persons(50, "override", **fields)))[0] == "done"


def test_requests_live_on_in_a_snapshot() -> None:
    log = stopped()
    log.give(resume(log))
    log.give(says(log, 51, "wang"))
    fresh = ControlMachine(0)
    fresh.load([(key, value) for key, value in log.machine.changed() if value is not None])
    assert fresh.target(log.channel.name) == log.channel
    assert dict(fresh.timed) == dict(log.machine.timed)


def beyond(log: Log, needed: int) -> Target:
    """The channel, whose waiting hold needs so many approvals."""
    (hold,) = log.channel.holds
    return log.channel.with_holds((hold.model_copy(update={"approvals_needed": needed}),))


def test_what_needs_several_approvals_acts_once_as_many_different_people_gave_them() -> None:
    target = beyond(stopped(order(1, maturity="approve")), 2)
    moment = Moment(from_ms(NOW_MS), UNTOLD)

    def said_by(who: str, seen: Target) -> Command:
        ids = [seen.holds[0].hold_id]
        fields = persons(9, "approve", issued_by=who, hold_ids=ids, expected_generation=seen.generation)
        return Command.model_validate_json(json.dumps(fields))

    first = answer(target, said_by("person:wang", target), moment)
    assert (first.outcome, first.why.en, first.why.zh) == (
        "waiting",
        "1 of 2 people approve the pause: approve ordered by person:wang",
        "已有 1/2 人批准暂停：wang 下达 approve",
    )
    assert first.notes == () and first.target is not None
    assert (first.target.holds[0].approval, first.target.generation) == ("waiting", target.generation + 1)
    again = answer(first.target, said_by("person:WANG", first.target), moment)
    assert again.why.en == "the same person has approved the pause before: it takes different people"
    second = answer(first.target, said_by("person:chen", first.target), moment)
    assert (second.outcome, second.holds) == ("done", (target.holds[0].hold_id,))
    assert second.target is not None
    (hold,) = second.target.holds
    assert (hold.approval, hold.decided_by, hold.approved_by) == (
        "granted",
        "person:chen",
        ["person:wang", "person:chen"],
    )
    assert second.target.wanted().status == "paused"


def keep_running(log: Log, number: int, **fields: Any) -> dict[str, Any]:
    seen = {"expected_generation": log.channel.generation, "expires_at": "2026-01-01T06:00:00Z", "note": "the launch"}
    return persons(number, "override", **seen | fields)


@pytest.mark.parametrize(
    ("later", "masked"),
    [
        (order(1), False),
        (order(1, "freeze"), False),
        (order(1, "throttle", factor=0.5), True),
        (order(1, issued_by="indicator:search_divergence"), True),
    ],
)
def test_what_one_person_keeps_running_a_guardrail_stops_all_the_same(later: dict[str, Any], masked: bool) -> None:
    log = Log(is_alone=False)
    log.give(keep_running(log, 50))
    log.give(later)
    assert log.channel.override is not None
    assert [hold.masked for hold in log.channel.holds] == [masked]


def test_what_others_have_agreed_to_keep_running_keeps_running() -> None:
    log = stopped()
    log.give(keep_running(log, 50))
    log.give(says(log, 51, "wang"))
    log.give(says(log, 52, "chen"))
    log.give(order(2, alert_id=hex_id(0xB)))
    assert [hold.masked for hold in log.channel.holds] == [True, True]
    assert log.channel.wanted().status == "running"
