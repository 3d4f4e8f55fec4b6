"""Complaints that wait for an answer: hundreds of thousands at once, of which a close of a pane looks only at those for
which something has changed by then.

Nothing depends on the order in which openings and answers come. Of several openings of one complaint the earliest
counts, and so does the earliest answer; what is closed is answered too.
"""

import sys
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Final
from zlib import crc32

import msgspec

from schemas.calendar import HoursBasis
from schemas.frames import RAW_TOPIC_ORDER, AnyFrame, ComplaintFrame
from schemas.rows import CaseRow
from schemas.topics import COMPLAINT_EVENTS
from services.indicators.readings.tallies import Tallies, scopes_of
from services.indicators.standing import Ledger, Standing, fresh
from services.indicators.subjects.minutes import MINUTE_MS, Minutes
from services.indicators.subjects.store import Surroundings, Touched
from services.indicators.windows.panes import HOUR_MS

KEPT_MS: Final = 90 * 24 * HOUR_MS
"""What nobody answers is forgotten so long after its opening, and an answer so long after it was given, so that a late
opening does not count as open. Older events are too late. An opening is forgotten with its answer."""
NORMAL: Final = "normal"
HIGH_NET_WORTH: Final = "high_net_worth"
ANSWERED: Final = "answered"
_ALWAYS: Final = -(2**62)
_KEY: Final = b"c"
_MINUTES_OF_A_DAY: Final = 24 * 60


class Opening(msgspec.Struct, array_like=True, frozen=True, order=True, gc=False):
    """The opening of one complaint; the smallest of several counts."""

    at_ms: int
    source: int
    offset: int
    channel: str
    product: str | None
    entry: str
    high_net_worth: bool

    @property
    def kind(self) -> str:
        """Which deadline it has."""
        return HIGH_NET_WORTH if self.high_net_worth else NORMAL


_Record = tuple[Opening | None, int | None]
"""What is known of one complaint: its opening, and when it was answered."""
_ENCODER: Final = msgspec.msgpack.Encoder()
_DECODER: Final[msgspec.msgpack.Decoder[_Record]] = msgspec.msgpack.Decoder(_Record)


class ComplaintView:
    """One complaint as its rules see it."""

    def __init__(self, opening: Opening | None, answered_ms: int | None, around: Surroundings) -> None:
        self._opening = opening
        self._answered_ms = answered_ms
        self._calendar = around.calendar

    def open_at(self, now_ms: int) -> Opening | None:
        """Its opening, if it is open by then and not answered."""
        if self._opening is None or self._opening.at_ms > now_ms:
            return None
        return self._opening if self._answered_ms is None or self._answered_ms > now_ms else None

    def waited_ms(self, now_ms: int, basis: HoursBasis) -> int:
        """How long it has been open by then."""
        if self._opening is None:
            return 0
        since = self._opening.at_ms
        return now_ms - since if basis == "natural" else self._calendar.working_ms(since, now_ms)

    def sources(self) -> list[tuple[int, int, int]]:
        """`(source, from, to)`: where the opening lies."""
        opening = self._opening
        return [] if opening is None else [(opening.source, opening.offset, opening.offset + 1)]


class ComplaintStore:
    """The complaints of one partition.

    Rules that wait ask for horizons of the kinds NORMAL and HIGH_NET_WORTH (times of opening) and ANSWERED (times of
    answers to those in trouble), each under a name that is its kind, or `<kind>:<what for>`. What lies behind a horizon
    is yielded once, when it passes: see `waiting`.
    """

    kind = "complaint"
    pane_ms = MINUTE_MS
    feeds = frozenset({RAW_TOPIC_ORDER.index(COMPLAINT_EVENTS)})
    rebuilt = False
    inputs = frozenset({"complaints"})

    def __init__(self) -> None:
        self._openings: dict[str, Opening] = {}
        self._answered: dict[str, int] = {}
        self._lines = {kind: Minutes() for kind in (NORMAL, HIGH_NET_WORTH, ANSWERED)}
        self._passed: dict[str, int] = {}
        self._again: set[str] = set()
        self._troubled: set[str] = set()
        self._evicted_ms = _ALWAYS
        self._dirty: set[str] = set()
        self._settled: list[tuple[str, Opening, int]] = []
        self.untold: set[str] = set()
        """Complaints that have been opened or settled since people were told of them."""
        self.tallies = Tallies()

    def watch(self, floors: Mapping[str, int]) -> None:
        """Other figures: all is to be looked at again."""
        self._passed.clear()
        self._again |= self._troubled

    def follow(self, subject: str, troubled: bool) -> None:
        """A complaint in trouble is looked at when it is answered or forgotten."""
        name = subject.removeprefix("complaint:")
        if not troubled:
            self._troubled.discard(name)
            return
        self._troubled.add(name)
        if name not in self._openings:
            self._again.add(name)

    # -- folding

    def fold(self, offset: int, frame: AnyFrame, standing: Standing, ledger: Ledger | None) -> list[Touched]:
        """Adds the new events of a frame."""
        if not isinstance(frame, ComplaintFrame):
            raise TypeError(f"a {type(frame).__name__} on the log of complaints")
        closed = _ALWAYS if standing.closed_ms is None else standing.closed_ms
        for source, row in fresh(frame.slices, frame.rows, closed - KEPT_MS, standing, ledger):
            if row.what == "opened":
                self._open(source, row, closed)
            else:
                self._answer(row, closed)
        return []

    def _open(self, source: int, row: CaseRow, closed_ms: int) -> None:
        name, known = row.complaint_id, self._openings.get(row.complaint_id)
        opening = _opening(
            row.at_ms, source, row.offset, row.channel or "", row.product, row.entry or "", row.high_net_worth
        )
        if self._answered.get(name, closed_ms + 1) <= closed_ms or (known is not None and known <= opening):
            return
        if known is not None:
            self._lines[known.kind].remove(name, known.at_ms)
            self._again.add(name)
        else:
            for scope, named in scopes_of(row.channel, row.product, row.segment):
                self.tallies.add(row.at_ms, scope, named, "complaints")
        self._openings[name] = opening
        self.untold.add(name)
        self._enter(opening.kind, name, opening.at_ms)
        self._dirty.add(name)

    def _answer(self, row: CaseRow, closed_ms: int) -> None:
        name, known = row.complaint_id, self._answered.get(row.complaint_id)
        if known is not None and known <= row.at_ms:
            return
        if known is not None:
            self._lines[ANSWERED].remove(name, known)
        self._answered[name] = row.at_ms
        self._enter(ANSWERED, name, row.at_ms)
        self._dirty.add(name)
        if row.at_ms <= closed_ms:
            self._settle(name)

    def _enter(self, kind: str, name: str, at_ms: int) -> None:
        """Into its line; what comes behind a horizon that has passed is looked at by itself."""
        self._lines[kind].add(name, at_ms)
        if any(at_ms <= passed for horizon, passed in self._passed.items() if _kind(horizon) == kind):
            self._again.add(name)

    def _settle(self, name: str) -> None:
        """A complaint that is answered needs no opening any more."""
        opening = self._openings.pop(name, None)
        if opening is not None:
            self._lines[opening.kind].remove(name, opening.at_ms)
            self._dirty.add(name)
            self.untold.add(name)
            self._settled.append((name, opening, self._answered[name]))

    def take_settled(self) -> list[tuple[str, Opening, int]]:
        """The complaints that have become known as answered since the last call, each with its opening and when."""
        settled, self._settled = self._settled, []
        return settled

    def open_count(self) -> int:
        """How many are open."""
        return len(self._openings)

    def opening(self, name: str) -> Opening | None:
        """Of a complaint that waits for its answer."""
        return self._openings.get(name)

    def told_again(self, minute: int) -> Iterator[str]:
        """The complaints whose turn it is in this minute of the day: each has one."""
        turn = minute % _MINUTES_OF_A_DAY
        return (name for name in self._openings if crc32(name.encode()) % _MINUTES_OF_A_DAY == turn)

    def take_untold(self, names: Sequence[str] | None) -> None:
        """What people were not told of before a restart; None: of nothing ever, so of all that is open."""
        self.untold = set(self._openings if names is None else names)

    def everything(self, since_ms: int) -> list[Touched]:
        """Nothing is judged at once."""
        return []

    # -- looking

    def earliest_ms(self) -> int | None:
        """The minute of the oldest opening that is not answered."""
        found = (self._lines[kind].earliest_ms() for kind in (NORMAL, HIGH_NET_WORTH))
        return min((each for each in found if each is not None), default=None)

    def standing_subjects(self, reads: Collection[str]) -> Iterable[str]:
        """None: a complaint changes by itself only when a horizon passes."""
        return ()

    def waiting(self, horizons: Mapping[str, int]) -> Iterable[str]:
        """The complaints that the horizons have passed since the last call, and those of which something new was heard.
        The first call, and one after new figures, begins at the first complaint."""
        found, self._again = self._again, set()
        for horizon, until in horizons.items():
            after, kind = self._passed.get(horizon, _ALWAYS), _kind(horizon)
            if until > after:
                self._passed[horizon] = until
                names = self._lines[kind].between(after, until)
                found.update(self._troubled.intersection(names) if kind == ANSWERED else names)
        return [f"complaint:{name}" for name in found]

    def idle(self) -> bool:
        """Whether no complaint is open."""
        return not (self._openings or self._again)

    def later(self, subject: str, end_ms: int) -> list[int]:
        """None: the next horizon finds it."""
        return []

    def view(self, subject: str, around: Surroundings) -> ComplaintView:
        """One complaint to look at."""
        name = subject.removeprefix("complaint:")
        return ComplaintView(self._openings.get(name), self._answered.get(name), around)

    # -- forgetting, saving, loading

    def overfull_ms(self, newest_ms: int) -> int | None:
        """Never: complaints are few, and an open one has to be kept."""
        return None

    def evict(self, closed_ms: int) -> None:
        """Forgets the openings of what has been answered by then, and all that is too old."""
        for name in self._lines[ANSWERED].between(self._evicted_ms, closed_ms):
            self._settle(name)
        self._evicted_ms = closed_ms
        for name in self._lines[ANSWERED].pop_before(closed_ms - KEPT_MS):
            del self._answered[name]
            self._dirty.add(name)
        for kind in (NORMAL, HIGH_NET_WORTH):
            for name in self._lines[kind].pop_before(closed_ms - KEPT_MS):
                del self._openings[name]
                self._dirty.add(name)
                self.untold.add(name)
                if name in self._troubled:
                    self._again.add(name)

    def oldest_offset(self) -> int | None:
        """Nothing is rebuilt from the log."""
        return None

    def changed(self) -> Iterator[tuple[bytes, bytes | None]]:
        """A record per complaint: they change one by one, and anywhere."""
        for name in self._dirty:
            record: _Record = (self._openings.get(name), self._answered.get(name))
            yield _KEY + name.encode(), None if record == (None, None) else _ENCODER.encode(record)
        self._dirty.clear()

    def load(self, records: Iterable[tuple[bytes, bytes]]) -> None:
        """Takes back snapshot records."""
        for key, value in records:
            name = key.removeprefix(_KEY).decode()
            opening, answered_ms = _DECODER.decode(value)
            if opening is not None:
                self._openings[name] = _opening(*msgspec.structs.astuple(opening))
                self._lines[opening.kind].add(name, opening.at_ms)
            if answered_ms is not None:
                self._answered[name] = answered_ms
                self._lines[ANSWERED].add(name, answered_ms)


def _opening(
    at_ms: int, source: int, offset: int, channel: str, product: str | None, entry: str, high_net_worth: bool
) -> Opening:
    """One whose texts are kept once for all complaints, since there are few of them."""
    product = None if product is None else sys.intern(product)
    return Opening(at_ms, source, offset, sys.intern(channel), product, sys.intern(entry), high_net_worth)


def _kind(horizon: str) -> str:
    return horizon.partition(":")[0]
