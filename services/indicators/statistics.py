"""Whether a difference between two counts, or between a count and what is usual, may be chance."""

from math import sqrt
from statistics import NormalDist
from typing import Final

_NORMAL: Final = NormalDist()


def surely_lower(count: int, exposure: int, other_count: int, other_exposure: int, wander: float = 0.0) -> float:
    """How sure it is, from 0 to 1, that `count` events in `exposure` come of a lower rate than the other ones.

    The conditional test for two Poisson rates (Przyborowski and Wilenski, Biometrika 1940): if the rates are equal,
    the share of the first in all events is that of its exposure. In the normal approximation this is the z-test of two
    proportions, save that it also fits ratios above one, such as engagements to impressions, and is a little stricter
    where a proportion is large. Exposures are whatever the rate is per, clicks or money, and above zero.

    wander: the share by which rates differ from one time to another for no reason that anyone would look for (their
    standard deviation). It is what is left of chance where counts are large.
    """
    events = count + other_count
    if not events:
        return 0.5
    excess = other_count * exposure - count * other_exposure
    both = exposure * other_exposure
    wandering = wander * events * both / (exposure + other_exposure)
    return _NORMAL.cdf(excess / sqrt(events * both + wandering**2))


def surely_more(count: int, usual: float) -> float:
    """How sure it is, from 0 to 1, that so many events are more than where `usual` is what is expected: the chance of
    fewer in a Poisson distribution.

    By the approximation of Wilson and Hilferty (1931), which is right to half a hundredth however small the counts
    are; the normal one is far too sure of itself in the tail of small counts.
    """
    if not count:
        return 0.0
    cube = (usual / count) ** (1 / 3) - 1 + 1 / (9 * count)
    return 1 - _NORMAL.cdf(cube * 3 * sqrt(count))


def surely_fewer(count: int, usual: float) -> float:
    """Likewise that so many are fewer than usual: the chance of more."""
    return 1 - surely_more(count + 1, usual)
