"""What some rows of channels tell besides: their product, their customers' segment, and what was paid."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import compress
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from schemas.frames import MEASURES, NO_SEGMENT, SEGMENTS
from services.ingest.parts import Index, members, new_index, renumbered
from services.ingest.structs import micros

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
        segments = [event.segment for event in events]
        told: Sequence[str | None] = products
        if any(segments):
            told = [product or segment for product, segment in zip(products, segments, strict=True)]
        wanted = measures.translate(_WANTED)
        # compress alone is several times faster than a loop, and most events tell nothing
        chosen = list(compress(compress(range(len(events)), wanted), compress(told, wanted)))
        self._take(first_row, chosen, products, segments)

    def add_conversions(self, first_row: int, events: Sequence[Any]) -> None:
        """Likewise of conversions, of which some have an amount."""
        products, segments = [event.product_id for event in events], [event.segment for event in events]
        paid = [micros(event.amount) if event.amount and event.stage == "purchase" else 0 for event in events]
        chosen = [n for n in range(len(events)) if products[n] or segments[n] or paid[n]]
        self._take(first_row, chosen, products, segments)
        self.paid[len(self.paid) - len(chosen) :] = [paid[n] for n in chosen]

    def _take(
        self, first_row: int, chosen: list[int], products: Sequence[str | None], segments: Sequence[str | None]
    ) -> None:
        self.rows += [first_row + n for n in chosen]
        self.products += [self.names[products[n]] for n in chosen]
        self.segments += bytes([_SEGMENT[segments[n]] for n in chosen])
        self.paid += [0] * len(chosen)

    def of_rows(self, chosen: NDArray[np.intp], numbers: NDArray[np.int64]) -> _Columns:
        """Of the chosen rows (ascending) the columns as a frame has them; numbers: as `numbers` gives them."""
        if not len(numbers[0]) or not len(chosen):
            return _NOTHING
        place = chosen.searchsorted(numbers[0])
        own = chosen.take(place, mode="clip") == numbers[0]
        _, product, segment, paid = numbers[:, own]
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
