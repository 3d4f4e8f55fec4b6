import itertools
import json
from collections import Counter
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from schemas.frames import END_OF_SOURCE, decode, encode
from services.ingest.frames.routing import Router, Rows
from services.ingest.marks import Clock
from services.ingest.reading.records import Records
from services.ingest.sources.ledger import Ledger, from_metadata
from services.ingest.sources.quarantine import BadLimit
from services.ingest.sources.source import Source, Taken
from tests.unit.ingest.samples import AT_MS, raw, records

_KEY = b"k" * 32


def _source(clock: Clock = "wall", limit: BadLimit | None = None, topic: str = "channel-events") -> Source:
    return Source(topic, 0, clock, limit or BadLimit())


def _take(source: Source, records_: Records, rows: Rows | None = None) -> Taken:
    return source.take(records_, Router(_KEY), rows or Rows(), seal=lambda data: "sealed")


def _balanced(ledger: Ledger) -> bool:
    return ledger.read == ledger.valid + ledger.duplicate + ledger.dead + ledger.control


def test_everything_that_was_read_is_accounted_for() -> None:
    source = _source()
    rows = Rows()
    click, again = raw("click", event_id="1"), raw("click", event_id="1", ip=...)
    taken = _take(source, records(click, again, b"{", raw("content_removed"), raw("impression", event_id="2")), rows)
    assert source.ledger == Ledger(5, 3, 1, 1, 0, Counter(channel=2, actor=1, content=1, product=0), append_ms=AT_MS)
    assert [letter.offset for letter in taken.dead] == [2]
    assert source.next == 5
    assert _balanced(source.ledger)


_RECORDS = st.lists(
    st.sampled_from([b"{", b"", raw("click", ip=...), raw("mention"), raw("content_removed")])
    | st.integers(0, 8).map(lambda number: raw("click", event_id=str(number))),
    max_size=40,
)


@given(_RECORDS, st.lists(st.integers(0, 40), max_size=4))
def test_the_books_are_the_same_however_the_log_is_cut(values: list[bytes], cuts: list[int]) -> None:
    limit = BadLimit(least=10_000)
    whole = _source(limit=limit)
    dead = _take(whole, records(*values)).dead
    parts = _source(limit=limit)
    found = []
    places = sorted({0, *(min(cut, len(values)) for cut in cuts), len(values)})
    for begin, end in itertools.pairwise(places):
        found += _take(parts, records(*values[begin:end], first=begin)).dead
    assert parts.ledger == whole.ledger
    assert found == dead
    assert _balanced(whole.ledger)
    assert from_metadata(whole.ledger.metadata(9), 9) == whole.ledger


@given(_RECORDS, st.integers(0, 40), st.integers(0, 40))
def test_a_restart_remembers_what_may_come_again_and_emits_none_of_it(
    values: list[bytes], committed: int, back: int
) -> None:
    limit = BadLimit(least=10_000)
    committed = min(committed, len(values))
    whole = _source(limit=limit)
    _take(whole, records(*values[:committed]))
    at_commit = from_metadata(whole.ledger.metadata(9), 9)
    lived = Rows()
    dead = _take(whole, records(*values[committed:], first=committed), lived).dead

    successor = Source("channel-events", 0, "wall", limit, committed, at_commit)
    rows = Rows()
    begin = 0  # all of it is in the window
    split = min(back, len(values))
    found = []
    for first, last in ((begin, split), (split, len(values))):
        found += _take(successor, records(*values[first:last], first=first), rows).dead
    assert successor.ledger == whole.ledger
    assert found == dead
    assert (rows.channel.offsets, rows.patient.actor.offsets) == (lived.channel.offsets, lived.patient.actor.offsets)


def test_what_is_remembered_begins_a_window_before_the_last_record() -> None:
    assert _source().remember_since_ms() is None
    known = Source("channel-events", 0, "wall", BadLimit(), 5, Ledger(append_ms=AT_MS))
    assert known.remember_since_ms() == AT_MS - 60_000
    assert not known.remembers
    _take(known, records(raw("click"), first=4))
    assert known.remembers
    assert known.ledger == Ledger(append_ms=AT_MS), "nothing was counted"


def test_offsets_without_records_are_passed_over() -> None:
    source = _source()
    rows = Rows()
    _take(source, Records(0, 7), rows)
    assert (source.next, source.ledger) == (7, Ledger())
    assert list(rows.frames(2)) == []


def test_past_the_share_of_bad_records_the_rest_is_left_in_the_topic() -> None:
    source = _source(limit=BadLimit(stretch=10, least=4, share=0.5, pause_s=30))
    values = [raw("click", event_id="1"), *[b"{"] * 20]
    taken = _take(source, records(*values))
    assert taken.pause_s == 30
    assert len(taken.dead) == 4
    assert source.next == 5
    assert source.ledger.read == 5
    assert _take(source, records(*values[5:], first=5)).pause_s == 60
    assert source.next == 9


def _controlled(value: bytes | None, word: bytes, first: int) -> Records:
    found = records(value, first=first)
    found.controls[0] = word
    return found


def test_on_the_events_clock_a_source_is_as_far_as_its_events_or_its_control_records_say() -> None:
    source = _source("events")
    moments: list[Any] = [source.ledger.event_ms]
    for step in (
        records(raw("click", occurred_at="2026-01-01T00:00:10Z"), first=0),
        records(raw("click", occurred_at="2026-01-01T00:00:05Z"), first=1),
        _controlled(b"2026-01-01T00:00:20Z", b"time", 2),
        _controlled(None, b"end", 3),
        records(raw("click", occurred_at="2026-01-01T00:00:30Z"), first=4),
        _controlled(None, b"end", 5),
    ):
        _take(source, step)
        moments.append(source.ledger.event_ms)
    begin = 1_767_225_600_000
    ended = END_OF_SOURCE + begin + 20_000
    assert moments == [None, begin + 10_000, begin + 10_000, begin + 20_000, ended, ended, ended]
    assert source.ledger.control == 3
    assert _balanced(source.ledger)


def test_a_source_has_ended_whatever_its_dates_were() -> None:
    source = _source("events")
    _take(source, records(raw("click", occurred_at="1900-01-01T00:00:00Z"), first=0))
    _take(source, _controlled(None, b"end", 1))
    assert source.ledger.event_ms == END_OF_SOURCE


def test_on_the_wall_clock_event_times_move_nothing() -> None:
    source = _source()
    _take(source, records(raw("click")))
    assert source.ledger.event_ms is None


def test_a_frame_of_the_largest_portion_fits_into_a_message() -> None:
    source = _source()
    rows = Rows()
    wide = [
        raw("click", event_id=f"{n}", channel_id=f"{n:0200}", link_id=f"{n:0>200}", ip=f"{n:0200}") for n in range(3000)
    ]
    _take(source, records(*wide), rows)
    assert all(len(encode(frame)) < 4 * 1024 * 1024 for _, _, frame in rows.frames(1))
    assert all(decode(encode(frame)) == frame for _, _, frame in rows.frames(1))
    assert json.loads(wide[0])["channel_id"] == "0" * 200
