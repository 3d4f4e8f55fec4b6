"""What is news of an alert to one receiver."""

from typing import Any

import pytest

from schemas.alerts import AlertFact, AlertState
from services.alerting.merge import Merged, merge, state
from services.alerting.telling import Told, news, told_with, told_without
from tests.unit.alerting.facts import action, fact, opening


def changes(facts: list[AlertFact], forgoing: bool = False, at_once: bool = True) -> list[str]:
    """What these facts make news, told one by one or once at the end; with `forgoing` no opening arrives."""
    whole, so_far, messages = Merged(), Told(), []
    for one in facts:
        whole = merge(whole, one) or whole
        alert = state(one.alert_id, whole)
        found = None if alert is None or not (at_once or one is facts[-1]) else news(so_far, alert)
        if alert is None or found is None:
            continue
        messages.append(found[0].removeprefix("alert."))
        lost = forgoing and found[0] == "alert.opened"
        so_far = told_without(so_far, alert) if lost else told_with(so_far, alert)
    return messages


def known(one: AlertFact) -> AlertState:
    """The alert of one fact that says all."""
    alert = state(one.alert_id, merge(Merged(), one) or Merged())
    assert alert is not None
    return alert


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
        ([{"acknowledged_by": "li"}], ["opened"]),
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


def test_what_is_over_before_it_could_be_told_is_told_as_one_story() -> None:
    alert = known(opening(status="resolved"))
    assert news(Told(), alert) == ("alert.resolved", "story")
    assert news(told_with(Told(), alert), alert) is None
    assert news(told_without(Told(), alert), alert) is None


def test_only_what_is_so_now_is_told() -> None:
    facts = [opening(), fact(1, level=2), fact(2, level=3), fact(3, status="resolved")]
    assert changes(facts, at_once=False) == ["resolved"]
    assert changes(facts[:3], at_once=False) == ["opened"]


def test_a_receiver_is_called_again_once() -> None:
    alert = known(opening())
    told = told_with(Told(), alert)
    assert news(told, alert) is None
    assert news(told, alert, rings=1) == ("alert.updated", "reminder")
    assert news(told_with(told, alert, 1), alert, rings=1) is None


def test_an_opening_that_was_missed_is_told_as_one() -> None:
    assert changes([opening(status="updated", level=3)]) == ["opened"]


def test_a_resolve_whose_opening_was_lost_is_not_told() -> None:
    assert changes([opening(), fact(1, status="resolved")], forgoing=True) == ["opened"]


def test_what_grew_worse_since_a_lost_opening_is_told_as_an_opening() -> None:
    facts = [opening(), fact(1, value=25.0), fact(2, level=2), fact(3, level=2), fact(4, level=3)]
    assert changes(facts, forgoing=True) == ["opened", "opened", "opened"]
