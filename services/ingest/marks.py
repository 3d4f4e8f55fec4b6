"""Marks: ingest's word, once a second, on how far it has read. They move the time of all that follows."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal

from schemas.events import EVENTS
from schemas.frames import FORMAT, Anew, Mark, Read, source_of

Clock = Literal["wall", "events"]

EVERY_S: Final = 1.0
"""Between two marks while nothing else asks for one."""


def roster(partitions: int) -> list[int]:
    """Every source partition there is."""
    return [source_of(topic, partition) for topic in EVENTS for partition in range(partitions)]


@dataclass(frozen=True, slots=True)
class Progress:
    """How far one source partition has been read, all of it acknowledged.

    append_ms: the largest append time read. event_ms: the time read on the `events` clock. caught_up_ms: the wall time
    from before the broker was asked and answered that there is nothing more. None where there is none. anew: if its
    books were begun anew.
    """

    source: int
    next: int
    append_ms: int | None = None
    event_ms: int | None = None
    caught_up_ms: int | None = None
    anew: Anew | None = None


def read_time(progress: Progress, clock: Clock) -> int | None:
    """The time up to which nothing of a source is missing, None while that is unknown."""
    if clock == "events":
        return progress.event_ms
    known = [at for at in (progress.append_ms, progress.caught_up_ms) if at is not None]
    return max(known) if known else None


@dataclass(frozen=True, slots=True)
class PolicyInMarks:
    """The policy that marks carry: its label, and its document as JSON when it has to be told."""

    label: str
    document: bytes | None = None


def build(wall_ms: int, clock: Clock, partitions: int, owned: Iterable[Progress], policy: PolicyInMarks) -> Mark:
    """One mark; the same goes to every partition of every subject."""
    told = sorted(owned, key=_source)
    reads = [Read(each.source, each.next, at) for each in told if (at := read_time(each, clock)) is not None]
    anew = [each.anew for each in told if each.anew is not None]
    return Mark(FORMAT, wall_ms, clock, roster(partitions), reads, policy.label, policy.document, anew)


def _source(progress: Progress) -> int:
    return progress.source
