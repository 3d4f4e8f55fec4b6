"""A person keeps a target running until a time; and people's stops that end by themselves."""

import json
from typing import Any

import pytest

from schemas.base import from_ms
from services.channel_control.holding.deadlines import deadlines, overdue
from services.channel_control.holding.holds import MAX_HOLDS
from services.channel_control.machine import ControlMachine
from services.runtime.machines.machine import Record
from tests.unit.channel_control.one_log import HOUR_MS, Log, actions, outcome
from tests.unit.channel_control.orders import NOW_MS, confirmed, expired, hex_id, order, persons, said

UNTIL = "2026-01-01T06:00:00Z"
SIX_MS = NOW_MS + 6 * HOUR_MS


def override(log: Log, number: int = 50, **fields: Any) -> dict[str, Any]:
    """Until six o'clock, having seen what stands."""
    seen = {"expected_generation": log.channel.generation, "expires_at": UNTIL, "note": "the launch is live"}
    return persons(number, "override", **seen | fields)


def withdraw(log: Log, number: int = 60, **fields: Any) -> dict[str, Any]:
    assert log.channel.override is not None
    seen = {"expected_generation": log.channel.generation, "hold_ids": [log.channel.override.override_id]}
    return persons(number, "withdraw", **seen | fields)


def due(log: Log, at_ms: int) -> list[dict[str, Any]]:
    """What the companion reports at this time."""
    return [json.loads(each.model_dump_json()) for each in overdue(log.machine.timed.values(), from_ms(at_ms))[0]]


def kinds(log: Log) -> list[tuple[str, bool]]:
    return [(hold.kind, hold.masked) for hold in log.channel.holds]


def test_an_override_keeps_running_what_stands_and_what_comes_and_shows_both() -> None:
    log = Log()
    log.give(order(1))
    log.give(persons(2, "throttle", factor=0.5))
    outputs = log.give(override(log))
    assert outcome(outputs) == ("done", "the launch is live")
    assert actions(outputs) == [(hex_id(0xA), "pause", "masked")]
    (state,) = said(outputs, "channel-state")
    assert (state["status"], state["generation"], [hold["masked"] for hold in state["holds"]]) == (
        "running",
        3,
        [True, True],
    )
    assert state["override"] == {
        "override_id": log.channel.override.override_id if log.channel.override else None,
        "by": "person:li",
        "since": "2026-01-01T00:00:00Z",
        "until": UNTIL,
        "indicators": None,
        "spares": [],
        "reason": "the launch is live",
    }
    (audit,) = said(log.give(order(3, "freeze", alert_id=hex_id(0xB))), "audit")
    assert (audit["outcome"], audit["why"], audit["detail"]["status"]) == ("masked", "20 complaints today", "running")
    assert audit["detail"]["override"] == state["override"]["override_id"]
    assert kinds(log) == [("pause", True), ("throttle", True), ("freeze", True)]


def test_what_automation_wanted_meanwhile_is_told_to_its_alert() -> None:
    log = Log()
    log.give(override(log))
    (fact,) = said(log.give(order(1)), "alerts")
    (action,) = fact["actions"]
    assert (action["state"], action["note"]) == (
        "masked",
        "masked until 2026-01-01 06:00:00 UTC by person:li: the launch is live",
    )
    assert log.channel.settled(), "a platform that was never stopped is not told to run"


def test_a_later_stop_of_a_person_acts() -> None:
    log = Log()
    log.give(override(log))
    assert outcome(log.give(persons(2, "pause")))[0] == "done"
    assert log.channel.wanted().status == "paused"
    log.give(override(log, 51))
    assert log.channel.wanted().status == "running", "but a still later override masks it"


def test_an_override_of_some_indicators_leaves_the_others() -> None:
    log = Log()
    log.give(order(1))
    log.give(order(2, "throttle", factor=0.3, alert_id=hex_id(0xB), issued_by="indicator:cac_spike"))
    log.give(persons(3, "throttle", factor=0.9))
    log.give(override(log, indicators=["complaint_volume"]))
    assert kinds(log) == [("pause", True), ("throttle", False), ("throttle", False)]
    assert log.channel.wanted().factor == 0.3
    log.give(override(log, 51, indicators=["cac_spike"]))
    assert log.channel.wanted().status == "paused", "the later one took the place of the first"


def test_when_it_is_over_what_it_masked_acts_and_is_told_and_confirmed() -> None:
    log = Log()
    log.give(order(1))
    log.give(override(log))
    log.give(confirmed(2, 2, "running", 1.0))
    assert due(log, SIX_MS - 1) == []
    (report,) = due(log, SIX_MS)
    assert log.give(report, SIX_MS - 1) == [], "never early"
    outputs = log.give(report, SIX_MS)
    assert outcome(outputs) == ("done", "the override by person:li was until 2026-01-01 06:00:00 UTC")
    assert actions(outputs) == [(hex_id(0xA), "pause", "ordered")]
    assert (log.channel.override, kinds(log), log.channel.wanted().status) == (None, [("pause", False)], "paused")
    assert actions(log.give(confirmed(3, 3, "paused", 0.0))) == [(hex_id(0xA), "pause", "confirmed")]
    assert log.give(report, SIX_MS) == [] and not log.machine.timed


def test_a_person_withdraws_it() -> None:
    log = Log()
    log.give(order(1))
    log.give(override(log))
    wrong = {"hold_ids": [hex_id(7)]}
    problem = "withdraw does not name the override that stands"
    assert outcome(log.give(withdraw(log, 59, **wrong))) == ("refused", problem)
    assert outcome(log.give(withdraw(log, 58, expected_generation=1)))[0] == "refused"
    outputs = log.give(withdraw(log, note="it got worse"))
    assert outcome(outputs) == ("done", "it got worse")
    assert actions(outputs) == [(hex_id(0xA), "pause", "ordered")]
    assert log.channel.wanted().status == "paused"
    again = persons(61, "withdraw", expected_generation=log.channel.generation, hold_ids=[hex_id(7)])
    assert outcome(log.give(again)) == ("refused", problem)


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"note": None}, "override without a reason"),
        ({"expires_at": None}, "override does not say until when"),
        ({"expires_at": "2026-01-01T00:00:00Z"}, "override was over when it arrived"),
        ({"expires_at": "2026-01-01T12:00:01Z"}, "override is for longer than the policy allows: 12:00:00"),
        ({"indicators": []}, "override names no indicator"),
        ({"expected_generation": None}, "override does not say which generation it saw"),
        ({"expected_generation": 0}, "the target has changed: it is at generation 1, not 0"),
    ],
)
def test_an_override_without_end_reason_or_sight_is_refused(fields: dict[str, Any], problem: str) -> None:
    log = Log()
    log.give(order(1))
    assert outcome(log.give(override(log, **fields))) == ("refused", problem)
    assert (log.channel.override, log.channel.wanted().status) == (None, "paused")


def test_the_policy_says_for_how_long_at_most() -> None:
    log = Log()
    policy = {"v": 1, "policy": {"version": 2, "overrides": {"longest": "1h"}}}
    log.machine.apply(Record(0, NOW_MS, b"policy", json.dumps(policy).encode()))
    assert outcome(log.give(override(log)))[0] == "refused"
    assert outcome(log.give(override(log, 51, expires_at="2026-01-01T09:00:00+08:00")))[0] == "done"
    assert due(log, NOW_MS + HOUR_MS)[0]["note"] == "the override by person:li was until 2026-01-01 01:00:00 UTC"


def test_approving_what_is_masked_says_that_it_does_not_act_yet() -> None:
    log = Log()
    log.give(order(1, maturity="approve"))
    log.give(override(log))
    yes = persons(2, "approve", hold_ids=[log.channel.holds[0].hold_id], expected_generation=2)
    assert outcome(log.give(yes))[0] == "masked"
    assert log.channel.wanted().status == "running"


def test_an_override_and_its_report_live_on_in_a_snapshot() -> None:
    log = Log()
    log.give(order(1))
    log.give(override(log, expires_at="2026-01-01T14:00:00+08:00"))
    fresh = ControlMachine(0)
    fresh.load([(key, value) for key, value in log.machine.changed() if value is not None])
    assert fresh.target(log.channel.name) == log.channel
    reports, _ = overdue(fresh.timed.values(), from_ms(SIX_MS))
    assert [report.command_id for report in reports] == [report["command_id"] for report in due(log, SIX_MS)]


@pytest.mark.parametrize("word", ["pause", "throttle", "freeze", "take_down"])
@pytest.mark.parametrize("target", ["channel:a", "promotion:p@a", "product:p", "content:c", "actor:00", "account:00"])
def test_a_stop_with_an_end_stands_until_then(word: str, target: str) -> None:
    log = Log()
    log.give(persons(1, word, target=target, factor=0.2, expires_at=UNTIL, alert_id=hex_id(0xA), note="the night"))
    stands = log.machine.target(target)
    (hold,) = stands.holds
    assert (hold.kind, hold.until, hold.reason, hold.approval) == (word, from_ms(SIX_MS), "the night", "none")
    (report,) = due(log, SIX_MS)
    assert report["note"] == f"the {word} by person:li was until 2026-01-01 06:00:00 UTC"
    assert log.give(report, SIX_MS - 1) == []
    outputs = log.give(report, SIX_MS)
    assert (outcome(outputs)[0], actions(outputs)) == ("done", [(hex_id(0xA), word, "lifted")])
    after = log.machine.target(target)
    assert (after.holds, after.generation, after.wanted().status) == ((), 2, "running")
    assert not log.machine.timed


def test_only_what_is_over_ends_and_one_report_may_name_several() -> None:
    log = Log()
    log.give(persons(1, "pause", expires_at="2026-01-01T01:00:00Z"))
    log.give(persons(2, "throttle", factor=0.4, expires_at=UNTIL))
    log.give(persons(3, "freeze"))
    assert len(due(log, NOW_MS + HOUR_MS)) == 1
    both = [each.id for each in deadlines(log.channel)]
    assert log.give(expired(4, *both), NOW_MS + HOUR_MS) == [], "one of them is early"
    assert outcome(log.give(expired(5, *both), SIX_MS))[0] == "done"
    assert kinds(log) == [("freeze", False)]


def test_a_persons_stop_because_of_an_alert_stands_beside_the_indicators() -> None:
    log = Log()
    log.give(persons(1, "pause", alert_id=hex_id(0xA), expires_at=UNTIL))
    assert outcome(log.give(order(2)))[0] == "done"
    assert kinds(log) == [("pause", False), ("pause", False)]
    for report in due(log, SIX_MS):
        log.give(report, SIX_MS)
    assert log.channel.wanted().status == "paused", "what the indicator stopped stays stopped"


def test_making_room_among_a_persons_stops_keeps_the_latest_end() -> None:
    log = Log()
    log.give(persons(1, "pause", expires_at="2026-01-05T00:00:00Z"))
    for number in range(2, MAX_HOLDS + 2):
        log.give(persons(number, "pause", expires_at=UNTIL))
    assert len(log.channel.holds) == MAX_HOLDS
    assert max(each.at for each in deadlines(log.channel)).day == 5
