"""Actors: who clicks and complains how often, in panes of five seconds. There may be a million of them, most with one
click.

So the clicks stay in the columns in which they came, and of each actor only one number is kept up to date: at most how
many clicks it may have in any window. Only a suspect, whose number reaches what a rule cares about, is looked at click
by click. Snapshots leave the clicks out; a restart folds the last stretch of the log again. Complaints by one click are
kept beside them: see floods.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from schemas.frames import RAW_TOPIC_ORDER, ActorFrame, AnyFrame, int32, int64
from schemas.topics import CHANNEL_EVENTS, COMPLAINT_EVENTS
from services.indicators.standing import CLOSE_AFTER_MS, Admission, Ledger, Standing
from services.indicators.subjects.actor_view import ActorView
from services.indicators.subjects.clicks import NAME_BYTES, PANE_MS, Int64, Kept, Pane, Suspect
from services.indicators.subjects.floods import COMPLAINTS, Floods, both
from services.indicators.subjects.store import OnlyByEvents, Surroundings, Touched

WINDOW_MS: Final = 60_000
"""The longest trailing window of clicks; with the pane of the moment itself it is thirteen panes."""
MOST_ROWS: Final = 2_000_000
"""How many clicks and complaints of a partition are kept while time stands still, because one of its sources does.
Clicks take 0.6 GB if each is of another actor; at 1,000 clicks a second they are half an hour."""
CLICKS: Final = "clicks"
_ALWAYS: Final = -(2**62)
_NEVER: Final = 2**62


class ActorStore(OnlyByEvents):
    """The clicks and complaints of all actors of one partition, as long as a window needs them. Windows only shrink
    without events."""

    kind = "actor"
    pane_ms = PANE_MS
    feeds = frozenset(map(RAW_TOPIC_ORDER.index, (CHANNEL_EVENTS, COMPLAINT_EVENTS)))
    rebuilt = True
    inputs = frozenset({CLICKS, COMPLAINTS})

    def __init__(self, most_rows: int = MOST_ROWS) -> None:
        self._most_rows = most_rows
        self._rows = 0
        self._slots: dict[bytes, int] = {}
        self._names: list[bytes | None] = []
        self._free: list[int] = []
        self._weight: Int64 = np.zeros(1024, np.int64)
        self._close = np.zeros(1024, np.bool_)  # the suspects, and those in trouble
        self._troubled: set[bytes] = set()
        self._kept: deque[Kept] = deque()
        self._suspects: dict[int, Suspect] = {}
        self._floods = Floods()
        self._floor: int = _NEVER
        self._oldest_ms = _ALWAYS

    def watch(self, floors: Mapping[str, int]) -> None:
        """From how many clicks, and how many complaints, on an actor is judged."""
        self._floor = floors.get(CLICKS, _NEVER)
        self._floods.floor = floors.get(COMPLAINTS, _NEVER)

    def follow(self, subject: str, troubled: bool) -> None:
        """An actor in trouble is judged with every click and complaint."""
        name = bytes.fromhex(subject.removeprefix("actor:"))
        (self._troubled.add if troubled else self._troubled.discard)(name)
        if troubled and (slot := self._slots.get(name)) is not None:
            self._close[slot] = True

    # -- folding

    def fold(self, offset: int, frame: AnyFrame, standing: Standing, ledger: Ledger | None) -> list[Touched]:
        """Adds the new clicks and complaints of a frame."""
        if not isinstance(frame, ActorFrame):
            raise TypeError(f"a {type(frame).__name__} on the log of actors")
        admission = standing.admit(frame.slices, frame.offset)
        clicks = self._fold_clicks(offset, frame, admission, standing, ledger) if frame.offset else []
        if not frame.complaints:
            return clicks
        return both(clicks, self._floods.fold(frame, admission, standing, ledger, self._troubled))

    def _fold_clicks(
        self, offset: int, frame: ActorFrame, admission: Admission, standing: Standing, ledger: Ledger | None
    ) -> list[Touched]:
        at = int64(frame.at_ms)
        mask = admission.in_time(frame.slices, at, _oldest(standing), ledger)
        local, rows = int32(frame.actor), None
        if mask is not None:
            rows = np.flatnonzero(mask)
            if not len(rows):
                return []
            at, local = at[rows], local[rows]
        slot = self._slots_of(frame.actors, local, partial=mask is not None)
        newest = int(at.max())
        standing.newest_ms = max(standing.newest_ms, newest)
        kept = Kept(offset, newest, frame, slot, rows)
        self._kept.append(kept)
        self._rows += len(slot)
        np.add.at(self._weight, slot, kept.weight())
        return self._judge_again(kept, at)

    def _slots_of(self, joined: bytes, local: NDArray[np.int32], *, partial: bool) -> NDArray[np.int32]:
        """The slot of each row; an actor of whose rows none is new gets none."""
        names: list[bytes] = np.frombuffer(joined, f"V{NAME_BYTES}").tolist()
        slots: list[int | None] = list(map(self._slots.get, names))
        if None in slots:
            used = set(local.tolist()) if partial else None
            for index, slot in enumerate(slots):
                if slot is None:
                    slots[index] = self._new_slot(names[index]) if used is None or index in used else 0
        return np.array(slots, np.int32)[local]

    def _new_slot(self, name: bytes) -> int:
        slot = self._slots.get(name)
        if slot is not None:
            return slot
        if self._free:
            slot = self._free.pop()
            self._names[slot] = name
        else:
            slot = len(self._names)
            self._names.append(name)
            if slot == len(self._weight):
                self._weight = np.concatenate((self._weight, np.zeros_like(self._weight)))
                self._close = np.concatenate((self._close, np.zeros_like(self._close)))
        self._slots[name] = slot
        self._close[slot] = name in self._troubled
        return slot

    def _judge_again(self, kept: Kept, at: Int64) -> list[Touched]:
        """Those of a frame's actors that may be in trouble, with the panes from the earliest one touched."""
        close = (self._weight[kept.slot] >= self._floor) | self._close[kept.slot]
        if not close.any():
            return []
        earliest: dict[int, int] = {}
        for each, moment in zip(kept.slot[close].tolist(), at[close].tolist(), strict=True):
            earliest[each] = min(moment, earliest.get(each, moment))
        known = self._suspects.keys() & earliest.keys()
        self._look_at(known, [kept])
        self._suspect(earliest.keys() - known)
        due = [self._touched(each, moment // PANE_MS) for each, moment in earliest.items() if self._is_due(each)]
        return sorted(due, key=lambda each: each.subject)

    def _is_due(self, slot: int) -> bool:
        """Whether an actor is to be judged. Not every suspect is, but that depends on what was restarted when."""
        return self._floor < _NEVER and (self._weight[slot] >= self._floor or self._names[slot] in self._troubled)

    def _touched(self, slot: int, pane: int) -> Touched:
        ends = [(number + 1) * PANE_MS for number in sorted(self._suspects[slot]) if number >= pane]
        return Touched(f"actor:{(self._names[slot] or b'').hex()}", {CLICKS: ends})

    def _suspect(self, slots: Iterable[int]) -> None:
        """Looks at these actors click by click from now on."""
        if new := [slot for slot in slots if slot not in self._suspects]:
            self._suspects.update((slot, {}) for slot in new)
            self._close[new] = True
            self._look_at(new, self._kept)

    def _look_at(self, slots: Iterable[int], frames: Iterable[Kept]) -> None:
        """Adds the clicks of these suspects; one pass over the frames for all of them."""
        if not (chosen := list(slots)):
            return
        wanted = np.zeros(len(self._weight), np.bool_)
        wanted[chosen] = True
        for kept in frames:
            for slot, click in kept.clicks(wanted):
                if click.at_ms >= self._oldest_ms:
                    self._suspects[slot].setdefault(click.at_ms // PANE_MS, Pane()).add(click)

    def everything(self, since_ms: int) -> list[Touched]:
        """The panes after `since_ms` of every actor with clicks or complaints enough to be judged."""
        self._suspect(np.flatnonzero(self._weight[: len(self._names)] >= self._floor).tolist())
        found = [self._touched(slot, since_ms // PANE_MS) for slot in self._suspects if self._is_due(slot)]
        return both([each for each in found if each.ends[CLICKS]], self._floods.everything(since_ms, self._troubled))

    # -- looking

    def earliest_ms(self) -> int | None:
        """The start of the oldest pane there is."""
        clicks = [int(int64(each.frame.at_ms).min()) // PANE_MS * PANE_MS for each in self._kept]
        complaints = self._floods.earliest_ms()
        return min(clicks + ([] if complaints is None else [complaints]), default=None)

    def later(self, subject: str, end_ms: int) -> list[int]:
        """The ends of the actor's later panes with clicks or complaints."""
        name = bytes.fromhex(subject.removeprefix("actor:"))
        slot, pane = self._slots.get(name), end_ms // PANE_MS
        panes = self._suspects.get(slot, {}) if slot is not None else {}
        clicks = ((number + 1) * PANE_MS for number in panes if number >= pane)
        return sorted({*clicks, *self._floods.ends_from(name, pane)})

    def view(self, subject: str, around: Surroundings) -> ActorView:
        """One actor to look at."""
        name = bytes.fromhex(subject.removeprefix("actor:"))
        slot, floods = self._slots.get(name), self._floods.of(name)
        if slot is None:
            return ActorView({}, floods)
        if slot not in self._suspects:
            troubled = [each for each in map(self._slots.get, self._troubled) if each is not None]
            self._suspect([slot, *troubled])
        return ActorView(self._suspects[slot], floods)

    # -- forgetting, saving, loading

    def overfull_ms(self, newest_ms: int) -> int | None:
        """Up to where panes have to close so that about half of the events can be forgotten, oldest first, when there
        are too many. Never further than if all sources had been read up to the newest one."""
        if self._rows + len(self._floods) <= self._most_rows:
            return None
        at = np.concatenate([*(each.at_ms() for each in self._kept), self._floods.times()])
        at = at[at >= self._oldest_ms]  # whatever else its frames hold, so that it does not matter how they were cut
        if len(at) <= self._most_rows:
            return None
        place = len(at) - self._most_rows // 2
        first = int(np.partition(at, place)[place]) // PANE_MS * PANE_MS + PANE_MS
        return min(first + WINDOW_MS, (newest_ms - CLOSE_AFTER_MS) // PANE_MS * PANE_MS)

    def evict(self, closed_ms: int) -> None:
        """Forgets the clicks that no open window needs, frame by frame, and the complaints."""
        self._floods.evict(closed_ms)
        self._oldest_ms = closed_ms - WINDOW_MS
        kept = self._kept
        if any(each.newest_ms < self._oldest_ms for each in kept):
            self._kept = deque(each for each in kept if each.newest_ms >= self._oldest_ms)
            self._release([each for each in kept if each.newest_ms < self._oldest_ms])
        first = self._oldest_ms // PANE_MS
        for panes in self._suspects.values():
            for number in [each for each in panes if each < first]:
                del panes[number]

    def _release(self, frames: list[Kept]) -> None:
        """Takes the clicks of these frames off, and frees the slots of those who have none left."""
        slots = np.concatenate([each.slot for each in frames])
        self._rows -= len(slots)
        np.subtract.at(self._weight, slots, np.concatenate([each.weight() for each in frames]))
        idle = np.zeros(len(self._weight), np.bool_)
        idle[slots] = True
        for slot in np.flatnonzero(idle & (self._weight == 0)).tolist():
            self._suspects.pop(slot, None)
            self._close[slot] = False
            name, self._names[slot] = self._names[slot], None
            if name is not None:
                del self._slots[name]
                self._free.append(slot)

    def oldest_offset(self) -> int | None:
        """The oldest frame on the log that is still in memory; they are kept in the log's order."""
        return self._kept[0].log_offset if self._kept else None

    def changed(self) -> Iterator[tuple[bytes, bytes | None]]:
        """The complaints: the clicks are folded again."""
        return self._floods.changed()

    def load(self, records: Iterable[tuple[bytes, bytes]]) -> None:
        """Takes back the complaints."""
        self._floods.load(records)


def _oldest(standing: Standing) -> int:
    return _ALWAYS if standing.closed_ms is None else standing.closed_ms - WINDOW_MS
