"""Clicks, spend and conversions by product and segment, and what was paid: for people's figures only."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from schemas.frames import SEGMENTS, ChannelFrame, int32, int64, uint8
from schemas.readings import Scope
from services.indicators.panes import HOUR_MS
from services.indicators.tallies import CODE, OF_FRAME, Tallies

_PAID: Final = CODE["purchase_amount"]


_Part = tuple[Scope, Sequence[str], NDArray[np.int32]]
"""A scope, its names, and which of them each row belongs to."""


def break_down(frame: ChannelFrame, new: NDArray[np.bool_] | None, tallies: Tallies) -> None:
    """Adds the rows that have a product, a segment or an amount; `new`: which rows of the frame count (None: all)."""
    rows, paid = int32(frame.parted), int64(frame.paid)
    product, segment = int32(frame.product), uint8(frame.segment).astype(np.int32)
    if new is not None:
        kept = new[rows]
        rows, paid, product, segment = rows[kept], paid[kept], product[kept], segment[kept]
    channel = int32(frame.channel)[rows]
    hour, amount = int64(frame.at_ms)[rows] // HOUR_MS, int64(frame.amount)[rows]
    measure, money = OF_FRAME[uint8(frame.measure)[rows]], np.full(len(rows), _PAID)
    parts: tuple[_Part, ...] = (("product", frame.products, product), ("segment", SEGMENTS, segment))
    for each in np.unique(hour).tolist():
        now = hour == each
        bought = now & (paid > 0)
        if bought.any():
            tallies.table(each, "channel").add_all(frame.channels, channel[bought], money[bought], paid[bought])
        for scope, names, local in parts:
            own = now & (local >= 0) & (local < len(names))
            if own.any():
                table = tallies.table(each, scope)
                table.add_all(names, local[own], measure[own], amount[own])
                table.add_all(names, local[own], money[own], paid[own])
