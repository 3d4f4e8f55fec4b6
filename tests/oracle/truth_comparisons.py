"""Of the oracle: a channel's day against the seven days before it.

The story keeps away from what may be chance, and its days before are all alike, so it does not matter which are taken.
"""

from collections import defaultdict
from collections.abc import Callable
from typing import NamedTuple

from tests.oracle.facts import Event, Trip, seconds

PANE_SECONDS = 300
DAY_SECONDS = 86_400
HOLD_PANES = 24
"""A change must last for two hours."""
CEILING, RISE = 380, 1.2
Amounts = dict[str, list[tuple[float, float]]]
"""By channel, when and how much."""


class Spans(NamedTuple):
    """Two sums, each over the day and over the week before it."""

    part: float
    whole: float
    part_before: float
    whole_before: float


def _amounts(events: list[Event], type_: str, field: str | None, stage: str | None = None) -> Amounts:
    found: Amounts = defaultdict(list)
    for event in events:
        if event["type"] == type_ and event.get("stage") == stage:
            found[event["channel_id"]].append((seconds(event), 1 if field is None else event.get(field, 1)))
    return found


def _lasting(events: list[Event], parts: Amounts, wholes: Amounts, is_breach: Callable[[Spans], bool]) -> set[str]:
    """Channels with a week before them that were in breach for two hours, judged at the end of every pane."""
    last = max(map(seconds, events)) // PANE_SECONDS * PANE_SECONDS + PANE_SECONDS
    found = set()
    for channel, whole in wholes.items():
        if min(at for at, _ in whole) < last - 5 * DAY_SECONDS:
            breaches = "".join(
                "x" if is_breach(_spans(parts[channel], whole, last - pane * PANE_SECONDS)) else " "
                for pane in range(48)
            )
            if "x" * (HOLD_PANES + 1) in breaches:
                found.add(f"channel:{channel}")
    return found


def _spans(part: list[tuple[float, float]], whole: list[tuple[float, float]], end: float) -> Spans:
    (now, before), (whole_now, whole_before) = _sum(part, end), _sum(whole, end)
    return Spans(now, whole_now, before, whole_before)


def _sum(amounts: list[tuple[float, float]], end: float) -> tuple[float, float]:
    day, week = end - DAY_SECONDS, end - 8 * DAY_SECONDS
    return sum(n for at, n in amounts if day <= at < end), sum(n for at, n in amounts if week <= at < day)


def cac_spike(events: list[Event]) -> set[Trip]:
    """Slowing and a call where an account has become dear."""
    spent, opened = _amounts(events, "spend", "amount"), _amounts(events, "conversion", None, "account_opened")
    dear = _lasting(events, spent, opened, _is_dear)
    return {("cac_spike", channel, word, channel, 1) for channel in dear for word in ("throttle", "escalate")}


def _is_dear(spans: Spans) -> bool:
    if min(spans.whole, spans.whole_before) < 30:
        return False
    cac = spans.part / spans.whole
    return cac > CEILING or cac >= RISE * spans.part_before / spans.whole_before


def conversion_drop(events: list[Event]) -> set[Trip]:
    """Calls where fewer clicks end in a purchase."""
    bought, clicked = _amounts(events, "conversion", None, "purchase"), _amounts(events, "click", "count")
    fallen = _lasting(events, bought, clicked, lambda spans: _has_fallen(spans, least=1000, to=0.7))
    return {("conversion_drop", channel, "escalate", channel, 1) for channel in fallen}


def disengaged(events: list[Event]) -> set[str]:
    """Channels on which fewer people take part; they are only told."""
    engaged, shown = _amounts(events, "engagement", "count"), _amounts(events, "impression", "count")
    return _lasting(events, engaged, shown, lambda spans: _has_fallen(spans, least=10_000, to=0.6))


def _has_fallen(spans: Spans, least: int, to: float) -> bool:
    enough = min(spans.whole, spans.whole_before) >= least
    return enough and spans.part / spans.whole <= to * spans.part_before / spans.whole_before


INDICATORS = (cac_spike, conversion_drop)
