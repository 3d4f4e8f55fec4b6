"""Whoever tries passwords waits longer and longer, and never for ever."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.console.signin.limits import ADDRESS, FORGOTTEN_S, NAME, Attempts


def tries(attempts: Attempts, seconds: int, name: str = "li", address: str = "10.0.0.1") -> int:
    """How many tries somebody gets in who tries every second."""
    return sum(attempts.begin(name, address, float(at)) == 0 for at in range(seconds))


def test_the_first_are_free_and_then_the_wait_doubles_up_to_its_longest() -> None:
    attempts, now = Attempts(), 0.0
    waits = []
    for _ in range(NAME.free + 9):
        wait = attempts.begin("li", f"10.0.{now:.0f}.1", now)
        waits.append(wait)
        now += wait
        if wait:
            assert attempts.begin("li", "10.9.9.9", now) == 0
    assert waits[: NAME.free] == [0] * NAME.free
    assert waits[NAME.free :] == [1, 2, 4, 8, 16, 32, 60, 60, 60]


def test_a_day_of_guessing_is_some_thousand_tries_for_a_name_and_some_hundred_from_an_address() -> None:
    assert tries(Attempts(), 86_400) < 86_400 / ADDRESS.longest_s + 30
    many = Attempts()
    got = sum(many.begin("li", f"10.{at % 200}.{at // 200 % 200}.1", float(at)) == 0 for at in range(86_400))
    assert got < 86_400 / NAME.longest_s + 15


@settings(max_examples=40)
@given(st.lists(st.integers(0, 400), max_size=100))
def test_nobody_is_locked_out_for_longer_than_the_longest_wait(pauses: list[int]) -> None:
    attempts, now = Attempts(), 0.0
    for pause in pauses:
        now += pause
        attempts.begin("li", "10.0.0.1", now)
    assert attempts.begin("li", "10.0.0.1", now + ADDRESS.longest_s) == 0


def test_who_was_turned_away_does_not_wait_longer_for_having_tried() -> None:
    attempts = Attempts()
    for _ in range(NAME.free):
        attempts.begin("li", "10.0.0.1", 0.0)
    assert attempts.begin("li", "10.0.0.1", 0.1) == pytest.approx(0.9)
    assert attempts.begin("li", "10.0.0.1", 0.5) == pytest.approx(0.5)


def test_a_good_password_frees_the_name_but_not_the_address() -> None:
    attempts = Attempts()
    for number in range(ADDRESS.free):
        attempts.begin(f"name {number}", "10.0.0.1", 0.0)
    attempts.succeeded("name 1")
    assert attempts.begin("name 1", "10.0.0.1", 0.0) > 0
    assert attempts.begin("name 1", "10.0.0.2", 0.0) == 0


def test_an_hour_later_it_is_forgotten() -> None:
    attempts = Attempts()
    for at in range(NAME.free + 3):
        attempts.begin("li", "10.0.0.1", float(at * 60))
    assert [attempts.begin("li", "10.0.0.1", FORGOTTEN_S * 2) for _ in range(NAME.free)] == [0] * NAME.free


def test_the_addresses_of_one_household_are_one() -> None:
    attempts = Attempts()
    got = [attempts.begin(f"n{number}", f"2001:db8::{number:x}", 0.0) for number in range(ADDRESS.free + 1)]
    assert got[-1] > 0
    assert attempts.begin("n", "2001:db8:0:1::1", 0.0) == 0


def test_however_many_names_and_addresses_are_tried_memory_is_bounded() -> None:
    attempts = Attempts(capacity=50)
    for number in range(1000):
        attempts.begin(f"n{number}", f"10.0.{number % 250}.{number // 250}", float(number))
    assert len(attempts) <= 50


def test_where_both_versions_are_listened_to_one_does_not_make_all_others_wait() -> None:
    attempts = Attempts()
    for number in range(ADDRESS.free):
        attempts.begin(f"n{number}", "::ffff:192.0.2.1", 0.0)
    assert attempts.begin("n", "::ffff:192.0.2.1", 0.0) > 0
    assert attempts.begin("n", "::ffff:192.0.2.2", 0.0) == 0
