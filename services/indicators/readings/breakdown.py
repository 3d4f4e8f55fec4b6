"""Clicks, spend and conversions by product and segment, and what was paid: for people's figures only."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from schemas.frames import SEGMENTS, ChannelFrame, int32, int64, uint8
from schemas.readings import Scope
from services.indicators.readings.tallies import CODE, OF_FRAME, Tallies
from services.indicators.windows.panes import HOUR_MS, Int64

_PAID: Final = CODE["purchase_amount"]


_Part = tuple[Scope, Sequence[str], NDArray[np.int32]]
"""A scope, its names, and which of them each row belongs to."""


@dataclass(frozen=True, slots=True)
class _Rows:
    """The rows that are broken down, in columns of equal length."""

    hour: Int64
    channel: NDArray[np.int32]
    product: NDArray[np.int32]
    segment: NDArray[np.int32]
    measure: Int64
    amount: Int64
    paid: Int64


def break_down(frame: ChannelFrame, new: NDArray[np.bool_] | None, tallies: Tallies) -> None:
    """Adds the rows that have a product, a segment or an amount; `new`: which rows of the frame count (None: all)."""
    places, paid = int32(frame.parted), int64(frame.paid)
    product, segment = int32(frame.product), uint8(frame.segment).astype(np.int32)
    if new is not None:
        kept = new[places]
        places, paid, product, segment = places[kept], paid[kept], product[kept], segment[kept]
    rows = _Rows(
        int64(frame.at_ms)[places] // HOUR_MS,
        int32(frame.channel)[places],
        product,
        segment,
        OF_FRAME[uint8(frame.measure)[places]],
        int64(frame.amount)[places],
        paid,
    )
    for hour in _different(rows.hour):
        _add(tallies, hour, frame, rows)


def _different(hours: Int64) -> list[int]:
    """Each once; mostly there is one."""
    one = hours[:1]
    found: list[int] = (one if (hours == one).all() else np.unique(hours)).tolist()
    return found


def _add(tallies: Tallies, hour: int, frame: ChannelFrame, rows: _Rows) -> None:
    now = rows.hour == hour
    bought = now & (rows.paid > 0)
    parts: tuple[_Part, ...] = (
        ("channel", frame.channels, rows.channel),
        ("product", frame.products, rows.product),
        ("segment", SEGMENTS, rows.segment),
    )
    for scope, names, local in parts:
        known = (local >= 0) & (local < len(names))
        own, paying = now & known, bought & known
        if scope != "channel" and own.any():  # what happened on a channel is in its panes
            tallies.table(hour, scope).add_all(names, local[own], rows.measure[own], rows.amount[own])
        if paying.any():
            money = np.full(int(paying.sum()), _PAID)
            tallies.table(hour, scope).add_all(names, local[paying], money, rows.paid[paying])
