"""What waits for a person: approved, rejected, or nobody decides in time."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from schemas.channels import Hold
from schemas.policy import Approvals, Policy
from services.channel_control.holding.deadlines import overdue
from services.channel_control.machine import ControlMachine
from services.runtime.machines.machine import Record
from tests.unit.channel_control.one_log import HOUR_MS, Log, actions, outcome
from tests.unit.channel_control.orders import CHANNEL, NOW, NOW_MS, expired, hex_id, order, persons, said

WAIT_MS = 4 * HOUR_MS
AT = datetime(2026, 1, 1, tzinfo=UTC)


def asked(**fields: Any) -> dict[str, Any]:
    """A throttle that an indicator asks for; never too late to ask."""
    return order(1, "throttle", factor=0.5, maturity="approve", event_time=None) | fields


def asking(*orders: dict[str, Any]) -> Log:
    """A log on which these orders were given, one throttle unless said otherwise."""
    log = Log()
    for fields in orders or (asked(),):
        log.give(fields)
    return log


def only(log: Log) -> Hold:
    (hold,) = log.channel.holds
    return hold


def answers(log: Log, number: int, word: str, *holds: Hold, **fields: Any) -> dict[str, Any]:
    """A person's word on these holds (on the only one), having seen what stands."""
    named = [hold.hold_id for hold in holds or (only(log),)]
    return persons(number, word, hold_ids=named, expected_generation=log.channel.generation) | fields


@pytest.mark.parametrize(
    ("word", "status"),
    [("throttle", "throttled"), ("pause", "paused"), ("freeze", "frozen"), ("take_down", "taken_down")],
)
def test_what_a_person_approves_acts(word: str, status: str) -> None:
    log = asking(asked(command=word))
    assert not log.machine.unsettled
    outputs = log.give(answers(log, 2, "approve", note="seen, go"), NOW_MS + 1000)
    assert outcome(outputs) == ("done", "seen, go")
    assert actions(outputs) == [(hex_id(0xA), word, "granted")]
    (state,) = said(outputs, "channel-state")
    assert (state["generation"], state["status"]) == (2, status)
    assert (state["holds"][0]["approval"], state["holds"][0]["decided_by"]) == ("granted", "person:li")
    assert list(log.machine.unsettled) == [CHANNEL]
    assert not log.machine.waiting


def test_what_a_person_rejects_stands_as_a_record_and_never_acts() -> None:
    log = asking()
    outputs = log.give(answers(log, 2, "reject", note="the campaign ends tonight"))
    assert outcome(outputs) == ("done", "the campaign ends tonight")
    assert actions(outputs) == [(hex_id(0xA), "throttle", "rejected")]
    (audit,) = said(outputs, "audit")
    assert (audit["who"], audit["what"], audit["holds"]) == ("person:li", "reject", [only(log).hold_id])
    assert (only(log).approval, only(log).decided_by) == ("rejected", "person:li")
    assert (log.channel.generation, log.channel.wanted().status) == (2, "running")
    assert not log.machine.unsettled and not log.machine.waiting


def test_several_holds_are_decided_on_together_or_not_at_all() -> None:
    log = asking(asked(), asked(command_id=hex_id(2), alert_id=hex_id(0xB), factor=0.2))
    first, second = log.channel.holds
    wrong = answers(log, 3, "approve", first, second) | {"hold_ids": [first.hold_id, hex_id(9)]}
    assert outcome(log.give(wrong)) == ("refused", "approve names a hold that does not stand")
    assert [hold.approval for hold in log.channel.holds] == ["waiting", "waiting"]
    outputs = log.give(answers(log, 4, "approve", first, second))
    assert actions(outputs) == [(hex_id(0xA), "throttle", "granted"), (hex_id(0xB), "throttle", "granted")]
    assert log.channel.wanted().factor == 0.2


def test_one_is_approved_and_the_other_waits_on() -> None:
    log = asking(asked(), asked(command_id=hex_id(2), alert_id=hex_id(0xB), factor=0.2))
    log.give(answers(log, 3, "approve", log.channel.holds[0]))
    assert [hold.approval for hold in log.channel.holds] == ["granted", "waiting"]
    assert log.channel.wanted().factor == 0.5
    assert list(log.machine.waiting) == [CHANNEL]


@pytest.mark.parametrize("word", ["approve", "reject"])
@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"expected_generation": 0}, "the target has changed: it is at generation 1, not 0"),
        ({"expected_generation": None}, "{} does not say which generation it saw"),
        ({"hold_ids": None}, "{} names no hold"),
        ({"hold_ids": []}, "{} names no hold"),
        ({"hold_ids": [hex_id(9)]}, "{} names a hold that does not stand"),
    ],
)
def test_an_answer_that_is_not_about_what_stands_is_refused(word: str, fields: dict[str, Any], problem: str) -> None:
    log = asking()
    outputs = log.give(answers(log, 2, word, **fields))
    assert [output.topic for output in outputs] == ["audit"]
    assert outcome(outputs) == ("refused", problem.format(word))
    assert (only(log).approval, log.channel.generation) == ("waiting", 1)


@pytest.mark.parametrize("word", ["approve", "reject"])
def test_what_does_not_wait_can_be_neither_approved_nor_rejected(word: str) -> None:
    log = asking(asked(maturity="auto"))
    assert outcome(log.give(answers(log, 2, word))) == ("refused", "the throttle needs no approval")
    log = asking()
    log.give(answers(log, 3, "approve"))
    assert outcome(log.give(answers(log, 4, word))) == ("refused", "the throttle was granted before, by person:li")
    log = asking()
    log.give(answers(log, 5, "reject"))
    assert outcome(log.give(answers(log, 6, word))) == ("refused", "the throttle was rejected before, by person:li")


@pytest.mark.parametrize("word", ["approve", "reject"])
def test_nobody_decides_after_the_time_whether_the_expiry_was_reported_or_not(word: str) -> None:
    problem = "the throttle has expired: nobody decided by 2026-01-01 04:00:00 UTC"
    log = asking()
    late = log.give(answers(log, 2, word, note="late"), NOW_MS + WAIT_MS)
    assert outcome(late) == ("refused", problem)
    log.give(expired(3, only(log).hold_id), NOW_MS + WAIT_MS + 1000)
    assert outcome(log.give(answers(log, 4, word), NOW_MS + WAIT_MS + 2000)) == ("refused", problem)
    assert log.channel.wanted().status == "running"


def test_a_person_decides_until_the_last_moment_however_old_the_verdict() -> None:
    """An automatic order of this indicator may not act past a quarter of an hour; what a person approves does."""
    log = asking(asked(issued_by="indicator:cac_spike", event_time=NOW))
    assert outcome(log.give(answers(log, 2, "approve"), NOW_MS + WAIT_MS - 1))[0] == "done"
    assert log.channel.wanted().status == "throttled"


def test_what_nobody_decides_on_expires_and_is_told() -> None:
    log = asking()
    outputs = log.give(expired(2, only(log).hold_id, note="nobody decided"), NOW_MS + WAIT_MS)
    assert outcome(outputs) == ("done", "nobody decided")
    assert actions(outputs) == [(hex_id(0xA), "throttle", "expired")]
    (state,) = said(outputs, "channel-state")
    assert (state["generation"], state["status"], state["holds"][0]["approval"]) == (2, "running", "expired")
    assert not log.machine.waiting


def test_an_expiry_before_its_time_is_ignored_and_taken_when_it_comes_again() -> None:
    log = asking()
    report = expired(2, only(log).hold_id)
    assert log.give(report, NOW_MS + WAIT_MS - 1) == []
    assert only(log).approval == "waiting"
    assert outcome(log.give(report, NOW_MS + WAIT_MS))[0] == "done"
    assert log.give(report, NOW_MS + WAIT_MS) == []


def test_an_expiry_of_what_waits_no_more_changes_nothing() -> None:
    log = asking()
    log.give(answers(log, 2, "approve"))
    outputs = log.give(expired(3, only(log).hold_id), NOW_MS + WAIT_MS)
    assert outcome(outputs) == ("recorded", "nothing of it waits any more")
    assert log.channel.wanted().status == "throttled"
    assert outcome(log.give(expired(4, hex_id(9))))[0] == "recorded"


def test_the_policy_says_how_long_a_request_waits_and_a_new_one_moves_no_deadline() -> None:
    log = Log()
    policy = {"v": 1, "policy": {"version": 2, "approvals": {"expire": "10m"}}}
    log.machine.apply(Record(0, NOW_MS, b"policy", json.dumps(policy).encode()))
    log.give(asked())
    assert only(log).decide_by == AT + timedelta(minutes=10)
    log.machine.apply(Record(1, NOW_MS, b"policy", json.dumps({"v": 1, "policy": {"version": 3}}).encode()))
    assert only(log).decide_by == AT + timedelta(minutes=10)


@pytest.mark.parametrize("expire", ["0s", "31d"])
def test_a_policy_with_no_time_to_decide_or_without_end_is_refused(expire: str) -> None:
    with pytest.raises(ValueError, match="at most 30d"):
        Policy.model_validate({"version": 1, "approvals": {"expire": expire}})
    assert Approvals.model_validate({"expire": "30d"}).expire == timedelta(days=30)


@pytest.mark.parametrize("ending", ["reject", "expired"])
def test_the_same_level_of_the_alert_does_not_ask_again_and_a_higher_one_does(ending: str) -> None:
    log = asking()
    first = only(log)
    at_ms = NOW_MS + WAIT_MS
    if ending == "reject":
        log.give(answers(log, 2, "reject"), at_ms - 1)
    else:
        log.give(expired(2, first.hold_id), at_ms)
    again = log.give(asked(command_id=hex_id(3), factor=0.2), at_ms)
    assert outcome(again) == ("recorded", f"throttle of the same alert was asked for before: {only(log).approval}")
    assert log.channel.generation == 2
    outputs = log.give(asked(command_id=hex_id(4), level=2), at_ms)
    assert outcome(outputs)[0] == "waiting"
    assert (only(log).level, only(log).approval, only(log).decided_by) == (2, "waiting", None)
    assert only(log).hold_id != first.hold_id, "a late answer to the first question is none to the second"
    assert only(log).decide_by == AT + timedelta(hours=8)


def test_after_a_rejection_no_automatic_order_of_that_level_acts_either() -> None:
    log = asking()
    log.give(answers(log, 2, "reject"))
    assert outcome(log.give(asked(command_id=hex_id(3), maturity="auto")))[0] == "recorded"
    assert outcome(log.give(asked(command_id=hex_id(4), maturity="auto", level=2)))[0] == "done"
    assert log.channel.wanted().status == "throttled"


def test_an_automatic_order_ends_the_wait_and_acts_after_an_expiry_too() -> None:
    log = asking()
    log.give(asked(command_id=hex_id(2), maturity="auto"))
    assert (only(log).approval, only(log).decide_by) == ("none", None)
    log = asking()
    log.give(expired(3, only(log).hold_id), NOW_MS + WAIT_MS)
    assert outcome(log.give(asked(command_id=hex_id(4), maturity="auto"), NOW_MS + WAIT_MS))[0] == "done"
    assert (only(log).approval, log.channel.wanted().status) == ("none", "throttled")


def test_an_order_that_asks_for_what_was_decided_on_finds_its_answer() -> None:
    log = asking()
    log.give(answers(log, 2, "approve"))
    outputs = log.give(asked(command_id=hex_id(3), level=2))
    (action,) = said(outputs, "alerts")[0]["actions"]
    assert (action["state"], action["by"]) == ("granted", "person:li")
    (action,) = said(log.give(asked(command_id=hex_id(8), level=3, maturity="auto")), "alerts")[0]["actions"]
    assert (action["state"], action["by"]) == ("ordered", "indicator:complaint_volume")
    log = asking()
    log.give(answers(log, 4, "reject"))
    (action,) = said(log.give(asked(command_id=hex_id(5))), "alerts")[0]["actions"]
    assert (action["state"], action["by"]) == ("rejected", "person:li")
    log = asking(order(6))
    assert actions(log.give(asked(command_id=hex_id(7)))) == [(hex_id(0xA), "throttle", "replaced")]


def test_a_milder_order_may_be_asked_for_after_a_strong_one_was_rejected() -> None:
    log = asking(asked(command="pause"))
    log.give(answers(log, 2, "reject"))
    assert outcome(log.give(asked(command_id=hex_id(3))))[0] == "waiting"
    assert [(hold.kind, hold.approval) for hold in log.channel.holds] == [
        ("pause", "rejected"),
        ("throttle", "waiting"),
    ]
    assert outcome(log.give(asked(command_id=hex_id(4), command="pause")))[0] == "recorded"


def test_a_higher_level_renews_the_question_and_an_answer_to_the_old_one_is_refused() -> None:
    log = asking()
    old = answers(log, 2, "approve")
    log.give(asked(command_id=hex_id(3), level=2, factor=0.2), NOW_MS + HOUR_MS)
    assert (only(log).since, only(log).decide_by) == (AT, AT + timedelta(hours=5))
    assert log.give(expired(4, only(log).hold_id), NOW_MS + WAIT_MS) == []
    assert outcome(log.give(old, NOW_MS + WAIT_MS))[0] == "refused"
    log.give(answers(log, 5, "approve"), NOW_MS + WAIT_MS)
    assert log.channel.wanted().factor == 0.2


def test_what_asks_for_less_traffic_asks_beside_what_was_granted() -> None:
    log = asking()
    log.give(answers(log, 2, "approve"))
    assert outcome(log.give(asked(command_id=hex_id(3), level=2)))[0] == "done", "it asks for nothing more"
    assert outcome(log.give(asked(command_id=hex_id(4), level=3, factor=0.2)))[0] == "waiting"
    assert (log.channel.wanted().factor, len(log.channel.holds)) == (0.5, 2)
    log.give(answers(log, 5, "approve", log.channel.holds[1]))
    assert log.channel.wanted().factor == 0.2


@pytest.mark.parametrize("maturity", ["approve", "auto"])
def test_a_request_that_a_stronger_one_replaces_is_told(maturity: str) -> None:
    log = asking()
    outputs = log.give(order(2, "pause", level=2, maturity=maturity))
    told = "waiting" if maturity == "approve" else "ordered"
    assert actions(outputs) == [(hex_id(0xA), "throttle", "replaced"), (hex_id(0xA), "pause", told)]
    assert [hold.kind for hold in log.channel.holds] == ["pause"]


def test_a_record_goes_when_its_indicator_asks_again_or_a_person_resumes() -> None:
    log = asking()
    log.give(answers(log, 2, "reject"))
    log.give(order(3, alert_id=hex_id(0xC), issued_by="indicator:complaint_rate"))
    log.give(persons(4, "pause"))
    assert [hold.approval for hold in log.channel.holds] == ["rejected", "none", "none"]
    log.give(asked(command_id=hex_id(5), alert_id=hex_id(0xB)))
    assert [hold.approval for hold in log.channel.holds] == ["none", "none", "waiting"]
    log = asking()
    log.give(answers(log, 6, "reject"))
    assert outcome(log.give(persons(7, "resume", expected_generation=2)))[0] == "done"
    assert log.channel.holds == ()


def test_a_request_that_a_person_lifts_is_withdrawn() -> None:
    log = asking()
    outputs = log.give(persons(2, "resume", expected_generation=1))
    assert actions(outputs) == [(hex_id(0xA), "throttle", "lifted")]
    assert not log.machine.waiting


def test_escalation_waits_for_nobody() -> None:
    outputs = Log().give(order(1, "escalate", maturity="approve"))
    assert outcome(outputs)[0] == "recorded"
    assert actions(outputs) == [(hex_id(0xA), "escalate", "done")]


def test_deadlines_live_on_in_a_snapshot() -> None:
    log = asking()
    fresh = ControlMachine(0)
    fresh.load([(key, value) for key, value in log.machine.changed() if value is not None])
    assert dict(fresh.waiting) == dict(log.machine.waiting)
    assert fresh.target(CHANNEL).holds[0].decide_by == AT + timedelta(hours=4)


def test_a_report_is_due_for_each_request_whose_time_has_come() -> None:
    log = asking(asked(), asked(command_id=hex_id(2), alert_id=hex_id(0xB)))
    log.give(asked(command_id=hex_id(3), alert_id=hex_id(0xC)), NOW_MS + HOUR_MS)
    waiting = log.machine.waiting.values()
    assert overdue(waiting, AT + timedelta(hours=3)) == ([], 3600.0)
    reports, next_s = overdue(waiting, AT + timedelta(hours=4))
    assert [report.hold_ids for report in reports] == [[hold.hold_id] for hold in log.channel.holds[:2]]
    assert next_s == 3600.0
    again, _ = overdue(waiting, AT + timedelta(hours=4, minutes=1))
    assert [one.command_id for one in again] == [one.command_id for one in reports]
    assert len({one.command_id for one in reports}) == 2
    for report in reports:
        log.give(json.loads(report.model_dump_json()), NOW_MS + WAIT_MS)
    assert [hold.approval for hold in log.channel.holds] == ["expired", "expired", "waiting"]
    assert overdue([], AT) == ([], None)
