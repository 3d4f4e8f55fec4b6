"""What a subject's runtime needs from its store: folding, views and snapshots. Judging is not its job."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Protocol

from schemas.frames import AnyFrame
from schemas.policy import Policy
from services.indicators.standing import Ledger, Standing
from services.indicators.windows.days import Days
from services.runtime.calendar import Calendar


@dataclass(frozen=True, slots=True)
class Note:
    """Something for the audit, whatever the rules make of it. place: of its event in the raw topics, as in ids."""

    what: str
    place: str
    detail: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Touched:
    """A subject that new events belong to: by input, the moments (ms) as of which to judge it again, oldest first: the
    ends of panes, or where an event may undo another's effect, right after each."""

    subject: str
    ends: Mapping[str, list[int]]
    note: Note | None = None


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What views and rules need of the policy besides figures: its days, its directory, its words."""

    policy: Policy
    days: Days
    calendar: Calendar
    max_silence_ms: int

    @classmethod
    def under(cls, policy: Policy) -> "Surroundings":
        """Those of a policy."""
        calendar = Calendar(policy.calendar, policy.time_zone)
        return cls(policy, Days(policy.time_zone), calendar, policy.max_silence // timedelta(milliseconds=1))


class View(Protocol):
    """One subject as a rule sees it."""

    def sources(self) -> list[tuple[int, int, int]]:
        """`(source, from, to)`: where the events lie that were looked at through this view."""
        ...


class Store(Protocol):
    """The windows of all subjects of one kind."""

    kind: str
    pane_ms: int
    feeds: frozenset[int]
    """The raw topics, by number, that its events come from: their sources make its time."""
    rebuilt: bool
    """Whether snapshots leave the events out, so that a restart has to fold a stretch of the log again."""
    inputs: frozenset[str]
    """What a rule may say that it reads."""

    def watch(self, floors: Mapping[str, int]) -> None:
        """Which inputs are judged at once, each from which number on; before the first, and after every change."""
        ...

    def follow(self, subject: str, troubled: bool) -> None:
        """A subject got into trouble, or out of it: one in trouble is judged with every event of its own."""
        ...

    def fold(self, offset: int, frame: AnyFrame, standing: Standing, ledger: Ledger | None) -> Iterable[Touched]:
        """Adds the new events of a frame; what has to be judged at once, in order. Late ones go to the ledger only.

        A generator, where each event is to be judged before the next is added; it is always exhausted.
        """
        ...

    def everything(self, since_ms: int) -> list[Touched]:
        """What there is to judge when the figures have changed: the newest panes that end after `since_ms`."""
        ...

    def earliest_ms(self) -> int | None:
        """The start of the oldest pane there is."""
        ...

    def standing_subjects(self, reads: Collection[str]) -> Iterable[str]:
        """The subjects whose ratios to judge whenever a pane closes, by a rule that reads this: at least those of which
        any of it is kept. Those in trouble are judged anyway."""
        ...

    def waiting(self, horizons: Mapping[str, int]) -> Iterable[str]:
        """The subjects that a rule wants to look at because time has passed: see Rule.horizons."""
        ...

    def idle(self) -> bool:
        """Whether the close of a pane finds nothing to judge but what is in trouble already."""
        ...

    def later(self, subject: str, end_ms: int) -> list[int]:
        """The moments after this one at which a subject that has just cleared may be in breach: those with events."""
        ...

    def view(self, subject: str, around: Surroundings) -> View:
        """One subject to look at, empty if nothing is known of it."""
        ...

    def overfull_ms(self, newest_ms: int) -> int | None:
        """Up to where panes have to close for want of room, whatever the clock says; None while there is room.

        A function of the events before the mark, never of the frames in which they came.
        """
        ...

    def evict(self, closed_ms: int) -> None:
        """Forgets what no window needs any more when panes have closed up to this time."""
        ...

    def oldest_offset(self) -> int | None:
        """The offset of the oldest record of the log that a rebuild needs; None for no record."""
        ...

    def changed(self) -> Iterator[tuple[bytes, bytes | None]]:
        """Snapshot records."""
        ...

    def load(self, records: Iterable[tuple[bytes, bytes]]) -> None:
        """Takes back snapshot records."""
        ...


class OnlyByEvents:
    """What a store answers whose subjects get into no trouble without an event of their own."""

    def standing_subjects(self, reads: Collection[str]) -> Iterable[str]:
        """None."""
        return ()

    def waiting(self, horizons: Mapping[str, int]) -> Iterable[str]:
        """None."""
        return ()

    def idle(self) -> bool:
        """Always."""
        return True
