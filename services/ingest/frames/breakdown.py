"""What some rows of channels tell besides: their product, their customers' segment, and what was paid."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import compress
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from schemas.frames import MEASURES, NO_SEGMENT, SEGMENTS
from services.ingest.frames.parts import Index, members, new_index, renumbered
from services.ingest.reading.structs import micros

_BROKEN_DOWN: Final = ("clicks", "spend_micros", "leads", "accounts_opened", "purchases")
_WANTED: Final = bytes(code < len(MEASURES) and MEASURES[code] in _BROKEN_DOWN for code in range(256))
"""By measure, whether it is broken down."""
_SEGMENT: Final = {None: NO_SEGMENT} | {name: code for code, name in enumerate(SEGMENTS)}
_Columns = tuple[list[str], bytes, bytes, bytes, bytes]
_NOTHING: Final[_Columns] = ([], b"", b"", b"", b"")


@dataclass(slots=True)
class Breakdown:
    """Columns beside those of a channel's rows; `rows`: which row each belongs to."""

    names: Index = field(default_factory=new_index)
    rows: list[int] = field(default_factory=list)
    products: list[int] = field(default_factory=list)
    segments: bytearray = field(default_factory=bytearray)
    paid: list[int] = field(default_factory=list)

    def add(self, first_row: int, measures: bytearray, products: Sequence[str | None], events: Sequence[Any]) -> None:
        """Takes note of events that become the rows from `first_row` on; products: of each."""
        wanted = measures.translate(_WANTED)
        hints = [event.segment or event.product_id for event in compress(events, wanted)]
        if not any(hints):  # most events tell nothing, which this finds out quickest
            return
        columns = range(first_row, first_row + len(events)), products, [event.segment for event in events]
        told = [each for each in compress(zip(*columns, strict=True), wanted) if each[1] or each[2]]
        self._take(*zip(*told, strict=True))

    def add_conversions(self, first_row: int, events: Sequence[Any]) -> None:
        """Likewise of conversions, of which some have an amount."""
        products, segments = [event.product_id for event in events], [event.segment for event in events]
        paid = [micros(event.amount) if event.amount and event.stage == "purchase" else 0 for event in events]
        columns = zip(range(first_row, first_row + len(events)), products, segments, paid, strict=True)
        told = [each for each in columns if each[1] or each[2] or each[3]]
        if told:
            self._take(*zip(*told, strict=True))

    def _take(
        self,
        rows: Sequence[int],
        products: Sequence[str | None],
        segments: Sequence[str | None],
        paid: Sequence[int] | None = None,
    ) -> None:
        self.rows += rows
        self.products += map(self.names.__getitem__, products)
        self.segments += bytes(map(_SEGMENT.__getitem__, segments))
        self.paid += [0] * len(rows) if paid is None else paid

    def of_rows(self, chosen: NDArray[np.intp], numbers: NDArray[np.int64]) -> _Columns:
        """Of the chosen rows (ascending) the columns as a frame has them; numbers: as `numbers` gives them."""
        if not len(numbers[0]) or not len(chosen):
            return _NOTHING
        place = chosen.searchsorted(numbers[0])
        own = chosen.take(place, mode="clip") == numbers[0]
        _, product, segment, paid = numbers.compress(own, axis=1)
        names = members(self.names)
        local, used = renumbered(product.astype("<i4"), len(names))
        return (
            [names[each] for each in used.nonzero()[0].tolist()],
            place[own].astype("<i4").tobytes(),
            local.tobytes(),
            segment.astype("u1").tobytes(),
            paid.tobytes(),
        )

    def numbers(self) -> NDArray[np.int64]:
        """Rows, products, segments and what was paid, one a line."""
        return np.array((self.rows, self.products, list(self.segments), self.paid), "<i8")
