"""A source partition that this process owns: where reading stands, and whether it is read at all. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, TypeVar

from schemas.frames import Anew
from services.ingest.marks import Clock, Progress
from services.ingest.reading.records import Records
from services.ingest.sources.ledger import Ledger, LedgerError, from_metadata
from services.ingest.sources.quarantine import BadLimit
from services.ingest.sources.source import Source

Key = TypeVar("Key")

PORTION_BYTES: Final = 3 * 1024 * 1024
"""A row is smaller than its event, so a portion's frames stay below the largest message."""


@dataclass(slots=True)
class Owned:
    """position: the next offset to fetch, below `source.next` while ids are being remembered. end: of the log, as last
    told. caught_up_ms: the wall time of the question that found nothing more. resume_at: when (seconds, monotonic) to
    read it again, None while it is read. lost: why it can never be read, empty if it can.
    """

    source: Source
    position: int
    end: int = 0
    caught_up_ms: int | None = None
    resume_at: float | None = None
    lost: str = ""
    note: str = ""

    @property
    def name(self) -> str:
        """`topic/partition`, for people."""
        return f"{self.source.topic}/{self.source.partition}"

    @property
    def reading(self) -> bool:
        """Whether it is to be fetched."""
        return self.resume_at is None and not self.lost

    @property
    def behind(self) -> bool:
        """Whether more is known to wait."""
        return self.reading and self.position < self.end

    def remember_since_ms(self) -> int | None:
        """The append time from which on to look back, for a partition that has just been taken up; else None."""
        return None if self.lost or self.source.remembers else self.source.remember_since_ms()

    def told(self, begin: int, end: int, *, lost: bool) -> bool:
        """Takes in where the log begins and ends, and whether `position` is outside; whether there is more to do."""
        self.end = end if end >= 0 else self.end
        if not lost:
            return True
        self.caught_up_ms = None
        if self.position < begin <= self.source.next:
            self.position = begin  # what was to be remembered has expired
        else:
            self.lost = f"the offset {self.position} is outside of the log, which begins at {begin}"
        return False

    def look_whether_caught_up(self, asked_ms: int) -> None:
        """All that the last answer held has been taken."""
        complete = self.reading and self.position >= self.end and self.position >= self.source.next
        self.caught_up_ms = asked_ms if complete else None

    def progress(self) -> Progress:
        """For a mark."""
        ledger = self.source.ledger
        anew = Anew(self.source.source, ledger.anew_ms, ledger.base) if ledger.anew_ms else None
        times = ledger.append_ms, ledger.event_ms, self.caught_up_ms
        return Progress(self.source.source, self.source.next, *times, anew)


def own(
    topic: str,
    partition: int,
    clock: Clock,
    limit: BadLimit,
    begin: int,
    committed: tuple[int, str] | None,
    now_ms: int,
) -> Owned:
    """A partition as its committed offset and metadata say, None for none; `begin` is where its log begins.

    An offset that ingest did not commit is taken, as somebody's wish to have it read from there, and the books begin
    anew.
    """
    if committed is None:
        note = f"no offset is committed, reading begins at {begin}" if begin else ""
        first = Ledger(base=begin, anew_ms=now_ms) if begin else Ledger()
        return Owned(Source(topic, partition, clock, limit, begin, first), begin, note=note)
    offset, metadata = committed
    note = ""
    try:
        ledger = from_metadata(metadata, offset)
    except LedgerError as error:
        note = f"{error}: the books begin anew at {offset}, and repeats of what was read before it are not known"
        ledger = Ledger(base=offset, anew_ms=now_ms)
    owned = Owned(Source(topic, partition, clock, limit, offset, ledger), offset, note=note)
    if offset < begin:
        owned.lost = (
            f"the committed offset {offset} is below the log's start {begin}: {begin - offset} records are lost"
        )
    return owned


def portions(answers: Mapping[Key, Records]) -> Iterator[dict[Key, Records]]:
    """The answers of one poll in parts whose frames are not too large, in order; nearly always one."""
    if sum(len(value) for records in answers.values() for value in records.values if value) <= PORTION_BYTES:
        yield dict(answers)
        return
    portion: dict[Key, Records] = {}
    room = PORTION_BYTES
    for key, records in answers.items():
        rest = records
        while len(rest):
            count, weight = _fitting(rest, room)
            if count == 0 and portion:
                yield portion
                portion, room = {}, PORTION_BYTES
                continue
            count = max(count, 1)
            portion[key] = rest.head(count)
            room -= weight
            if count == len(rest):
                break
            rest = rest.tail(count)
            yield portion
            portion, room = {}, PORTION_BYTES
        else:
            portion[key] = rest
    if portion:
        yield portion


def _fitting(records: Records, room: int) -> tuple[int, int]:
    """How many of the first records fit into so many bytes, and what they take."""
    weight = sum(map(len, filter(None, records.values)))
    if weight <= room:
        return len(records), weight
    taken = 0
    for count, value in enumerate(records.values):
        size = len(value or b"")
        if taken + size > room:
            return count, taken
        taken += size
    return len(records), taken
