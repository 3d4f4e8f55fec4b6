"""What a platform has confirmed or failed to do, as the log tells."""

from typing import Any

import pytest

from services.channel_control.sentences import own
from tests.unit.channel_control.one_log import Log, actions, outcome
from tests.unit.channel_control.orders import (
    CHANNEL,
    NOW_MS,
    confirmed,
    failed,
    hex_id,
    order,
    persons,
    said,
)


def test_a_confirmation_is_kept_beside_what_is_wanted_and_told_to_the_alert() -> None:
    log = Log()
    log.give(order(1))
    assert list(log.machine.unsettled) == [CHANNEL]
    outputs = log.give(confirmed(2, 1, "paused", 0.0), NOW_MS + 1500)
    (state,) = said(outputs, "channel-state")
    assert state["generation"] == 1
    assert state["platform"] == {
        "wanted": "paused",
        "confirmed": "paused",
        "confirmed_generation": 1,
        "confirmed_at": "2026-01-01T00:00:01.500000Z",
        "error": None,
        "error_zh": None,
        "drift": None,
    }
    assert actions(outputs) == [(hex_id(0xA), "pause", "confirmed")]
    assert not log.machine.unsettled


def test_an_alert_is_told_once_that_its_hold_is_in_force() -> None:
    log = Log()
    log.give(order(1))
    log.give(confirmed(2, 1, "paused", 0.0))
    log.give(order(3, "freeze", alert_id=hex_id(0xB)))
    assert actions(log.give(confirmed(4, 2, "frozen", 0.0))) == [(hex_id(0xB), "freeze", "confirmed")]


def test_a_failure_is_shown_and_a_later_confirmation_clears_it() -> None:
    log = Log()
    log.give(order(1))
    outputs = log.give(failed(2, 1, "the platform answered 503"))
    assert outcome(outputs) == ("failed", "the platform answered 503")
    assert actions(outputs) == [(hex_id(0xA), "pause", "failed")]
    assert log.channel.error == own("the platform answered 503")
    log.give(confirmed(3, 1, "paused", 0.0))
    assert log.channel.error is None


def test_each_state_says_which_order_made_it_so() -> None:
    """So that whoever reads them, repeats among them, knows the latest."""
    log = Log()
    given = [order(1), failed(2, 1, "timeout"), order(1), confirmed(3, 1, "paused", 0.0)]
    states = [state for fields in given for state in said(log.give(fields), "channel-state")]
    assert [(state["generation"], state["seq"]) for state in states] == [(1, 1), (1, 2), (1, 4)]


def test_reports_about_the_past_change_nothing_newer() -> None:
    log = Log()
    log.give(order(1))
    log.give(persons(2, "resume", expected_generation=1))
    late = log.give(confirmed(3, 1, "paused", 0.0))
    (state,) = said(late, "channel-state")
    assert (state["platform"]["wanted"], state["platform"]["confirmed"]) == ("running", "paused")
    assert list(log.machine.unsettled) == [CHANNEL]
    log.give(confirmed(4, 2, "running", 1.0))
    assert outcome(log.give(failed(5, 1, "timeout")))[0] == "recorded"
    assert outcome(log.give(failed(6, 2, "timeout")))[0] == "recorded"
    assert outcome(log.give(confirmed(7, 1, "paused", 0.0)))[0] == "recorded"
    assert (log.channel.confirmed, log.channel.error) == ("running", None)


@pytest.mark.parametrize(
    "fields",
    [
        confirmed(2, 1, "running", 1.0),
        confirmed(2, 2, "paused", 0.0),
        confirmed(2, 1, "paused", 0.0, observed=None),
        confirmed(2, 1, "paused", 0.0, expected_generation=None),
        confirmed(2, 2, "paused", 0.0, expected_generation=1),
    ],
)
def test_a_confirmation_of_something_else_confirms_nothing(fields: dict[str, Any]) -> None:
    log = Log()
    log.give(order(1))
    assert outcome(log.give(fields))[0] == "refused"
    assert list(log.machine.unsettled) == [CHANNEL]
