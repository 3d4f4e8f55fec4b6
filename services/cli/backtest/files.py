"""The events of a file as records of raw topics. Their stamp is their own time, so none of them is late."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from schemas.base import to_ms
from schemas.events import TOPIC_OF
from schemas.topics import CHANNEL_EVENTS
from services.cli.backtest.event_times import EventTimes
from services.cli.backtest.pipeline import RawRecord
from services.cli.replay.replay import Map, events_of, read_rows


def records_in(path: Path, mapping: Map | None) -> list[RawRecord]:
    """All events of a file in the order of their time; without a map each line is an event as senders write it.

    What is no event is kept where it stands, to be counted. Raises ReplayError for a row that the map makes no event
    of, and OSError.
    """
    found = _lines(path) if mapping is None else _mapped(path, mapping)
    return list(_numbered(sorted(found, key=lambda each: each[1])))


def _lines(path: Path) -> Iterator[tuple[str, int, bytes]]:
    times, last_ms = EventTimes(), 0
    unplaced: list[bytes] = []
    with path.open("rb") as lines:
        for line in filter(bytes.strip, lines):
            if (head := times.head(line)) is None:
                unplaced.append(line)
                continue
            topic, last_ms = head
            yield topic, last_ms, line
            yield from ((CHANNEL_EVENTS, last_ms, each) for each in unplaced)
            unplaced.clear()
    yield from ((CHANNEL_EVENTS, last_ms, each) for each in unplaced)


def _mapped(path: Path, mapping: Map) -> Iterator[tuple[str, int, bytes]]:
    for event in events_of(read_rows(path), mapping):
        yield TOPIC_OF[event.type], to_ms(event.occurred_at), event.model_dump_json(exclude_none=True).encode()


def _numbered(found: Iterable[tuple[str, int, bytes]]) -> Iterator[RawRecord]:
    """Each topic is one partition, whose offsets count its events in this order."""
    following: dict[str, int] = {}
    for topic, at_ms, value in found:
        offset = following.get(topic, 0)
        following[topic] = offset + 1
        yield RawRecord(topic, 0, offset, at_ms, value)
