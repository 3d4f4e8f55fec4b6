"""What all parts of the oracle speak of."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

Event = dict[str, Any]
Trip = tuple[str, str, str, str, int]
"""(indicator, subject, command, target, level); actors and accounts by their raw name."""


def seconds(event: Event) -> float:
    """Event time in seconds since the epoch."""
    return datetime.fromisoformat(event["occurred_at"]).timestamp()


def levels(value: float, threshold: float) -> Iterator[int]:
    """All levels that a count has reached: level k at threshold × 2^(k−1)."""
    level = 1
    while value >= threshold * 2 ** (level - 1):
        yield level
        level += 1
