"""The clicks of actors: in the columns in which they came, and one by one for those who are looked at."""

from collections import Counter
from collections.abc import Iterator
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from schemas.frames import ActorFrame, int32, int64

PANE_MS: Final = 5_000
NAME_BYTES: Final = 16
"""A pseudonym."""

Int64 = NDArray[np.int64]


class Click(NamedTuple):
    """One click of a suspect."""

    at_ms: int
    source: int
    offset: int
    clicks: int
    account: str | None
    channel: str | None
    link: str | None


class Kept(NamedTuple):
    """A frame in memory: where it stood on the log, its newest event, and the columns of the rows that count."""

    log_offset: int
    newest_ms: int
    frame: ActorFrame
    slot: NDArray[np.int32]
    rows: Int64 | None

    def at_ms(self) -> Int64:
        """The time of each row."""
        at = int64(self.frame.at_ms)
        return at if self.rows is None else at[self.rows]

    def weight(self) -> Int64:
        """By how much each row raises its actor's number; a click that counts nothing still holds the slot."""
        count = int64(self.frame.count)
        return np.maximum(count if self.rows is None else count[self.rows], 1)

    def clicks(self, wanted: NDArray[np.bool_]) -> Iterator[tuple[int, Click]]:
        """`(slot, click)` of each row whose actor is wanted."""
        hits = np.flatnonzero(wanted[self.slot])
        if not len(hits):
            return
        frame, slots = self.frame, self.slot[hits].tolist()
        rows = hits if self.rows is None else self.rows[hits]
        slice_ends = np.cumsum([each.rows for each in frame.slices])
        lanes = np.searchsorted(slice_ends, rows, side="right").tolist()
        numbers = (int64(column)[rows].tolist() for column in (frame.at_ms, frame.offset, frame.count))
        refs = (int32(column)[rows].tolist() for column in (frame.account, frame.channel, frame.link))
        for slot, lane, at, offset, count, account, channel, link in zip(slots, lanes, *numbers, *refs, strict=True):
            source = frame.slices[lane].source
            names = (_pseudonym(frame.accounts, account), _name(frame.names, channel), _name(frame.names, link))
            yield slot, Click(at, source, offset, count, *names)


def _pseudonym(joined: bytes, index: int) -> str | None:
    return joined[index * NAME_BYTES : (index + 1) * NAME_BYTES].hex() if index >= 0 else None


def _name(names: list[str], index: int) -> str | None:
    return names[index] if index >= 0 else None


class Pane:
    """The clicks of one suspect in one pane."""

    __slots__ = ("accounts", "clicks", "total")

    def __init__(self) -> None:
        self.total = 0
        self.clicks: list[Click] = []
        self.accounts: Counter[str] = Counter()

    def add(self, click: Click) -> None:
        self.total += click.clicks
        self.clicks.append(click)
        if click.account is not None:
            self.accounts[click.account] += click.clicks


Suspect = dict[int, Pane]
"""The panes of one suspect, by their number from the epoch."""
