"""The comparison of a chaos run can fail: every kind of loss and doubling is found in an outcome made false."""

import copy
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.cli.ledger.ledger import Line, SubjectLine
from tests.chaos.compare import differences, standing
from tests.chaos.faults import plan
from tests.chaos.outcome import Outcome
from tests.oracle import people, ramps, truth
from tests.oracle.morning import morning
from tests.oracle.scenario import Sent

RECORDS: list[Sent] = list(morning(3, 500).records())
NOON = datetime(2026, 11, 23, 4, tzinfo=UTC)
ENDS = {stop: NOON + timedelta(seconds=stop.after + stop.lasts) for stop in people.STOPS if stop.lasts is not None}


def record(target: str, what: str, seconds: float, who: str = "person:x", left: float = 0.0) -> dict[str, Any]:
    """A line of the audit."""
    at = (NOON + timedelta(seconds=seconds)).isoformat()
    about = {"holds": ["1"], "detail": {"left": left}, "who": who}
    return {"target": target, "what": what, "at": at, "outcome": "done", **about}


def audit(opened: dict[str, list[float]]) -> list[dict[str, Any]]:
    """What people and ramps leave there."""
    lines = [record(answer.target, answer.word, 50) for answer in people.ANSWERS]
    lifted = people.LIFTED[1]
    lines += [record(lifted, word, 60) | {"outcome": "waiting"} for word in ("resume", "approve")]
    lines.append(record(lifted, "approve", 61))
    for stop in people.STOPS:
        hold = {"holds": [stop.word]}
        lines.append(record(stop.target, stop.word, stop.after) | hold)
        if stop.lasts is not None:
            lines.append(record(stop.target, "expired", stop.after + stop.lasts + 0.5, "reconciler") | hold)
    for target, steps in opened.items():
        lines.append(record(target, "eased", 0))
        lines += [record(target, "due", 3 + 4 * n, "reconciler", left) for n, left in enumerate((*steps, 1.0))]
    return lines


def alert(indicator: str, subject: str, level: int) -> dict[str, Any]:
    """An alert that is open."""
    who = people.OPERATOR if (indicator, subject) == people.ACKNOWLEDGED else None
    about: dict[str, Any] = {"alert_id": f"{indicator}{subject}", "indicator": indicator, "subject": subject}
    about["actions"] = [{"state": state} for state in people.answers_to(indicator, subject)]
    return {**about, "level": level, "status": "open", "severity": "critical", "acknowledged_by": who}


def told(about: dict[str, Any], change: str) -> dict[str, Any]:
    """A message."""
    return {"webhook_id": about["alert_id"] + change, "message": {"type": f"alert.{change}", "data": about}}


def truthful() -> Outcome:
    """What a faultless run leaves behind."""
    events, trips = truth.unique_events(RECORDS), truth.trips(truth.unique_events(RECORDS))
    accounts = truth.frozen_accounts(events)
    opened = ramps.opened(events, trips, accounts)
    stands = standing(trips, accounts, opened)
    alerts = [alert(*about, level) for about, level in truth.alerts(events).items()]
    answered = [each for each in alerts if each["actions"]]
    settled = {"channel": SubjectLine(1, 1, 0)}
    lines = [
        Line(topic, 0, 0, of.read, of.read, of.read, of.valid, of.duplicate, of.dead, 0, settled)
        for topic, of in truth.ledger(RECORDS).items()
    ]
    return Outcome(
        trips={trip: {"id"} for trip in trips},
        frozen_accounts=accounts,
        pane_totals=truth.pane_totals(events),
        ledger=lines,
        dead_letters={("t", 0, n) for n in range(sum(line.dead for line in lines))},
        channel_state={t: {"status": s, "factor": f, "platform": {"confirmed": s}} for t, (s, f) in stands.items()},
        alerts=alerts,
        webhooks=[*(told(each, "opened") for each in alerts), *(told(each, "updated") for each in answered)],
        unverified=0,
        platform={t: {"status": s, "factor": f} for t, (s, f) in stands.items()},
        audit=audit(opened),
    )


def test_the_truth_has_no_differences() -> None:
    assert differences(RECORDS, truthful(), ENDS) == []


def _first(mapping: dict[Any, Any]) -> Any:
    return next(iter(mapping))


def lost_trip(outcome: Outcome) -> None:
    del outcome.trips[_first(outcome.trips)]


def double_command(outcome: Outcome) -> None:
    outcome.trips[_first(outcome.trips)].add("another id")


def invented_trip(outcome: Outcome) -> None:
    outcome.trips["click_fraud", "actor:x", "freeze", "actor:x", 1] = {"id"}


def one_event_more(outcome: Outcome) -> None:
    outcome.pane_totals[_first(outcome.pane_totals)] += 1


def one_pane_less(outcome: Outcome) -> None:
    del outcome.pane_totals[_first(outcome.pane_totals)]


def one_duplicate_folded(outcome: Outcome) -> None:
    line = outcome.ledger[0]
    outcome.ledger[0] = replace(line, duplicate=line.duplicate - 1, valid=line.valid + 1)


def one_in_flight(outcome: Outcome) -> None:
    outcome.ledger[0] = replace(outcome.ledger[0], subjects={"channel": SubjectLine(2, 1, 0)})


def dead_letter_missing(outcome: Outcome) -> None:
    outcome.dead_letters.pop()


def channel_runs_on(outcome: Outcome) -> None:
    outcome.channel_state["channel:volume-2"]["status"] = "running"


def platform_runs_on(outcome: Outcome) -> None:
    outcome.platform["channel:volume-2"]["status"] = "running"


def account_not_frozen(outcome: Outcome) -> None:
    outcome.frozen_accounts.pop()


def nobody_told(outcome: Outcome) -> None:
    outcome.webhooks.pop(0)


def told_twice(outcome: Outcome) -> None:
    again = copy.deepcopy(outcome.webhooks[0])
    again["webhook_id"] += "again"
    outcome.webhooks.append(again)


def lost_alert(outcome: Outcome) -> None:
    lost = outcome.alerts.pop()
    outcome.webhooks = [each for each in outcome.webhooks if each["message"]["data"] is not lost]


def lost_level(outcome: Outcome) -> None:
    for each in (outcome.alerts[0], outcome.webhooks[0]["message"]["data"]):
        each["level"] -= 1


def wrong_order(outcome: Outcome) -> None:
    alert = outcome.alerts[0]
    alert["status"] = "resolved"
    outcome.webhooks.insert(0, {"webhook_id": "end", "message": {"type": "alert.resolved", "data": alert}})


def forged(outcome: Outcome) -> None:
    outcome.unverified = 1


def alert_twice(outcome: Outcome) -> None:
    again = {**outcome.alerts[0], "alert_id": "again"}
    outcome.alerts.append(again)
    outcome.webhooks.append({"webhook_id": "again", "message": {"type": "alert.opened", "data": again}})


def nobody_acknowledged(outcome: Outcome) -> None:
    for each in outcome.alerts:
        each["acknowledged_by"] = None


def slowed_to_something_else(outcome: Outcome) -> None:
    outcome.channel_state["channel:c4"]["factor"] = 0.4


def answer_lost(outcome: Outcome) -> None:
    next(each for each in outcome.alerts if each["actions"])["actions"].clear()


def _of(outcome: Outcome, what: str) -> dict[str, Any]:
    return next(each for each in outcome.audit if each["what"] == what)


def stop_done_twice(outcome: Outcome) -> None:
    outcome.audit.append(_of(outcome, "pause"))


def stop_never_ended(outcome: Outcome) -> None:
    outcome.audit.remove(_of(outcome, "expired"))


def stop_ended_early(outcome: Outcome) -> None:
    _of(outcome, "expired")["at"] = NOON.isoformat()


def approved_twice(outcome: Outcome) -> None:
    outcome.audit.append(_of(outcome, "approve"))


def lifted_by_one_person(outcome: Outcome) -> None:
    outcome.audit.remove(next(e for e in outcome.audit if (e["what"], e["outcome"]) == ("approve", "waiting")))


def step_left_out(outcome: Outcome) -> None:
    outcome.audit.remove(_of(outcome, "due"))


def step_taken_twice(outcome: Outcome) -> None:
    outcome.audit.append(_of(outcome, "due"))


def step_taken_early(outcome: Outcome) -> None:
    _of(outcome, "due")["at"] = NOON.isoformat()


def guardrail_opened(outcome: Outcome) -> None:
    outcome.audit.append(record("channel:volume-1", "due", 100, "reconciler", 1.0))


FALSIFICATIONS: list[Callable[[Outcome], None]] = [
    lost_trip,
    double_command,
    invented_trip,
    one_event_more,
    one_pane_less,
    one_duplicate_folded,
    one_in_flight,
    dead_letter_missing,
    channel_runs_on,
    platform_runs_on,
    account_not_frozen,
    nobody_told,
    told_twice,
    alert_twice,
    lost_alert,
    lost_level,
    wrong_order,
    forged,
    nobody_acknowledged,
    slowed_to_something_else,
    answer_lost,
    stop_done_twice,
    stop_never_ended,
    stop_ended_early,
    approved_twice,
    lifted_by_one_person,
    step_left_out,
    step_taken_twice,
    step_taken_early,
    guardrail_opened,
]


@pytest.mark.parametrize("falsify", FALSIFICATIONS, ids=lambda f: str(f.__name__))
def test_what_is_false_is_found(falsify: Callable[[Outcome], None]) -> None:
    outcome = truthful()
    falsify(outcome)
    assert differences(RECORDS, outcome, ENDS)


def test_everybody_dies_as_often_as_planned_and_half_of_the_time_with_a_backlog() -> None:
    faults = plan(5, ["a", "b"], ["a"], ["c"], deaths=3, calm=1)
    assert Counter((fault.kind, fault.victim) for fault in faults) == {
        ("kill", "a"): 3,
        ("kill", "b"): 3,
        ("freeze", "a"): 1,
        ("refuse", "c"): 3,
    }
    assert sum(fault.backlog for fault in faults) == 5
    assert faults == plan(5, ["a", "b"], ["a"], ["c"], deaths=3, calm=1)
