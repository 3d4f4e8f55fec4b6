"""How many complaints are let in within an hour."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.gateway.budget import NoRoomError
from services.gateway.door.recent import WINDOW_S, Recent


def test_an_address_has_its_own_budget_and_all_have_one_together() -> None:
    recent = Recent(2, 3)
    recent.admit("a", "1", 0)
    recent.admit("a", "2", 1)
    with pytest.raises(NoRoomError):
        recent.admit("a", "3", 2)
    recent.admit("b", "4", 3)
    with pytest.raises(NoRoomError):
        recent.admit("c", "5", 4)


def test_a_place_is_free_again_after_an_hour() -> None:
    recent = Recent(1, 10)
    recent.admit("a", "1", 0)
    with pytest.raises(NoRoomError):
        recent.admit("a", "2", WINDOW_S - 0.1)
    recent.admit("a", "2", WINDOW_S)


def test_the_same_complaint_takes_one_place() -> None:
    recent = Recent(1, 1)
    for at in range(5):
        recent.admit("a", "1", at)


def test_what_the_broker_has_is_not_sent_again() -> None:
    recent = Recent(1, 1)
    assert recent.admit("a", "1", 0) is None
    assert recent.admit("a", "1", 5) is None, "nobody knows yet whether the broker has it"
    recent.keep("1", 6)
    assert recent.admit("a", "1", 10) == 4
    recent.withdraw("1")
    assert recent.admit("a", "1", 11) == 5, "it is kept, whatever became of another try"
    recent.keep("never admitted", 12)


def test_what_could_not_be_taken_in_gives_its_place_back() -> None:
    recent = Recent(1, 1)
    recent.admit("a", "1", 0)
    recent.withdraw("1")
    recent.withdraw("never admitted")
    recent.admit("a", "2", 0)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 2000)), max_size=40))
def test_no_hour_ever_holds_more_than_it_may(tries: list[tuple[str, int]]) -> None:
    recent, now, let_in = Recent(2, 4), 0.0, list[tuple[float, str]]()
    for count, (address, pause) in enumerate(tries):
        now += pause
        within = [who for at, who in let_in if at > now - WINDOW_S]
        full = len(within) >= 4 or within.count(address) >= 2
        if full:
            with pytest.raises(NoRoomError):
                recent.admit(address, str(count), now)
        else:
            recent.admit(address, str(count), now)
            let_in.append((now, address))
