"""How a log is cut for a backtest, so that panes close where the live services closed them.

Boundaries lie 30 seconds after the ends of panes, which is when a pane closes. A block of five minutes is what lies
between two of them; where much happens it is cut finer, since a frame and a mark cost as much as a hundred events.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from operator import attrgetter
from typing import Final

from services.cli.backtest.pipeline import RawRecord
from services.indicators.standing import CLOSE_AFTER_MS

BLOCK_MS: Final = 300_000
"""The pane of channels, products, the brand and the market; a multiple of every other subject's pane."""
_FINER_MS: Final = (5_000, 60_000)
_ENOUGH: Final = 50
"""Records of a slice, on average, for which it is worth its price."""
Block = tuple[list[RawRecord], int]
"""Records, and the boundary at which their block ends."""
_STAMP: Final = attrgetter("stamp_ms")


def boundary(after_ms: int, width_ms: int = BLOCK_MS) -> int:
    """The first boundary after a moment; those of a width divide those of each wider one."""
    return (after_ms - CLOSE_AFTER_MS) // width_ms * width_ms + width_ms + CLOSE_AFTER_MS


def blocks(records: Iterable[RawRecord]) -> Iterator[Block]:
    """Records in the order of their stamps, by the block that they fall into; empty ones are left out."""
    for end_ms, found in groupby(records, lambda record: boundary(record.stamp_ms)):
        yield list(found), end_ms


def slices(block: Sequence[RawRecord]) -> Iterator[tuple[int, Sequence[RawRecord], int]]:
    """The parts of a block that hold any record: `(start, records, end)`."""
    width = next((each for each in _FINER_MS if len(block) * each >= _ENOUGH * BLOCK_MS), BLOCK_MS)
    index = 0
    while index < len(block):
        end_ms = boundary(block[index].stamp_ms, width)
        after = bisect_left(block, end_ms, index, key=_STAMP)
        yield end_ms - width, block[index:after], end_ms
        index = after
