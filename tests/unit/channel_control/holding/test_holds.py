"""What holds come to, and how an order is taken in among them."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from schemas.channels import Hold
from schemas.commands import Command
from services.channel_control.holding.holds import HOLD_KINDS, MAX_HOLDS, Placing, effective, place
from tests.unit.channel_control.orders import hex_id, order, persons

AT = datetime(2026, 1, 1, tzinfo=UTC)


def put(holds: tuple[Hold, ...], fields: dict[str, Any]) -> Placing:
    command = Command.model_validate_json(json.dumps(fields))
    assert command.command in HOLD_KINDS
    return place(holds, command.command, command, AT, AT + timedelta(hours=4))  # type: ignore[arg-type]


def placed(*orders: dict[str, Any]) -> tuple[Hold, ...]:
    holds: tuple[Hold, ...] = ()
    for fields in orders:
        holds = put(holds, fields).holds
    return holds


def test_without_holds_a_target_runs() -> None:
    assert effective([]) == ("running", 1.0)


@pytest.mark.parametrize(
    ("words", "status"),
    [
        (["throttle"], "throttled"),
        (["throttle", "pause"], "paused"),
        (["freeze", "pause"], "frozen"),
        (["take_down", "freeze", "throttle"], "taken_down"),
    ],
)
def test_the_strongest_kind_wins(words: list[str], status: str) -> None:
    orders = [order(n, word, alert_id=hex_id(n), factor=0.5) for n, word in enumerate(words)]
    assert effective(placed(*orders))[0] == status


def test_of_several_throttles_the_lowest_factor_wins() -> None:
    orders = [order(n, "throttle", alert_id=hex_id(n), factor=factor) for n, factor in enumerate([0.5, 0.2, 0.8])]
    assert effective(placed(*orders)) == ("throttled", 0.2)


def test_a_hold_that_waits_for_approval_does_not_act() -> None:
    (hold,) = placed(order(1, maturity="approve"))
    assert hold.approval == "waiting"
    assert effective([hold]) == ("running", 1.0)


def test_a_persons_pause_asks_nobody() -> None:
    (hold,) = placed(persons(1, "pause", maturity="approve", note="the campaign is wrong"))
    assert (hold.approval, hold.by, hold.indicator, hold.reason) == (
        "none",
        "person:li",
        None,
        "the campaign is wrong",
    )


def test_a_higher_level_raises_the_hold_and_keeps_its_id() -> None:
    (first,) = placed(order(1))
    raised = put((first,), order(2, level=2, reason={"en": "40 complaints today", "zh": ""}))
    assert raised.how == "raised"
    (hold,) = raised.holds
    assert (hold.hold_id, hold.level, hold.reason) == (first.hold_id, 2, "40 complaints today")


def test_the_same_level_again_changes_nothing() -> None:
    holds = placed(order(1, level=2))
    assert put(holds, order(2, level=2)) == Placing(holds, holds[0], "covered")
    assert put(holds, order(3, level=1)).how == "covered"


def test_a_pause_takes_the_place_of_its_own_alerts_throttle() -> None:
    other = order(1, "throttle", factor=0.7, alert_id=hex_id(0xB))
    holds = placed(other, order(2, "throttle", factor=0.5), order(3, "pause", level=2))
    assert [(hold.kind, hold.alert_id) for hold in holds] == [("throttle", hex_id(0xB)), ("pause", hex_id(0xA))]


def test_a_throttle_adds_nothing_to_its_own_alerts_pause() -> None:
    assert put(placed(order(1)), order(2, "throttle", factor=0.5)).how == "covered"


def test_a_pause_that_waits_leaves_the_throttle_that_acts() -> None:
    holds = placed(order(1, "throttle", factor=0.5), order(2, "pause", level=2, maturity="approve"))
    assert [hold.kind for hold in holds] == ["throttle", "pause"]
    assert effective(holds) == ("throttled", 0.5)


def test_a_throttle_acts_beside_its_own_alerts_waiting_pause() -> None:
    holds = placed(order(1, "pause", maturity="approve"), order(2, "throttle", factor=0.5))
    assert effective(holds) == ("throttled", 0.5)


def test_an_automatic_order_ends_the_wait_of_its_hold() -> None:
    holds = placed(order(1, maturity="approve"), order(2, maturity="auto"))
    assert [hold.approval for hold in holds] == ["none"]


def test_a_raised_throttle_never_lets_more_through() -> None:
    holds = placed(order(1, "throttle", factor=0.2), order(2, "throttle", factor=0.5, level=2))
    assert effective(holds) == ("throttled", 0.2)


def test_an_order_without_any_words_still_has_a_reason() -> None:
    (hold,) = placed(order(1, reason=None))
    assert hold.reason == "pause ordered by indicator:complaint_volume"


def test_holds_do_not_grow_without_end() -> None:
    orders = [order(n, alert_id=hex_id(n)) for n in range(MAX_HOLDS + 20)]
    mine = persons(9999, "pause")
    holds = placed(mine, *orders)
    assert len(holds) == MAX_HOLDS
    assert holds[0].by == "person:li", "another's hold is never pushed out"
    assert holds[-1].alert_id == hex_id(MAX_HOLDS + 19)


def test_making_room_keeps_the_lowest_factor() -> None:
    factors = [0.1] + [0.9] * MAX_HOLDS
    orders = [order(n, "throttle", alert_id=hex_id(n), factor=factor) for n, factor in enumerate(factors)]
    assert effective(placed(*orders)) == ("throttled", 0.1)


def test_an_order_that_was_forgotten_and_comes_again_makes_no_second_hold() -> None:
    holds = placed(persons(1, "pause"))
    assert put(holds, persons(1, "pause")).how == "covered"
