"""What is in work is bounded, and always given back."""

import pytest

from services.gateway.budget import Budget, NoRoomError


def test_a_share_is_given_back_whatever_happens() -> None:
    budget = Budget(100, least=1)
    with pytest.raises(RuntimeError, match="oops"), budget.share(60) as share:
        share.grow_to(90)
        assert budget.used == 90
        raise RuntimeError("oops")
    assert budget.used == 0


def test_more_than_there_is_takes_nothing() -> None:
    budget = Budget(100, least=1)
    with budget.share(60):
        with pytest.raises(NoRoomError):
            budget.share(41)
        with budget.share(40):
            assert budget.used == 100
    assert budget.used == 0


def test_a_growing_share_counts_only_what_is_new() -> None:
    budget = Budget(100, least=1)
    with budget.share(60) as share:
        share.grow_to(50)
        share.grow_to(100)
        with pytest.raises(NoRoomError):
            share.grow_to(101)
        assert budget.used == 100


def test_even_an_empty_request_counts() -> None:
    budget = Budget(100, least=40)
    with budget.share(), budget.share(), pytest.raises(NoRoomError):
        budget.share()
