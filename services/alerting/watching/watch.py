"""The watchdog: whether every reader gets on with its log. Judged by progress against the log, never by a ping.

A look is what the broker knows at one moment. A trouble opens after it has lasted, and is over after all has been well
for a while; what is neither (a reader just started to be watched) changes nothing. What stands is not remembered here
but read from the machine of `alerts`, so that a restart opens nothing twice and closes nothing early.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Literal

Kind = Literal["dead_ingest", "stalled", "lagging", "policy_unused"]
At = tuple[str, int]
"""A topic and a partition."""
INGEST: Final = "ingest"
POLICY: Final = "policy"
BLIND_S: Final = 20.0
"""After so long without a look (no broker, a frozen process) nothing that was seen before counts."""


@dataclass(frozen=True, slots=True)
class Place:
    """How far a reader is on one partition. position: the next offset that it has not committed. saved: where its
    snapshots end, if it makes any. late: whether what it reads next was appended too long ago."""

    end: int
    position: int
    saved: int = 0
    late: bool = False

    @property
    def arrived(self) -> bool:
        """There is nothing to read."""
        return self.position >= self.end


@dataclass(frozen=True, slots=True)
class Look:
    """What the broker knows. at_s: seconds that never go back. frames: the ends of all frames partitions, added up.
    published: the policy that is to be in force. marked: the policies that the newest marks carry, if any were seen."""

    at_s: float
    frames: int
    readers: Mapping[str, Mapping[At, Place]]
    published: str | None = None
    marked: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Limits:
    """In seconds: how long without a mark, without any progress, behind the log, or with another policy; and how long
    all must be well again."""

    dead_s: float
    stalled_s: float
    lagging_s: float
    policy_s: float
    calm_s: float


@dataclass(frozen=True, slots=True)
class Trouble:
    """One kind of trouble of one service. Neither bad nor well: not known yet. for_s: how long it has been bad."""

    kind: Kind
    service: str
    bad: bool
    well: bool
    places: tuple[At, ...] = ()
    for_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Standing:
    """An alert of the watchdog that is open; `told` is the number of its newest fact."""

    alert_id: str
    kind: str
    service: str
    level: int
    told: int


@dataclass(frozen=True, slots=True)
class Step:
    """Something to tell: a trouble without an alert, with one that says too little, or with one that is over."""

    what: Literal["open", "updated", "resolved"]
    trouble: Trouble
    standing: Standing | None = None


class Watch:
    """Compares looks."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._last_s: float | None = None
        self._moves: dict[tuple[str, At | None], _Move] = {}
        self._bad_since: dict[tuple[str, str], float] = {}
        self._well_since: dict[tuple[str, str], float] = {}

    def look(self, look: Look, standing: Iterable[Standing]) -> list[Step]:
        """What there is to tell now."""
        if self._last_s is not None and look.at_s - self._last_s > BLIND_S:
            self._moves, self._bad_since, self._well_since = {}, {}, {}
        self._last_s = look.at_s
        known: dict[tuple[str, str], list[Standing]] = {}
        for each in standing:
            known.setdefault((each.kind, each.service), []).append(each)
        return [step for trouble in self._troubles(look) for step in self._steps(trouble, known, look.at_s)]

    # -- what is wrong

    def _troubles(self, look: Look) -> Iterator[Trouble]:
        marks = self._move((INGEST, None), look.frames, look.at_s)
        dead = look.frames > 0 and marks.still_s(look.at_s) >= self._limits.dead_s
        yield Trouble("dead_ingest", INGEST, dead, marks.moved(look.at_s), (), marks.still_s(look.at_s))
        for service, places in look.readers.items():
            if not (service == INGEST and dead):  # a dead one stands still as well, which needs no second alert
                yield from self._reading(service, places, look.at_s)
        if look.published is not None and look.marked and not dead:
            other = look.marked != {look.published}
            yield Trouble("policy_unused", POLICY, other, not other)

    def _reading(self, service: str, places: Mapping[At, Place], now: float) -> Iterator[Trouble]:
        """Stalled: there is something to read, and nothing moves. Lagging: it moves, but far behind.

        What has not moved for half as long as that is neither: progress is seen at snapshots only.
        """
        limit = self._limits.stalled_s
        stuck: list[At] = []
        longest, well = 0.0, True
        for at, place in places.items():
            move = self._move((service, at), (place.position, place.saved), now, arrived=place.arrived)
            if (still := move.still_s(now)) >= limit:
                stuck.append(at)
                longest = max(longest, still)
            well &= move.seen and still < limit / 2
        late = tuple(at for at, place in places.items() if place.late)
        yield Trouble("stalled", service, bool(stuck), well, tuple(stuck), longest)
        if not stuck:
            yield Trouble("lagging", service, bool(late), not late, late)

    def _move(self, key: tuple[str, At | None], position: object, now: float, *, arrived: bool = False) -> "_Move":
        before = self._moves.get(key)
        if before is None:
            now_at = _Move(position, now, seen=arrived)
        elif arrived or position != before.position:
            now_at = _Move(position, now, seen=True)
        else:
            now_at = before
        self._moves[key] = now_at
        return now_at

    # -- what to tell

    def _steps(self, trouble: Trouble, known: Mapping[tuple[str, str], list[Standing]], now: float) -> Iterator[Step]:
        key = (trouble.kind, trouble.service)
        bad_s = _lasting(self._bad_since, key, trouble.bad, now)
        well_s = _lasting(self._well_since, key, trouble.well, now)
        alerts = known.get(key, [])
        if trouble.bad and bad_s >= self._patience_s(trouble.kind):
            if not alerts:
                yield Step("open", trouble)
            elif len(trouble.places) > max(each.level for each in alerts):
                yield Step("updated", trouble, alerts[-1])
        elif trouble.well and well_s >= self._limits.calm_s:
            yield from (Step("resolved", trouble, each) for each in alerts)

    def _patience_s(self, kind: Kind) -> float:
        """How long it must have been bad; of what stands still that is part of being bad."""
        return {"lagging": self._limits.stalled_s, "policy_unused": self._limits.policy_s}.get(kind, 0.0)


@dataclass(frozen=True, slots=True)
class _Move:
    """Where something was when it last moved, or was first looked at (then it has not been seen to move)."""

    position: object
    at_s: float
    seen: bool

    def still_s(self, now: float) -> float:
        """How long it has stood still."""
        return now - self.at_s

    def moved(self, now: float) -> bool:
        """Whether this look saw it move."""
        return self.seen and self.at_s == now


def _lasting(since: dict[tuple[str, str], float], key: tuple[str, str], holds: bool, now: float) -> float:
    """For how long something has held, each time that it was looked at."""
    if not holds:
        since.pop(key, None)
        return 0.0
    return now - since.setdefault(key, now)
