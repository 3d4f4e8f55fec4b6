"""What happened on channels by the hour, and how much of it orders would have held back."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from schemas.backtest import Held, Ordered, Trip
from schemas.base import Bilingual, to_ms
from schemas.frames import MEASURES, ChannelFrame, SubjectFrame, int32, int64, uint8
from services.indicators.windows.panes import HOUR_MS

_CODE: Final = {name: code for code, name in enumerate(MEASURES)}
_WAYS: Final[tuple[Literal["auto", "approve"], ...]] = ("auto", "approve")
MICROS: Final = 1_000_000


class Traffic:
    """Sums of MEASURES by channel and hour."""

    def __init__(self) -> None:
        self._hours: dict[tuple[str, int], NDArray[np.int64]] = {}

    def hear(self, frame: SubjectFrame) -> None:
        """Adds the rows of a frame of channels; others are none of its business."""
        if not isinstance(frame, ChannelFrame) or not frame.offset:
            return
        cells = int64(frame.at_ms) // HOUR_MS * len(frame.channels) + int32(frame.channel)
        used, row = np.unique(cells, return_inverse=True)
        sums = np.zeros((len(used), len(MEASURES)), np.int64)
        np.add.at(sums, (row, uint8(frame.measure)), int64(frame.amount))
        for cell, sum_ in zip(used.tolist(), sums, strict=True):
            key = frame.channels[cell % len(frame.channels)], cell // len(frame.channels)
            known = self._hours.get(key)
            self._hours[key] = sum_ if known is None else known + sum_

    def part(self, channel: str, shares: dict[int, float]) -> NDArray[np.float64]:
        """The sums of a channel over some hours, of each hour a share."""
        total = np.zeros(len(MEASURES))
        for hour, share in shares.items():
            known = self._hours.get((channel, hour))
            if known is not None:
                total += known * share
        return total


@dataclass(frozen=True, slots=True)
class Hold:
    """A stretch of time in which a share of a channel's traffic is held back."""

    start_ms: int
    end_ms: int
    share: float


def held_by_hour(holds: Sequence[Hold]) -> dict[int, float]:
    """Of each hour, counted from the epoch, the share that is held; of holds at the same time the strictest counts."""
    edges = sorted({edge for hold in holds for edge in (hold.start_ms, hold.end_ms)})
    hours: dict[int, float] = {}
    for start, end in pairwise(edges):
        share = max((hold.share for hold in holds if hold.start_ms <= start and end <= hold.end_ms), default=0.0)
        for hour in range(start // HOUR_MS, -(-end // HOUR_MS)) if share else ():
            within = min(end, (hour + 1) * HOUR_MS) - max(start, hour * HOUR_MS)
            hours[hour] = hours.get(hour, 0.0) + share * within / HOUR_MS
    return hours


def _share(order: Ordered) -> float:
    """How much a channel's order holds back; nothing where it is about something else."""
    if not order.target.startswith("channel:"):
        return 0.0
    if order.action == "pause":
        return 1.0
    return 1.0 - order.factor if order.action == "throttle" and order.factor is not None else 0.0


def held(trips: Iterable[Trip], traffic: Traffic, end: datetime, label: Callable[[str], Bilingual]) -> list[Held]:
    """By channel and by what acts, what orders would have held until `end`."""
    holds: dict[tuple[str, Literal["auto", "approve"]], list[Hold]] = {}
    for trip in trips:
        for order in trip.orders:
            stretch = to_ms(order.at), to_ms(trip.resolved or end)
            for by in _WAYS:
                if order.maturity == by and _share(order) and stretch[0] < stretch[1]:
                    holds.setdefault((order.target, by), []).append(Hold(*stretch, _share(order)))
    return [_held(target, by, found, traffic, label(target)) for (target, by), found in sorted(holds.items())]


def _held(target: str, by: Literal["auto", "approve"], holds: list[Hold], traffic: Traffic, label: Bilingual) -> Held:
    shares = held_by_hour(holds)
    sums = traffic.part(target.removeprefix("channel:"), shares)

    def amount(measure: str) -> float:
        return round(float(sums[_CODE[measure]]), 2)

    return Held(
        channel=target,
        label=label,
        by=by,
        hours=round(sum(_hours_of(holds)), 3),
        clicks=amount("clicks"),
        impressions=amount("impressions"),
        spend=round(float(sums[_CODE["spend_micros"]]) / MICROS, 2),
        accounts_opened=amount("accounts_opened"),
        purchases=amount("purchases"),
    )


def _hours_of(holds: Sequence[Hold]) -> Iterable[float]:
    """The lengths in hours of the stretches in which any hold stands."""
    edges = sorted({edge for hold in holds for edge in (hold.start_ms, hold.end_ms)})
    for start, end in pairwise(edges):
        if any(hold.start_ms <= start and end <= hold.end_ms for hold in holds):
            yield (end - start) / HOUR_MS
