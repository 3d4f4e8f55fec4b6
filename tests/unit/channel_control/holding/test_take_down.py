"""Content that is to be taken down, and when people are called because it still stands."""

from typing import Any

from services.runtime.machines.machine import Output
from tests.unit.channel_control.one_log import HOUR_MS, Log, actions, outcome
from tests.unit.channel_control.orders import (
    NOW_MS,
    confirmed,
    hex_id,
    order,
    persons,
    said,
)

CONTENT = "content:c-1"
"""A content item; its indicator calls people at level 2 when the take-down was not confirmed in time."""


def taken_down(log: Log, *, confirm: bool, level: int = 1) -> None:
    """A take-down of CONTENT that the platform confirms or not."""
    log.give(order(level, "take_down", target=CONTENT, level=level))
    if confirm:
        generation = log.machine.target(CONTENT).generation
        seen = {"v": 1, "target": CONTENT, "status": "taken_down", "factor": 0.0, "generation": generation}
        log.give(confirmed(10 + level, generation, "taken_down", 0.0, target=CONTENT, observed=seen))


def called(log: Log, **fields: Any) -> list[Output]:
    return log.give(order(20, "escalate", target=CONTENT, level=2, **fields))


def test_people_are_called_about_content_that_nobody_has_taken_down() -> None:
    log = Log()
    taken_down(log, confirm=False)
    outputs = called(log)
    assert outcome(outputs) == ("recorded", "20 complaints today")
    assert actions(outputs) == [(hex_id(0xA), "escalate", "done")]
    assert [fact["level"] for fact in said(outputs, "alerts")] == [2], "so that alerting tells them"


def test_nobody_is_called_about_content_that_the_platform_says_is_gone() -> None:
    log = Log()
    taken_down(log, confirm=True)
    outputs = called(log)
    assert outcome(outputs) == ("recorded", "not needed: the platform has confirmed the take-down")
    assert actions(outputs) == [(hex_id(0xA), "escalate", "refused")]
    assert [fact["level"] for fact in said(outputs, "alerts")] == [None]


def test_a_word_of_the_platform_from_before_it_was_published_again_is_none() -> None:
    log = Log()
    taken_down(log, confirm=True)
    taken_down(log, confirm=False, level=2)
    assert actions(called(log)) == [(hex_id(0xA), "escalate", "done")]


def test_nor_is_one_about_another_alert_or_after_a_person_let_it_go_on() -> None:
    log = Log()
    taken_down(log, confirm=True)
    assert actions(called(log, alert_id=hex_id(0xB))) == [(hex_id(0xB), "escalate", "done")]
    log.give(persons(30, "resume", target=CONTENT, expected_generation=1))
    outputs = log.give(order(21, "escalate", target=CONTENT, level=2))
    assert actions(outputs) == [(hex_id(0xA), "escalate", "done")]


def test_a_call_about_content_is_part_of_the_guardrail_and_may_come_late() -> None:
    old = {"target": CONTENT, "level": 2}
    assert outcome(Log().give(order(1, "escalate", **old), NOW_MS + 2 * HOUR_MS))[0] == "recorded"
    assert outcome(Log().give(order(1, "escalate"), NOW_MS + 2 * HOUR_MS))[0] == "stale"
