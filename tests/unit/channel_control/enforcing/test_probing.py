"""While a platform is away one order at a time finds out whether it is back; then all go, in the order they came."""

from services.channel_control.enforcing.probing import due_again, probes
from services.channel_control.enforcing.reconcile import Attempt, plan
from services.channel_control.holding.target import Target

A, B, C, D = (Target(f"channel:{name}", 1) for name in "abcd")
ADS = {target.name: "ads" for target in (A, B, C)}


def attempt(due: float) -> Attempt:
    return Attempt(1, due, ask_first=True, failures=1)


def test_all_are_tried_where_nothing_is_away() -> None:
    assert probes([A, B, D], {}, (), {}) == [A, B, D]


def test_of_a_platform_that_is_away_the_one_that_is_due_first() -> None:
    attempts = {A.name: attempt(9.0), B.name: attempt(3.0), C.name: attempt(5.0)}
    assert probes([A, B, C, D], attempts, (), ADS) == [D, B]


def test_one_at_a_time() -> None:
    assert probes([A, B, C, D], {}, {A.name}, ADS) == [D]


def test_each_has_its_turn_so_that_one_which_nobody_can_carry_out_holds_up_none() -> None:
    attempts = {A.name: attempt(0.0), B.name: attempt(1.0)}
    assert probes([A, B], attempts, (), ADS) == [A]
    attempts[A.name] = attempt(60.0)
    assert probes([A, B], attempts, (), ADS) == [B]


def test_once_it_is_back_all_are_due_in_the_order_in_which_they_came() -> None:
    attempts = {A.name: attempt(90.0), B.name: attempt(30.0), C.name: attempt(60.0), D.name: attempt(70.0)}
    attempts |= due_again(attempts, ADS, {}, 10.0)
    found = plan([A, B, C, D], attempts, (), 10.0, slots=8, retry_slots=8)
    assert [target for target, _ in found.start] == [A, B, C]
    assert found.wake == 70.0


def test_what_was_overtaken_meanwhile_is_tried_as_new() -> None:
    newer = Target(A.name, 2)
    attempts = {A.name: attempt(90.0), B.name: attempt(30.0)}
    assert probes([newer, B], attempts, (), ADS) == [newer]
