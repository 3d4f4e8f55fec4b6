"""Who is told of what."""

import json
from typing import Any

import pytest

from schemas.alerts import AlertFact, AlertState, WebhookMessage
from schemas.base import from_ms
from services.alerting.merge import Merged, merge, state
from services.alerting.telling import Due, Told, decide, forgo
from tests.unit.alerting.facts import ALERTS, T0_MS, action, fact, opening


def told(facts: list[AlertFact], forgoing: bool = False) -> list[Due]:
    """The messages that these facts make due; with `forgoing` no opening arrives."""
    whole, so_far, messages = Merged(), Told(), []
    for one in facts:
        whole = merge(whole, one) or whole
        alert = state(one.alert_id, whole)
        if alert is None:
            continue
        so_far, due = decide(so_far, alert, one.at, T0_MS)
        messages += [due] if due else []
        if due and forgoing and due.change == "alert.opened":
            so_far = forgo(so_far, due)
    return messages


def changes(facts: list[AlertFact], forgoing: bool = False) -> list[str]:
    return [due.change.removeprefix("alert.") for due in told(facts, forgoing)]


@pytest.mark.parametrize(
    ("later", "expected"),
    [
        ([], ["opened"]),
        ([{"status": "updated", "value": 30.0}], ["opened"]),
        ([{"level": 2}], ["opened", "updated"]),
        ([{"level": 2}, {"level": 1}, {"level": 2}], ["opened", "updated"]),
        ([{"level": 2}, {"level": 3}], ["opened", "updated", "updated"]),
        ([{"severity": "critical"}], ["opened", "updated"]),
        ([{"severity": "info"}], ["opened"]),
        ([{"status": "resolved"}], ["opened", "resolved"]),
        ([{"status": "resolved"}, {"level": 9}, {"status": "resolved"}], ["opened", "resolved"]),
        ([{"acknowledged_by": "person:li"}], ["opened"]),
    ],
)
def test_only_openings_rises_and_ends_are_told(later: list[dict[str, Any]], expected: list[str]) -> None:
    facts = [opening(severity="warning"), *(fact(seq, **words) for seq, words in enumerate(later, 1))]
    assert changes(facts) == expected


WAITS = [action("ordered"), action("waiting", 1)]
ELSEWHERE = {"target": "channel:weixin"}
SECOND = [action("waiting", 1, **ELSEWHERE)]


@pytest.mark.parametrize(
    ("later", "expected"),
    [
        ([], ["opened"]),
        ([[action("granted", 2, by="person:li")]], ["opened", "updated"]),
        ([[action("rejected", 2, by="person:li")]], ["opened", "updated"]),
        ([[action("expired", 2, by="reconciler")]], ["opened", "updated"]),
        ([[action("granted", 2)], [action("confirmed", 3)], [action("lifted", 4)]], ["opened", "updated"]),
        ([[action("replaced", 2)], [action("ordered", 2, what="pause")]], ["opened"]),
        ([[action("lifted", 2, by="person:li")]], ["opened"]),
        ([SECOND, [action("granted", 2)]], ["opened"]),
        ([SECOND, [action("granted", 2)], [action("expired", 3, **ELSEWHERE)]], ["opened", "updated"]),
        ([[action("rejected", 2)], [action("waiting", 3)], [action("granted", 4)]], ["opened", "updated", "updated"]),
    ],
)
def test_the_answer_is_told_once_all_that_was_asked_has_one(
    later: list[list[dict[str, Any]]], expected: list[str]
) -> None:
    facts = [fact(seq, "channel_control:0", actions=actions) for seq, actions in enumerate(later, 1)]
    assert changes([opening(), fact(0, "channel_control:0", actions=WAITS), *facts]) == expected


def test_an_answer_in_a_message_that_was_due_anyway_is_not_told_again() -> None:
    control = "channel_control:0"
    facts = [opening(), fact(0, control, actions=WAITS), fact(1, control, actions=SECOND)]
    facts += [fact(2, control, actions=[action("granted", 2)]), fact(1, level=2)]
    facts += [fact(3, control, actions=[action("replaced", 3, **ELSEWHERE)])]
    assert changes(facts) == ["opened", "updated"]


def test_after_the_end_no_answer_is_told() -> None:
    facts = [opening(), fact(0, "channel_control:0", actions=WAITS), fact(1, status="resolved")]
    assert changes([*facts, fact(1, "channel_control:0", actions=[action("expired", 9)])]) == ["opened", "resolved"]


def test_an_alert_that_is_over_when_it_becomes_known_is_not_told() -> None:
    assert changes([opening(status="resolved")]) == []


def test_an_opening_that_was_missed_is_told_as_one() -> None:
    assert changes([opening(status="updated", level=3)]) == ["opened"]


def test_a_resolve_whose_opening_was_lost_is_not_told() -> None:
    assert changes([opening(), fact(1, status="resolved")], forgoing=True) == ["opened"]


def test_what_grew_worse_since_a_lost_opening_is_told_as_an_opening() -> None:
    facts = [opening(), fact(1, value=25.0), fact(2, level=2), fact(3, level=2), fact(4, level=3)]
    assert changes(facts, forgoing=True) == ["opened", "opened", "opened"]


def test_each_message_has_an_id_of_its_own_and_the_same_each_time() -> None:
    facts = [opening(), *(fact(seq, level=seq + 1) for seq in range(1, 6)), fact(6, status="resolved")]
    messages = told(facts)
    assert len({due.webhook_id for due in messages}) == len(messages) == 7
    assert [due.number for due in messages] == list(range(7))
    assert told(facts) == messages


def test_a_body_tells_the_change_its_time_and_the_whole_alert() -> None:
    (due,) = told([opening(at_ms=T0_MS + 5000)])
    message = WebhookMessage.model_validate_json(due.body)
    assert message.type == "alert.opened"
    assert message.timestamp == from_ms(T0_MS + 5000)
    assert isinstance(message.data, AlertState)
    assert message.data.alert_id == ALERTS[0]
    assert json.loads(due.body)["data"]["title"]["zh"] == "20 起投诉"
