"""The comparison of a chaos run can fail: every kind of loss and doubling is found in an outcome made false."""

import copy
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from services.cli.ledger import Line, SubjectLine
from tests.chaos.compare import ACTING, differences
from tests.chaos.faults import plan
from tests.chaos.outcome import Outcome
from tests.oracle import truth
from tests.oracle.morning import morning
from tests.oracle.scenario import Sent

RECORDS: list[Sent] = list(morning(3, 500).records())


def truthful() -> Outcome:
    """What a faultless run leaves behind."""
    events, trips = truth.unique_events(RECORDS), truth.trips(truth.unique_events(RECORDS))
    accounts = truth.frozen_accounts(events)
    status = {target: ACTING[command] for _, _, command, target, _ in trips if command in ACTING}
    status |= {f"account:{account}": "frozen" for account in accounts}
    alerts: list[dict[str, Any]] = [
        {"alert_id": f"{i}{s}", "indicator": i, "subject": s, "level": n, "status": "open", "severity": "critical"}
        for (i, s), n in truth.alerts(events).items()
    ]
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
        channel_state={t: {"status": s, "platform": {"confirmed": s}} for t, s in status.items()},
        alerts=alerts,
        webhooks=[{"webhook_id": a["alert_id"], "message": {"type": "alert.opened", "data": a}} for a in alerts],
        unverified=0,
        platform={t: {"status": s} for t, s in status.items()},
    )


def test_the_truth_has_no_differences() -> None:
    assert differences(RECORDS, truthful()) == []


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
    outcome.channel_state[_first(outcome.channel_state)]["status"] = "running"


def platform_runs_on(outcome: Outcome) -> None:
    outcome.platform[_first(outcome.platform)]["status"] = "running"


def account_not_frozen(outcome: Outcome) -> None:
    outcome.frozen_accounts.pop()


def nobody_told(outcome: Outcome) -> None:
    outcome.webhooks.pop()


def told_twice(outcome: Outcome) -> None:
    again = copy.deepcopy(outcome.webhooks[0])
    again["webhook_id"] += "again"
    outcome.webhooks.append(again)


def lost_alert(outcome: Outcome) -> None:
    outcome.alerts.pop()
    outcome.webhooks.pop()


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
]


@pytest.mark.parametrize("falsify", FALSIFICATIONS, ids=lambda f: str(f.__name__))
def test_what_is_false_is_found(falsify: Callable[[Outcome], None]) -> None:
    outcome = truthful()
    falsify(outcome)
    assert differences(RECORDS, outcome)


def test_everybody_dies_as_often_as_planned_and_half_of_the_time_with_a_backlog() -> None:
    faults = plan(5, ["a", "b"], ["a"], deaths=3, calm=1)
    assert Counter((fault.kind, fault.victim) for fault in faults) == {
        ("kill", "a"): 3,
        ("kill", "b"): 3,
        ("freeze", "a"): 1,
    }
    assert sum(fault.backlog for fault in faults) == 4
    assert faults == plan(5, ["a", "b"], ["a"], deaths=3, calm=1)
