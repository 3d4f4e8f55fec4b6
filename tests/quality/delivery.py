"""How what happened reaches us: late, in another order, and at times not at all until somebody mends something.

A delay is counted in panes, from the pane in which something happened to the one in which we hear of it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import log

import numpy as np
from numpy.random import Generator

from tests.quality.rhythm import PANES_A_DAY, Ints


@dataclass(frozen=True, slots=True)
class Outage:
    """A feed that is dead from one pane to another; then what was held back comes at once."""

    first: int
    last: int


def outages(random: Generator, panes: int, every_days: float, hours: tuple[float, float]) -> list[Outage]:
    """About one every so many days, of so many hours."""
    number = random.poisson(panes / PANES_A_DAY / every_days)
    begins = random.integers(0, panes, number).tolist()
    lengths = np.exp(random.uniform(log(hours[0]), log(hours[1]), number)) * 12
    return [Outage(begin, begin + int(length) + 1) for begin, length in zip(begins, lengths, strict=True)]


def sums(random: Generator, panes: int) -> Ints:
    """Delays of what a platform reports in sums: some within the pane, some by the hour, some hours later."""
    style = random.random()
    pane = np.arange(panes)
    if style < 0.6:
        return np.asarray(random.integers(0, 2, panes), np.int64)
    if style < 0.9:
        return np.asarray(11 - pane % 12 + random.integers(0, 4), np.int64)
    return np.asarray(11 - pane % 12 + np.repeat(random.integers(0, 18, panes // 12), 12), np.int64)


def held_back(delays: Ints, dead: Sequence[Outage]) -> Ints:
    """What happened while the feed was dead, or would have come then, comes when it is back."""
    delays, pane = delays.copy(), np.arange(len(delays))
    for outage in dead:
        due = pane + delays
        held = (due >= outage.first) & (due < outage.last)
        delays[held] = outage.last - pane[held]
    return delays
