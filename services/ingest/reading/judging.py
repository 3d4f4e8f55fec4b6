"""Tells the records of one source partition apart: valid events, bad records, control records."""

from dataclasses import dataclass, field
from typing import Any

from schemas.dead_letters import Problem
from services.ingest.marks import Clock
from services.ingest.reading.decoding import Decoder
from services.ingest.reading.instants import Instants
from services.ingest.reading.records import ControlError, Records, read_control
from services.ingest.reading.structs import Event
from services.ingest.reading.validation import AHEAD, MAX_AHEAD_MS, judge


@dataclass(slots=True)
class Judged:
    """What a slice of records is. The four lists belong to its valid events, in their order; times are ms.

    bad: what is wrong, by index into the records. controls: the times that control records tell, None for an end.
    """

    events: list[Any] = field(default_factory=list)
    offsets: list[int] = field(default_factory=list)
    stamps: list[int] = field(default_factory=list)
    times: list[int] = field(default_factory=list)
    bad: dict[int, list[Problem]] = field(default_factory=dict)
    controls: list[int | None] = field(default_factory=list)


class Judge:
    """Judges records of one raw topic. Pure but for its caches: the same record is judged the same, always."""

    def __init__(self, topic: str, clock: Clock) -> None:
        self._topic = topic
        self._clock = clock
        self._decoder = Decoder(topic)
        self._instants = Instants()

    def judge(self, records: Records) -> Judged:
        """All records of a slice."""
        return self._at_once(records) or self._one_by_one(records)

    def _at_once(self, records: Records) -> Judged | None:
        """The usual case, every record a good event, at a fifth of the price; None in any other."""
        if records.controls or records.unreadable:
            return None
        events = self._decoder.decode_all(records.values)
        if not events:
            return None
        try:
            times = self._instants.all_ms([event.occurred_at for event in events])
        except ValueError:
            return None
        if max(times) > min(records.stamps) + MAX_AHEAD_MS:
            return None
        return Judged(events, records.offsets, records.stamps, times)

    def _one_by_one(self, records: Records) -> Judged:
        judged = Judged()
        for index, value in enumerate(records.values):
            if index in records.controls:
                self._control(judged, index, records.controls[index], value)
                continue
            if index in records.unreadable:
                judged.bad[index] = [Problem(field="", problem=records.unreadable[index])]
                continue
            found = self._event(value, records.stamps[index])
            if isinstance(found, list):
                judged.bad[index] = found
                continue
            event, at = found
            judged.events.append(event)
            judged.offsets.append(records.offsets[index])
            judged.stamps.append(records.stamps[index])
            judged.times.append(at)
        return judged

    def _event(self, value: bytes | None, stamp: int) -> tuple[Event, int] | list[Problem]:
        """The event of one record and its time, or what is wrong with it."""
        event = self._decoder.decode(value)
        at = None if event is None else self._time(event)
        if event is None or at is None:
            found = judge(self._topic, value)
            if isinstance(found, list):
                return found
            event, at = found, self._instants.ms(found.occurred_at)
        return [AHEAD] if at > stamp + MAX_AHEAD_MS else (event, at)

    def _time(self, event: Event) -> int | None:
        try:
            return self._instants.ms(event.occurred_at)
        except ValueError:
            return None

    def _control(self, judged: Judged, index: int, word: bytes, value: bytes | None) -> None:
        if self._clock == "wall":
            problem = "is a control record, which has a meaning on the clock of a replay only"
            judged.bad[index] = [Problem(field="", problem=problem)]
            return
        try:
            judged.controls.append(read_control(word, value))
        except ControlError as error:
            judged.bad[index] = [Problem(field="", problem=str(error))]
