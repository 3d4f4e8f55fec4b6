"""The whole path of an event in one process and on virtual time: ingest's judging and routing, then the machines.

The code is that of the services; what is missing is Kafka. A partition of each subject stands for all of them, since
what happens to one subject never depends on another.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from schemas import frames
from schemas.frames import FORMAT, RAW_TOPIC_ORDER, Mark, Read, SubjectFrame, source_of
from schemas.policy import Policy
from services.cli.archive import naming
from services.indicators.machine import STORES, IndicatorMachine, build
from services.ingest.frames.routing import Router, Rows
from services.ingest.reading.records import Records
from services.ingest.sources.quarantine import BadLimit
from services.ingest.sources.source import Source
from services.runtime.machines.machine import Output, Record

_NEVER_PAUSED: Final = BadLimit(least=2**62)
_ROSTER: Final = [source_of(topic, 0) for topic in RAW_TOPIC_ORDER]


@dataclass(frozen=True, slots=True)
class RawRecord:
    """One record of a raw topic. stamp_ms: the broker's append time; for history from a file, the event's own time."""

    topic: str
    partition: int
    offset: int
    stamp_ms: int
    value: bytes | None


class Pipeline:
    """Ingest and the indicators under one policy.

    key: of the pseudonyms; with that of the live system, actors and accounts are called the same. archived: the events
    carry pseudonyms under this key already. heard: is shown every frame. counts: how many records were read, and how
    many of them were no events (dead).
    """

    def __init__(
        self,
        policy: Policy,
        key: bytes,
        subjects: Iterable[str] = STORES,
        *,
        archived: bool = False,
        heard: Callable[[SubjectFrame], None] | None = None,
    ) -> None:
        self.machines: dict[str, IndicatorMachine] = {subject: build(subject, 0) for subject in subjects}
        self.counts: Counter[str] = Counter()
        self._heard = heard
        self._router = (naming.router if archived else Router)(key, policy.shared_addresses)
        self._sources: dict[tuple[str, int], Source] = {}
        self._next = dict.fromkeys(self.machines, 0)
        document = policy.model_dump_json().encode()
        self._label = policy.label
        self._tell(Mark(FORMAT, 0, "wall", _ROSTER, [], policy.label, document), 0)

    def feed(self, records: Sequence[RawRecord], now_ms: int) -> list[Output]:
        """Takes in records, each source in the order of its offsets, appended up to `now_ms`; what comes of them."""
        rows = Rows()
        for (topic, partition), found in _by_source(records).items():
            source = self._source(topic, partition, found.first)
            taken = source.take(found, self._router, rows, seal=lambda raw: "")
            self.counts.update(read=len(found), dead=len(taken.dead))
        outputs: list[Output] = []
        for subject, _, frame in rows.frames(1):
            if self._heard is not None:
                self._heard(frame)
            if subject in self.machines:
                outputs += self._apply(subject, frames.encode(frame), now_ms)
        return outputs

    def mark(self, at_ms: int) -> list[Output]:
        """All has been read up to this time: panes close, and what comes of that."""
        reads = [Read(source, 0, at_ms) for source in _ROSTER]
        return self._tell(Mark(FORMAT, at_ms, "wall", _ROSTER, reads, self._label, None), at_ms)

    def _tell(self, mark: Mark, at_ms: int) -> list[Output]:
        value = frames.encode(mark)
        return [output for subject in self.machines for output in self._apply(subject, value, at_ms)]

    def _apply(self, subject: str, value: bytes, at_ms: int) -> list[Output]:
        record = Record(self._next[subject], at_ms, None, value)
        self._next[subject] += 1
        return self.machines[subject].apply(record)

    def _source(self, topic: str, partition: int, first: int) -> Source:
        known = self._sources.get((topic, partition))
        if known is None:
            known = self._sources[topic, partition] = Source(topic, partition, "wall", _NEVER_PAUSED, first)
        return known


def _by_source(records: Iterable[RawRecord]) -> dict[tuple[str, int], Records]:
    found: dict[tuple[str, int], Records] = {}
    for record in records:
        columns = found.get((record.topic, record.partition))
        if columns is None:
            columns = found[record.topic, record.partition] = Records(record.offset, record.offset)
        columns.offsets.append(record.offset)
        columns.stamps.append(record.stamp_ms)
        columns.values.append(record.value)
        columns.next = record.offset + 1
    return found
