"""How long to wait before a process that ended is started again. Pure."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Backoff:
    """In seconds: the first wait, then `factor` times as long, up to `most`; a life of `steady` starts it anew."""

    first: float = 0.1
    factor: float = 2.0
    most: float = 15.0
    steady: float = 10.0

    def failures(self, before: int, lived: float) -> int:
        """How many ends in a row it is with this one, after `before` of them and a life of `lived` seconds."""
        return 1 if lived >= self.steady else before + 1

    def delay(self, failures: int) -> float:
        """The wait after the so-manieth end in a row (1, 2, …)."""
        # Capped before the power, so that a process that fails for a week does not overflow it.
        return min(self.most, self.first * self.factor ** min(failures - 1, 60))
