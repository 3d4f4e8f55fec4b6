"""The trace of an actor: who was busiest, and which of its accounts are frozen with it."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from schemas.base import Bilingual, from_ms
from services.indicators.rule import Order, doublings

_SHOWN: Final = 50
"""So many names of a kind are in a trace, the busiest first."""


def busiest(counts: Mapping[str, int]) -> list[tuple[str, int]]:
    """The largest first, equal ones by name."""
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))


def shown(**counts: Counter[str]) -> dict[str, Any]:
    """Of each kind (`channel`, `account`, …) the busiest names with their counts, and how many names there are."""
    trace: dict[str, Any] = {}
    for kind, found in counts.items():
        trace[f"{kind}s"] = dict(busiest(found)[:_SHOWN])
        trace[f"{kind}_count"] = len(found)
    return trace


def written(at_ms: int) -> str:
    """A moment as in a message."""
    return from_ms(at_ms).isoformat().replace("+00:00", "Z")


def freezes(
    counts: Mapping[str, int], figure: int, most: int, given: Sequence[Order], why: Callable[[str, int], Bilingual]
) -> Iterator[Order]:
    """A freeze of each account from `figure` on, at each doubling of it; of no more than `most` in one episode."""
    frozen = {order.target for order in given if order.target.startswith("account:")}
    for account, count in busiest(counts):
        target = f"account:{account}"
        if count < figure:
            break
        if target not in frozen and len(frozen) >= most:
            continue
        frozen.add(target)
        for level in range(1, doublings(count, figure) + 1):
            yield Order("freeze", target, level, reason=why(account, count))
