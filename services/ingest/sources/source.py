"""One source partition as ingest sees it: what it has read, remembers and counts."""

from bisect import bisect_left
from dataclasses import dataclass
from itertools import compress

from schemas.dead_letters import DeadLetter
from schemas.frames import END_OF_SOURCE, source_of
from services.ingest.frames.routing import Router, Rows
from services.ingest.marks import Clock
from services.ingest.reading.duplicates import Duplicates, window_of
from services.ingest.reading.judging import Judge, Judged
from services.ingest.reading.records import Records
from services.ingest.sources.ledger import Ledger
from services.ingest.sources.quarantine import BadLimit, BadShare, Seal, dead_letter


@dataclass(frozen=True, slots=True)
class Taken:
    """What a slice gave besides its rows. pause_s: leave the partition alone for so long, None to go on."""

    dead: list[DeadLetter]
    pause_s: float | None = None


class Source:
    """One source partition, from the offset on that its ledger belongs to.

    next: the offset up to which all has been taken. Reading begins earlier (`remember_since_ms`), so that ids which may
    come again are known.
    """

    def __init__(
        self,
        topic: str,
        partition: int,
        clock: Clock,
        limit: BadLimit,
        next_offset: int = 0,
        ledger: Ledger | None = None,
    ) -> None:
        self.topic = topic
        self.partition = partition
        self.source = source_of(topic, partition)
        self.next = next_offset
        self.ledger = ledger or Ledger()
        self._clock = clock
        self._judge = Judge(topic, clock)
        self._duplicates = Duplicates(window_of(topic))
        self._bad_share = BadShare(limit)

    @property
    def remembers(self) -> bool:
        """Whether any record has been seen."""
        return self._duplicates.began

    def remember_since_ms(self) -> int | None:
        """The append time from which on ids have to be remembered; None for the beginning of a partition."""
        newest = self.ledger.append_ms
        return None if newest is None else newest - window_of(self.topic)

    def take(self, records: Records, router: Router, rows: Rows, seal: Seal) -> Taken:
        """Takes in the next records, adds their rows, and counts. Those before `next` are remembered only."""
        known = bisect_left(records.offsets, self.next)
        if known:
            past = self._judge.judge(records.head(known))
            self._duplicates.note(_ids(past), past.stamps)
            records = records.tail(known)
        if records.next <= self.next:
            return Taken([])
        judged = self._judge.judge(records)
        pause_s = None
        cut = self._bad_share.note(len(records), list(judged.bad))
        if cut is not None:
            pause_s = self._bad_share.pause()
            records = records.head(cut)
            judged = self._judge.judge(records)
        self._count(records, judged, router, rows)
        rows.close(self.source, self.next, records.next)
        self.next = records.next
        return Taken(self._dead(records, judged, seal), pause_s)

    def _count(self, records: Records, judged: Judged, router: Router, rows: Rows) -> None:
        """Sorts out duplicates, routes the rest, keeps the books."""
        ledger = self.ledger
        if records.stamps:
            ledger.moved(append_ms=max(records.stamps))
        if self._clock == "events":
            self._move_event_time(judged)
        ledger.read += len(records)
        ledger.dead += len(judged.bad)
        ledger.control += len(judged.controls)
        repeated = self._duplicates.note(_ids(judged), judged.stamps)
        if repeated:
            _drop(judged, repeated)
        ledger.routed += router.route(rows, self.topic, judged.events, judged.offsets, judged.times)
        ledger.duplicate += len(repeated)
        ledger.valid += len(judged.events)

    def _move_event_time(self, judged: Judged) -> None:
        if judged.times:
            self.ledger.moved(event_ms=max(judged.times))
        for told in judged.controls:
            self.ledger.moved(event_ms=self._ended_ms() if told is None else told)

    def _ended_ms(self) -> int:
        """Ended, and where: who is told of nothing in between has to know how much time has passed."""
        read_ms = max(self.ledger.event_ms or 0, 0)  # a date of 1900 must not make it look like one that goes on
        return read_ms if read_ms >= END_OF_SOURCE else END_OF_SOURCE + read_ms

    def _dead(self, records: Records, judged: Judged, seal: Seal) -> list[DeadLetter]:
        return [
            dead_letter(
                self.topic,
                self.partition,
                records.offsets[index],
                records.stamps[index],
                records.values[index],
                problems,
                seal,
            )
            for index, problems in judged.bad.items()
        ]


def _ids(judged: Judged) -> list[str]:
    return [event.event_id for event in judged.events]


def _drop(judged: Judged, indices: list[int]) -> None:
    """Takes the events with these indices out."""
    kept = bytearray(b"\1") * len(judged.events)
    for index in indices:
        kept[index] = 0
    judged.events = list(compress(judged.events, kept))
    judged.offsets = list(compress(judged.offsets, kept))
    judged.stamps = list(compress(judged.stamps, kept))
    judged.times = list(compress(judged.times, kept))
