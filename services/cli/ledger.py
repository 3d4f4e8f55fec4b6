"""The ledger: every record of a raw partition is accounted for, or the difference is named.

Ingest counts what it read with the offset that it commits, so the count is as durable as the offset. Each machine
counts what it folded, or found too late, in its snapshot. What ingest routed and no snapshot has yet is in flight.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class SubjectLine:
    """One subject's part of a source partition: what ingest sent it, and what its machines made of it."""

    routed: int
    folded: int
    too_late: int

    @property
    def in_flight(self) -> int:
        """Routed and not in a snapshot yet; below zero something was counted twice."""
        return self.routed - self.folded - self.too_late


@dataclass(frozen=True)
class Line:
    """One raw partition. `end` is its high-water mark, `committed` how far ingest has read for good."""

    topic: str
    partition: int
    start: int
    end: int
    committed: int
    read: int
    valid: int
    duplicate: int
    dead: int
    control: int
    subjects: Mapping[str, SubjectLine]

    @property
    def unread(self) -> int:
        """Records that ingest has not committed yet."""
        return self.end - self.committed

    @property
    def unexplained(self) -> int:
        """Records read that ended nowhere; anything but zero is a defect."""
        return self.read - self.valid - self.duplicate - self.dead - self.control

    @property
    def closed(self) -> bool:
        """Whether every record is accounted for, to the last one."""
        settled = all(subject.in_flight == 0 for subject in self.subjects.values())
        return self.unread == 0 and self.unexplained == 0 and settled


def closed(lines: Iterable[Line]) -> bool:
    """Whether the books balance everywhere."""
    return all(line.closed for line in lines)
