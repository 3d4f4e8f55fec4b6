"""Whether a difference between two counts may be chance."""

from math import sqrt
from statistics import NormalDist
from typing import Final

_NORMAL: Final = NormalDist()


def surely_lower(count: int, exposure: int, other_count: int, other_exposure: int) -> float:
    """How sure it is, from 0 to 1, that `count` events in `exposure` come of a lower rate than the other ones.

    The conditional test for two Poisson rates (Przyborowski and Wilenski, Biometrika 1940): if the rates are equal,
    the share of the first in all events is that of its exposure. In the normal approximation this is the z-test of two
    proportions, save that it also fits ratios above one, such as engagements to impressions, and is a little stricter
    where a proportion is large. Exposures are whatever the rate is per, clicks or money, and above zero.
    """
    events = count + other_count
    if not events:
        return 0.5
    excess = other_count * exposure - count * other_exposure
    return _NORMAL.cdf(excess / sqrt(events * exposure * other_exposure))
