"""The ledger: every record of a raw partition is accounted for, or the difference is named.

Ingest counts what it read with the offset that it commits, so the count is as durable as the offset. Each machine
counts what it folded, or found too late, in its snapshot. What ingest routed and no snapshot has yet is in flight.

Where somebody else has set ingest's offset, both count anew from there. Of what is read a second time a machine says
that it has known it already.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from schemas.base import from_ms


@dataclass(frozen=True)
class SubjectLine:
    """One subject's part of a source partition: what ingest sent it, and what its machines made of it."""

    routed: int
    folded: int
    too_late: int
    known: int = 0

    @property
    def in_flight(self) -> int:
        """Routed and not in a snapshot yet; below zero something was counted twice."""
        return self.routed - self.folded - self.too_late - self.known


@dataclass(frozen=True)
class Line:
    """One raw partition. `end` is its high-water mark, `committed` how far ingest has read for good.

    base, anew_ms: from which offset the books count, and when they were begun there anew; 0 for the first books.
    problem: why there are no books, empty if there are.
    """

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
    base: int = 0
    anew_ms: int = 0
    problem: str = ""

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
        return not any(True for _ in self.why_open())

    def why_open(self) -> Iterator[str]:
        """What keeps the books from balancing, in words."""
        if self.problem:
            yield f"{self.problem}; ingest begins its books anew when it takes the partition up"
        if self.unread > 0:
            yield f"{self.unread:,} not read yet"
        elif self.unread < 0:
            yield f"the committed offset is {-self.unread:,} past the end"
        if self.unexplained:
            yield f"{self.unexplained:+,} read that ended nowhere, which is a defect"
        for name, subject in self.subjects.items():
            if subject.in_flight > 0:
                yield f"{subject.in_flight:,} in flight to {name}"
            elif subject.in_flight < 0:
                yield (
                    f"{name} has counted {-subject.in_flight:,} more than ingest's books hold, which can never balance "
                    "again if ingest's committed offset was deleted"
                )

    def remark(self) -> str:
        """What has to be known to read the line; nothing, usually."""
        if not self.anew_ms:
            return ""
        known = sum(subject.known for subject in self.subjects.values())
        return (
            f"{self.topic}/{self.partition}: the books begin at offset {self.base:,}, since at "
            f"{from_ms(self.anew_ms):%Y-%m-%d %H:%M:%S} UTC ingest had to begin where it had committed nothing itself; "
            f"of the rows sent since, the indicators had {known:,} from before"
        )


def closed(lines: Iterable[Line]) -> bool:
    """Whether the books balance everywhere."""
    return all(line.closed for line in lines)
