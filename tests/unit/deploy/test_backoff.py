"""How long a process that died has to wait."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy.launcher.backoff import Backoff

BACKOFF = Backoff(first=0.1, factor=2.0, most=15.0, steady=10.0)


@pytest.mark.parametrize(("failures", "delay"), [(1, 0.1), (2, 0.2), (3, 0.4), (8, 12.8), (9, 15.0), (10_000, 15.0)])
def test_the_wait_doubles_up_to_its_limit(failures: int, delay: float) -> None:
    assert BACKOFF.delay(failures) == pytest.approx(delay)


def test_a_steady_life_is_forgiven() -> None:
    assert BACKOFF.failures(7, lived=9.9) == 8
    assert BACKOFF.failures(7, lived=10.0) == 1


@given(st.lists(st.floats(0, 9.9), min_size=1, max_size=50))
def test_the_wait_never_shrinks_while_lives_are_short(lives: list[float]) -> None:
    failures, delays = 0, []
    for lived in lives:
        failures = BACKOFF.failures(failures, lived)
        delays.append(BACKOFF.delay(failures))
    assert delays == sorted(delays)
