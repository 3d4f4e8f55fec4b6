"""Of the oracle: a channel's day against the seven days before it. The story keeps away from what may be chance."""

from collections import defaultdict
from collections.abc import Iterator
from typing import NamedTuple

from tests.oracle.facts import Event, Trip, seconds

PANE_SECONDS = 300
DAY_SECONDS = 86_400
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


def _spans(events: list[Event], parts: Amounts, wholes: Amounts) -> Iterator[tuple[str, Spans]]:
    """Of every channel with a week before, at the end of every pane of the last four hours."""
    last = max(map(seconds, events)) // PANE_SECONDS * PANE_SECONDS + PANE_SECONDS
    for channel, whole in wholes.items():
        if min(at for at, _ in whole) < last - 5 * DAY_SECONDS:
            for pane in range(48):
                end = last - pane * PANE_SECONDS
                sums = [_sum(each, end) for each in (parts[channel], whole)]
                yield f"channel:{channel}", Spans(sums[0][0], sums[1][0], sums[0][1], sums[1][1])


def _sum(amounts: list[tuple[float, float]], end: float) -> tuple[float, float]:
    day, week = end - DAY_SECONDS, end - 8 * DAY_SECONDS
    return sum(n for at, n in amounts if day <= at < end), sum(n for at, n in amounts if week <= at < day)


def cac_spike(events: list[Event]) -> set[Trip]:
    """Slowing and a call where an account has become dear."""
    spans = _spans(events, _amounts(events, "spend", "amount"), _amounts(events, "conversion", None, "account_opened"))
    dear = {
        channel
        for channel, s in spans
        if min(s.whole, s.whole_before) >= 30
        and (s.part / s.whole > CEILING or s.part / s.whole >= RISE * s.part_before / s.whole_before)
    }
    return {("cac_spike", channel, word, channel, 1) for channel in dear for word in ("throttle", "escalate")}


def conversion_drop(events: list[Event]) -> set[Trip]:
    """Calls where fewer clicks end in a purchase."""
    spans = _spans(events, _amounts(events, "conversion", None, "purchase"), _amounts(events, "click", "count"))
    fallen = {channel for channel, s in spans if _has_fallen(s, least=1000, to=0.7)}
    return {("conversion_drop", channel, "escalate", channel, 1) for channel in fallen}


def disengaged(events: list[Event]) -> set[str]:
    """Channels on which fewer people take part; they are only told."""
    spans = _spans(events, _amounts(events, "engagement", "count"), _amounts(events, "impression", "count"))
    return {channel for channel, s in spans if _has_fallen(s, least=10_000, to=0.6)}


def _has_fallen(spans: Spans, least: int, to: float) -> bool:
    enough = min(spans.whole, spans.whole_before) >= least
    return enough and spans.part / spans.whole <= to * spans.part_before / spans.whole_before


INDICATORS = (cac_spike, conversion_drop)
