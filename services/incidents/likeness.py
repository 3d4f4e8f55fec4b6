"""How much two alerts have to do with each other: what they share, how rare that is, and how close in time they lie.

The figures were tuned on seeds 1 to 12 of tests/quality/together.py and are judged on others.
"""

from collections.abc import Mapping
from math import log2
from typing import Final

from services.incidents.things import Things

HORIZON_MS: Final = 12 * 3_600_000
"""Alerts that were opened further apart have nothing to do with each other."""
HALF_MS: Final = 6 * 3_600_000
"""After so long a thing that is shared says half as much. Ratios are judged over a day, so what one cause brings about
may well come to light hours later."""
TOGETHER: Final = 0.34
"""From this on two alerts belong to one incident."""

_WEIGHTS: Final = {
    "account": 1.2,
    "actor": 1.2,
    "content": 1.2,
    "text": 1.2,
    "complaint": 1.0,
    "link": 1.0,
    "product": 1.0,
    "market": 0.8,
    "channel": 0.35,
    "source": 0.2,
}
"""What a kind of thing says when it is shared. A channel says little: so much happens on each."""
_SPREAD: Final = 0.6
"""A thing that is a part p of an alert says p to this power: accounts and channels of a trace are many."""
_CENTRAL: Final = 0.6
_OTHER: Final = 0.6
"""Of a kind that only an indicator of somebody's own knows."""
_EXPLAINED: Final[Mapping[str, float]] = {"channel": 3.0, "product": 2.5}
"""So many times as much they say where one alert's trouble can bring about the other's."""

_BRINGS_ABOUT: Final[Mapping[str, frozenset[str]]] = {
    "click_fraud": frozenset({"cac_spike", "conversion_drop", "engagement_drop"}),
    "complaint_flood": frozenset({"complaint_rate", "complaint_volume"}),
    "complaint_volume": frozenset({"complaint_rate", "complaint_sla", "negative_sentiment"}),
    "content_violation": frozenset({"complaint_rate", "complaint_volume", "negative_sentiment", "search_divergence"}),
    "conversion_drop": frozenset({"cac_spike", "complaint_rate"}),
    "market_volatility": frozenset({"conversion_drop", "negative_sentiment", "search_divergence"}),
    "negative_sentiment": frozenset({"conversion_drop", "search_divergence"}),
    "search_divergence": frozenset({"complaint_rate", "complaint_volume", "conversion_drop"}),
}
"""Which indicator's trouble can be behind which other's, as people in the trade know it."""


def explains(cause: str, effect: str) -> bool:
    """Whether trouble that one indicator sees can bring about what the other sees."""
    return effect in _BRINGS_ABOUT.get(cause, ())


def closeness(gap_ms: int) -> float:
    """From 1 at the same moment to 0 beyond the horizon."""
    return 0.0 if gap_ms > HORIZON_MS else 0.5 ** (gap_ms / HALF_MS)


def rarity(others: int) -> float:
    """From 1 for a thing that no other incident of the last week spoke of, downwards."""
    return 1 / (1 + log2(1 + others) / 2)


def centrality(share: float) -> float:
    """From 1 for a thing that all alerts of an incident speak of, downwards: so that incidents do not grow without end,
    one thing leading to the next."""
    return float(share**_CENTRAL)


def shared(one: Things, other: Things, explained: bool) -> dict[str, float]:
    """What both speak of, and what that says by itself. explained: one alert's trouble can be behind the other's."""
    few, many = (one, other) if len(one) <= len(other) else (other, one)
    return {
        thing: weight(thing, explained) * min(share, many[thing]) ** _SPREAD
        for thing, share in few.items()
        if thing in many
    }


def weight(thing: str, explained: bool = False) -> float:
    """What a thing says when two alerts share it wholly."""
    kind = thing.partition(":")[0]
    return _WEIGHTS.get(kind, _OTHER) * (_EXPLAINED.get(kind, 1.0) if explained else 1.0)
