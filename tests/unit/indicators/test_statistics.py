"""How sure a lower rate is: against the exact test, and what must hold for any counts."""

from math import comb, exp, lgamma, log
from statistics import NormalDist

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.indicators.statistics import surely_fewer, surely_lower, surely_more

COUNTS = st.integers(0, 10**6)
EXPOSURES = st.integers(1, 10**15)


def exactly(count: int, exposure: int, other_count: int, other_exposure: int) -> float:
    """1 less the chance of so few of all events in the first exposure; that of just as many counts half."""
    events, share = count + other_count, exposure / (exposure + other_exposure)
    chance = [comb(events, n) * share**n * (1 - share) ** (events - n) for n in range(count + 1)]
    return 1 - sum(chance) + chance[-1] / 2


@pytest.mark.parametrize("count", [10, 20, 25, 30, 33, 40])
def test_it_is_near_the_exact_test(count: int) -> None:
    assert surely_lower(count, 1000, 210, 7000) == pytest.approx(exactly(count, 1000, 210, 7000), abs=0.015)


def test_figures_from_a_table_of_the_normal_distribution() -> None:
    # Of 800 accounts, 24/164 or 117.07 are expected, with a deviation of 10.00: 100 are 1.71 deviations fewer.
    assert surely_lower(100, 24_000, 700, 140_000) == pytest.approx(0.9561, abs=0.0001)
    # Of 770 purchases, 1/8 or 96.25 are expected, with a deviation of 9.18: 70 are 2.86 deviations fewer.
    assert surely_lower(70, 1000, 700, 7000) == pytest.approx(0.9979, abs=0.0001)


@given(count=COUNTS, exposure=EXPOSURES, other=COUNTS, other_exposure=EXPOSURES)
def test_one_is_lower_or_the_other(count: int, exposure: int, other: int, other_exposure: int) -> None:
    sure = surely_lower(count, exposure, other, other_exposure)
    assert 0 <= sure <= 1
    assert sure + surely_lower(other, other_exposure, count, exposure) == pytest.approx(1)


@given(count=COUNTS, exposure=EXPOSURES, other=COUNTS, other_exposure=EXPOSURES)
def test_the_fewer_the_surer(count: int, exposure: int, other: int, other_exposure: int) -> None:
    sure = surely_lower(count, exposure, other + 1, other_exposure)
    assert surely_lower(count + 1, exposure, other + 1, other_exposure) <= sure + 1e-12


@given(count=st.integers(1, 1000), exposure=st.integers(1, 10**6), factor=st.integers(2, 1000))
def test_equal_rates_are_even_and_nothing_at_all_says_nothing(count: int, exposure: int, factor: int) -> None:
    assert surely_lower(count, exposure, count * factor, exposure * factor) == pytest.approx(0.5)
    assert surely_lower(0, exposure, 0, factor) == 0.5


@pytest.mark.parametrize("usual", [0.5, 2, 4.5, 20, 120])
@pytest.mark.parametrize("deviations", [-1, 0, 2, 3, 4])
def test_it_is_the_chance_of_fewer_in_a_poisson_distribution(usual: float, deviations: float) -> None:
    count = max(round(usual + deviations * usual**0.5), 0)
    fewer = sum(exp(n * log(usual) - usual - lgamma(n + 1)) for n in range(count))
    assert surely_more(count, usual) == pytest.approx(fewer, abs=0.006)
    assert surely_fewer(count, usual) == pytest.approx(
        1 - fewer - exp(count * log(usual) - usual - lgamma(count + 1)), abs=0.006
    )


@given(count=COUNTS, usual=st.floats(0.01, 10**6))
def test_the_more_the_surer(count: int, usual: float) -> None:
    assert 0 <= surely_more(count, usual) <= surely_more(count + 1, usual) + 1e-9 <= 1 + 1e-9


def test_what_differs_from_day_to_day_anyway_leaves_even_large_counts_in_doubt() -> None:
    few, many = (surely_lower(80 * n, 100 * n, 700 * n, 700 * n, 0.1) for n in (1, 10**4))
    assert few < many == pytest.approx(NormalDist().cdf(2.051), abs=0.001)  # 17.5 of 97.5 are missing, 8.53 wander
    assert surely_lower(80, 100, 700, 700) > few
