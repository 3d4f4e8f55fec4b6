"""The sums behind the figures of the business, by hour. Pure, and bounded whatever comes in."""

from collections.abc import Iterator, Mapping
from typing import Final, get_args

import numpy as np
from numpy.typing import NDArray

from schemas.base import to_ms
from schemas.readings import Measure, Scope, Tally

HOUR_MS: Final = 3_600_000
MOST_HOURS: Final = 31 * 24
MOST_ROWS: Final = 300_000
"""An hour's sums of one name; all of them take some 120 MB. Beyond that the oldest hours are forgotten."""
_MEASURES: Final[tuple[Measure, ...]] = get_args(Measure)
_CODE: Final = {measure: code for code, measure in enumerate(_MEASURES)}

Row = NDArray[np.float64]
Rows = dict[str, Row]
"""By name."""


class Tallies:
    """The last told sums of each writer, hour and scope; telling them again, or more of them, takes their place."""

    def __init__(self) -> None:
        self._hours: dict[int, dict[tuple[str, Scope], Rows]] = {}
        self._rows = 0

    def fold(self, tally: Tally) -> None:
        """Takes in one tally."""
        hour = to_ms(tally.hour) // HOUR_MS
        told = self._hours.setdefault(hour, {})
        for scope, names in tally.sums.items():
            rows = {name: _row(sums) for name, sums in names.items()}
            self._rows += len(rows) - len(told.get((tally.writer, scope), ()))
            told[tally.writer, scope] = rows
        while len(self._hours) > MOST_HOURS or (self._rows > MOST_ROWS and len(self._hours) > 1):
            oldest = self._hours.pop(min(self._hours))
            self._rows -= sum(map(len, oldest.values()))

    def newest_ms(self) -> int | None:
        """The end of the newest hour that anything is known of."""
        return (max(self._hours) + 1) * HOUR_MS if self._hours else None

    def figures(self, scope: Scope, since_ms: int, until_ms: int) -> dict[str, dict[str, float]]:
        """By name the sums of the whole hours that begin in a stretch of time; with `all`, of everything as `all`."""
        found: dict[str, Row] = {}
        for own, name, row in self._within(since_ms, until_ms):
            if scope == "all" and own in ("all", "channel"):  # every event is of a channel, or of the whole
                _add(found, "all", row)
            elif own == scope:
                _add(found, name, row)
        return {name: _sums(row) for name, row in sorted(found.items())}

    def hourly(self, scope: Scope, name: str, since_ms: int, until_ms: int) -> dict[int, dict[str, float]]:
        """The sums of one name by the hour's beginning, of the hours that begin in a stretch of time and have any."""
        found: dict[int, Row] = {}
        for hour in range(-(-since_ms // HOUR_MS), -(-until_ms // HOUR_MS)):
            for (_, own), rows in self._hours.get(hour, {}).items():
                if own == scope and name in rows:
                    found[hour] = found.get(hour, _row({})) + rows[name]
        return {hour * HOUR_MS: _sums(row) for hour, row in found.items()}

    def _within(self, since_ms: int, until_ms: int) -> Iterator[tuple[Scope, str, Row]]:
        for hour, told in self._hours.items():
            if since_ms <= hour * HOUR_MS < until_ms:
                for (_, scope), rows in told.items():
                    for name, row in rows.items():
                        yield scope, name, row


def _row(sums: Mapping[Measure, float]) -> Row:
    row = np.zeros(len(_MEASURES))
    for measure, amount in sums.items():
        row[_CODE[measure]] = amount
    return row


def _add(found: dict[str, Row], name: str, row: Row) -> None:
    if name in found:
        found[name] += row
    else:
        found[name] = row.copy()


def _sums(row: Row) -> dict[str, float]:
    return {measure: amount for measure, amount in zip(_MEASURES, row.tolist(), strict=True) if amount}
