"""Hourly sums for people's figures: nothing is judged by them. All are integers, money in millionths of CNY, so that
they do not depend on the order of events."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final, get_args

import msgspec
import numpy as np
from numpy.typing import NDArray

from schemas.frames import MEASURES as FRAME_MEASURES
from schemas.readings import MAX_SUBJECTS, Measure, Scope
from services.indicators.windows.panes import HOUR_MS, Int64

MEASURES: Final[tuple[Measure, ...]] = get_args(Measure)
CODE: Final = {measure: code for code, measure in enumerate(MEASURES)}
OF_FRAME: Final = np.array([CODE[name.removesuffix("_micros")] for name in FRAME_MEASURES])  # type: ignore[index]
"""The code here of each measure of a channel's frame."""
IN_MICROS: Final = frozenset({"spend", "purchase_amount"})
ALL: Final = "all"
OTHERS: Final = "(others)"
"""Where an hour's names are counted when they are too many to tell apart: a sender may put anything there."""
KEPT_HOURS: Final = 72
"""What comes later than that changes no sums any more: an hour of which a part is forgotten is not told again."""
KEY: Final = b"y"

_Record = dict[Scope, dict[str, list[int]]]
_ENCODER: Final = msgspec.msgpack.Encoder()
_DECODER: Final = msgspec.msgpack.Decoder(_Record)


def scopes_of(channel: str | None, product: str | None, segment: str | None = None) -> list[tuple[Scope, str]]:
    """Where an event counts that has these."""
    named: tuple[tuple[Scope, str | None], ...] = (("channel", channel), ("product", product), ("segment", segment))
    return [(scope, name) for scope, name in named if name]


class Table:
    """The sums of one hour and scope, by name."""

    __slots__ = ("_rows", "_sums")

    def __init__(self) -> None:
        self._rows: dict[str, int] = {}
        self._sums: Int64 = np.zeros((4, len(MEASURES)), np.int64)

    def add(self, name: str, measure: Measure, amount: int) -> None:
        """Adds to one sum."""
        row = self._row(name)  # which may make room
        self._sums[row, CODE[measure]] += amount

    def add_all(self, names: Sequence[str], local: NDArray[np.int32], measure: Int64, amount: Int64) -> None:
        """Adds columns of equal length; `local` are indices into the names."""
        rows = np.zeros(len(names), np.int64)
        for each in np.flatnonzero(np.bincount(local)).tolist():
            rows[each] = self._row(names[each])
        np.add.at(self._sums.reshape(-1), rows[local] * len(MEASURES) + measure, amount)

    def _row(self, name: str) -> int:
        row = self._rows.get(name)
        if row is None and len(self._rows) >= MAX_SUBJECTS:
            name, row = OTHERS, self._rows.get(OTHERS)
        return self._new_row(name) if row is None else row

    def _new_row(self, name: str) -> int:
        row = self._rows[name] = len(self._rows)
        if row == len(self._sums):
            self._sums = np.concatenate((self._sums, np.zeros_like(self._sums)))
        return row

    def rows(self) -> Iterator[tuple[str, list[int]]]:
        """Each name with its sums, in the order of MEASURES; sorted."""
        sums = self._sums.tolist()
        return ((name, sums[row]) for name, row in sorted(self._rows.items()))

    def load(self, rows: dict[str, list[int]]) -> None:
        """Takes back all names of a snapshot, on a fresh instance; of fewer measures where it is older."""
        for name, sums in rows.items():
            row = self._new_row(name)
            self._sums[row, : len(sums)] = sums


class Tallies:
    """The sums of the last days, by hour (counted from the epoch), scope and name."""

    def __init__(self) -> None:
        self._hours: dict[int, dict[Scope, Table]] = {}
        self._dirty: set[int] = set()
        self._oldest = 0
        self.untold: set[int] = set()
        """Hours that have changed since they were told."""

    def __iter__(self) -> Iterator[int]:
        return iter(self._hours)

    def touch(self, hours: Iterable[int]) -> None:
        """Something else has changed in these hours that is told with them."""
        self.untold.update(hour for hour in hours if hour >= self._oldest)

    def table(self, hour: int, scope: Scope) -> Table:
        """The table of an hour and scope, to add to; of an hour that is forgotten, one that nobody reads."""
        if hour < self._oldest:
            return Table()
        self._dirty.add(hour)
        self.untold.add(hour)
        return self._hours.setdefault(hour, {}).setdefault(scope, Table())

    def add(self, at_ms: int, scope: Scope, name: str, measure: Measure, amount: int = 1) -> None:
        """Adds to one sum of the hour of a moment."""
        self.table(at_ms // HOUR_MS, scope).add(name, measure, amount)

    def of(self, hour: int) -> Iterator[tuple[Scope, Table]]:
        """The tables of an hour, by scope."""
        return iter(self._hours.get(hour, {}).items())

    def evict(self, closed_ms: int) -> None:
        """Forgets what is older than anybody asks."""
        self._oldest = max(self._oldest, closed_ms // HOUR_MS - KEPT_HOURS)
        for hour in [each for each in self._hours if each < self._oldest]:
            del self._hours[hour]
            self._dirty.add(hour)
        self.untold = {hour for hour in self.untold if hour >= self._oldest}

    def changed(self) -> Iterator[tuple[bytes, bytes | None]]:
        """A snapshot record per hour."""
        for hour in sorted(self._dirty):
            record = {scope: dict(table.rows()) for scope, table in sorted(self._hours.get(hour, {}).items())}
            yield KEY + b"%d" % hour, _ENCODER.encode(record) if record else None
        self._dirty.clear()

    def load(self, records: Iterable[tuple[bytes, bytes]]) -> None:
        """Takes back snapshot records; which hours are untold is for the machine to say."""
        for key, value in records:
            tables = self._hours.setdefault(int(key.removeprefix(KEY)), {})
            for scope, rows in _DECODER.decode(value).items():
                tables.setdefault(scope, Table()).load(rows)
