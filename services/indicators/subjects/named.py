"""Panes of subjects that have names: which slot is whose, and the columns of a frame added up."""

import struct
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from schemas.frames import FEED_OF_MEASURE, Slice
from services.indicators.standing import Admission, Ledger, Standing
from services.indicators.windows.panes import HOUR_MS, PANE_MS, Int64, Panes

TOPICS: Final = tuple(sorted(set(FEED_OF_MEASURE)))
"""The raw topics, by number, that feed any measure."""
ALWAYS: Final = -(2**62)
_KEY: Final = struct.Struct(">ci")


def oldest_taken(standing: Standing, kept_ms: int) -> int:
    """The oldest event time that is still taken: what has not been forgotten."""
    return ALWAYS if standing.closed_ms is None else (standing.closed_ms - kept_ms) // HOUR_MS * HOUR_MS


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns of a frame, all of equal length; `local` are indices into `names`."""

    slices: Sequence[Slice]
    names: list[str]
    at: Int64
    local: NDArray[np.int32]
    measure: NDArray[np.uint8]
    amount: Int64
    offset: Int64


@dataclass(frozen=True, slots=True)
class Added:
    """What was new of some columns: the slot, the pane and the measure of each row."""

    slot: Int64
    pane: Int64
    measure: NDArray[np.uint8]


class NamedPanes:
    """`panes`, and the slots of the names in them; a slot is free again when its name has no page left."""

    def __init__(self) -> None:
        self.panes = Panes([TOPICS.index(topic) for topic in FEED_OF_MEASURE])
        self.names: dict[int, str] = {}
        self._slots: dict[str, int] = {}
        self._free: list[int] = []

    def __contains__(self, name: object) -> bool:
        return name in self._slots

    def __len__(self) -> int:
        return len(self._slots)

    def __iter__(self) -> Iterator[str]:
        return iter(self._slots)

    def find(self, name: str) -> int:
        """The slot of a name, -1 if it has none."""
        return self._slots.get(name, -1)

    def slot(self, name: str) -> int:
        """The slot of a name, a new one if it has none."""
        slot = self._slots.get(name)
        if slot is None:
            slot = self._free.pop() if self._free else len(self._slots)
            self._slots[name], self.names[slot] = slot, name
        return slot

    def add(
        self, columns: Columns, admission: Admission, kept_ms: int, standing: Standing, ledger: Ledger | None
    ) -> Added | None:
        """Adds the rows that are new and in time; None when there are none."""
        at, amount, offset, local, measure = (
            columns.at,
            columns.amount,
            columns.offset,
            columns.local,
            columns.measure,
        )
        mask = admission.in_time(columns.slices, at, oldest_taken(standing, kept_ms), ledger)
        source = np.repeat(
            [self.panes.source(each.source) for each in columns.slices], [each.rows for each in columns.slices]
        )
        if mask is not None:
            if not mask.any():
                return None
            at, amount, offset, source = at[mask], amount[mask], offset[mask], source[mask]
            local, measure = local[mask], measure[mask]
        slot = self._slots_of(columns.names, local, partial=mask is not None)
        standing.newest_ms = max(standing.newest_ms, int(at.max()))
        pane = at // PANE_MS
        self.panes.add(slot, pane, measure, amount, source, offset)
        return Added(slot, pane, measure)

    def _slots_of(self, names: list[str], local: NDArray[np.int32], *, partial: bool) -> Int64:
        """The slot of each row; a name of whose rows none is new gets none."""
        slots: list[int | None] = list(map(self._slots.get, names))
        if None in slots:
            used = set(local.tolist()) if partial else range(len(names))
            slots = [self.slot(name) if index in used else 0 for index, name in enumerate(names)]
        rows: Int64 = np.array(slots, np.int64)[local]
        return rows

    # -- forgetting, saving, loading

    def forget(self, slots: Iterable[int]) -> None:
        """Frees these slots."""
        for slot in sorted(slots):
            del self._slots[self.names.pop(slot)]
            self._free.append(slot)

    def key(self, kind: bytes, number: int, slot: int) -> bytes:
        """The key of a snapshot record: its kind, its hour or pane, and whose it is."""
        return _KEY.pack(kind, number) + self.names[slot].encode()

    def read_key(self, key: bytes) -> tuple[bytes, int, int]:
        """Kind, number and slot of a snapshot record."""
        kind, number = _KEY.unpack_from(key)
        return kind, number, self.slot(key[_KEY.size :].decode())
