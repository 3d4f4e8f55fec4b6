"""The one-click complaints of actors, each by itself. They are few, so unlike clicks they are in the snapshots; folding
one again changes nothing."""

import struct
from collections.abc import Iterable, Iterator, Mapping, Set
from typing import Final, NamedTuple

import msgspec
import numpy as np

from schemas.frames import ActorFrame
from services.indicators.standing import Admission, Ledger, Standing, fresh
from services.indicators.subjects.clicks import NAME_BYTES, PANE_MS, Int64
from services.indicators.subjects.store import Touched

COMPLAINTS: Final = "complaints"
WINDOW_MS: Final = 600_000
"""The longest trailing window of complaints, without the pane of the moment."""
_ALWAYS: Final = -(2**62)
_NEVER: Final = 2**62
_KEY: Final = struct.Struct(f">c{NAME_BYTES}sq")


class Flood(NamedTuple):
    """One complaint; the smallest of those of one id, account and pane stands for all."""

    at_ms: int
    source: int
    offset: int
    account: str | None
    channel: str
    complaint_id: str


Name = tuple[str, str | None]
"""The id of a complaint and the account that is said to have made it."""
Panes = Mapping[int, Mapping[Name, Flood]]
"""By pane and name, those of one actor."""
_ENCODER: Final = msgspec.msgpack.Encoder()
_DECODER: Final = msgspec.msgpack.Decoder(Flood)


class Floods:
    """The complaints of all actors of one partition, as long as a window needs them."""

    def __init__(self) -> None:
        self._panes: dict[bytes, dict[int, dict[Name, Flood]]] = {}
        self._actors: dict[int, set[bytes]] = {}
        self._changed: dict[bytes, Flood | None] = {}
        self._number = 0
        self.floor: int = _NEVER
        """From how many complaints on an actor is judged."""

    def __len__(self) -> int:
        return self._number

    def times(self) -> Int64:
        """The time of each."""
        every = (flood.at_ms for panes in self._panes.values() for found in panes.values() for flood in found.values())
        return np.fromiter(every, np.int64, self._number)

    def fold(
        self,
        frame: ActorFrame,
        admission: Admission,
        standing: Standing,
        ledger: Ledger | None,
        troubled: Set[bytes],
    ) -> list[Touched]:
        """Adds the new complaints of a frame; the actors to judge again, with the panes from the earliest touched."""
        oldest = _ALWAYS if standing.closed_ms is None else standing.closed_ms - WINDOW_MS
        earliest: dict[bytes, int] = {}
        for source, row in fresh(frame.slices, frame.complaints, oldest, standing, ledger, admission):
            account = None if row.account is None else row.account.hex()
            self._add(row.ip, Flood(row.at_ms, source, row.offset, account, row.channel, row.complaint_id))
            earliest[row.ip] = min(row.at_ms // PANE_MS, earliest.get(row.ip, _NEVER))
        return [self._touched(actor, pane) for actor, pane in earliest.items() if self._is_due(actor, troubled)]

    def _add(self, actor: bytes, flood: Flood) -> None:
        pane = flood.at_ms // PANE_MS
        found = self._panes.setdefault(actor, {}).setdefault(pane, {})
        name = flood.complaint_id, flood.account
        known = found.get(name)
        self._number += known is None
        if known is None or flood[:3] < known[:3]:
            found[name] = flood
            self._actors.setdefault(pane, set()).add(actor)
            self._changed[_key(actor, pane, name)] = flood

    def _is_due(self, actor: bytes, troubled: Set[bytes]) -> bool:
        if self.floor == _NEVER:
            return False
        return actor in troubled or sum(map(len, self._panes[actor].values())) >= self.floor

    def _touched(self, actor: bytes, pane: int) -> Touched:
        return Touched(f"actor:{actor.hex()}", {COMPLAINTS: self.ends_from(actor, pane)})

    def ends_from(self, actor: bytes, pane: int) -> list[int]:
        """The ends of an actor's panes with complaints, from this one on."""
        return [(each + 1) * PANE_MS for each in sorted(self._panes.get(actor, ())) if each >= pane]

    def everything(self, since_ms: int, troubled: Set[bytes]) -> list[Touched]:
        """The panes after `since_ms` of every actor with complaints enough to be judged."""
        return [self._touched(actor, since_ms // PANE_MS) for actor in self._panes if self._is_due(actor, troubled)]

    def of(self, actor: bytes) -> Panes:
        """One actor's."""
        return self._panes.get(actor, {})

    def earliest_ms(self) -> int | None:
        """The start of the oldest pane there is."""
        return min(self._actors) * PANE_MS if self._actors else None

    # -- forgetting, saving, loading

    def evict(self, closed_ms: int) -> None:
        """Forgets the complaints that no open window needs."""
        for pane in [each for each in self._actors if each < (closed_ms - WINDOW_MS) // PANE_MS]:
            for actor in self._actors.pop(pane):
                panes = self._panes[actor]
                gone = panes.pop(pane)
                self._number -= len(gone)
                self._changed.update((_key(actor, pane, name), None) for name in gone)
                if not panes:
                    del self._panes[actor]

    def changed(self) -> Iterator[tuple[bytes, bytes | None]]:
        """A record for each complaint."""
        changed, self._changed = self._changed, {}
        for key, flood in changed.items():
            yield key, None if flood is None else _ENCODER.encode(flood)

    def load(self, records: Iterable[tuple[bytes, bytes]]) -> None:
        """Takes back snapshot records; one that this release does not know raises ValueError."""
        for key, value in records:
            kind, actor, _ = _KEY.unpack_from(key)
            if kind != b"f":
                raise ValueError(f"a snapshot of actors with a record that this release does not know: {kind!r}")
            self._add(actor, _DECODER.decode(value))
        self._changed.clear()


def _key(actor: bytes, pane: int, name: Name) -> bytes:
    complaint_id, account = name
    return _KEY.pack(b"f", actor, pane) + f"{account or ''}:{complaint_id}".encode()


def both(one: list[Touched], other: list[Touched]) -> list[Touched]:
    """What two inputs of the same actors have touched, sorted."""
    ends: dict[str, dict[str, list[int]]] = {}
    for each in (*one, *other):
        ends.setdefault(each.subject, {}).update(each.ends)
    return [Touched(subject, ends[subject]) for subject in sorted(ends)]
