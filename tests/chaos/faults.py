"""What befalls a running system: deaths and freezes, drawn from a seed. Pure; `run_io` carries it out."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Kind = Literal["kill", "freeze", "refuse"]
FROZEN_SECONDS = 13.0
"""Longer than the session timeout, so that the group has given the partitions away when the frozen one wakes."""


@dataclass(frozen=True)
class Fault:
    """One misfortune, after `wait` seconds of normal life; with `backlog` a burst of events is sent right before.

    refuse: whoever we call answers a few times that it cannot.
    """

    wait: float
    kind: Kind
    victim: str
    backlog: bool


def plan(
    seed: int, victims: Sequence[str], frozen: Sequence[str], refusing: Sequence[str], deaths: int, calm: float
) -> list[Fault]:
    """Each victim dies and each of `refusing` refuses `deaths` times, and each of `frozen` is frozen once, in random
    order, about `calm` s apart."""
    rng = random.Random(seed)
    kinds: list[tuple[Kind, str]] = [("kill", v) for v in victims for _ in range(deaths)]
    kinds += [("refuse", v) for v in refusing for _ in range(deaths)]
    kinds += [("freeze", v) for v in frozen]
    rng.shuffle(kinds)
    backlogs = [n % 2 == 0 for n in range(len(kinds))]
    rng.shuffle(backlogs)
    return [
        Fault(rng.uniform(0.3, 1.7) * calm, kind, victim, backlog)
        for (kind, victim), backlog in zip(kinds, backlogs, strict=True)
    ]
