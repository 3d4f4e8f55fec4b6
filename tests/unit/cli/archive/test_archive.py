"""What is archived of a record, without the files: its row, and what ingest makes of it a second time."""

import json
from datetime import date
from pathlib import PurePosixPath
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from schemas.events import EVENTS, TOPIC_OF
from schemas.frames import encode
from services.cli.archive import naming
from services.cli.archive.columns import columns_of, event_columns
from services.cli.archive.pieces import ArchiveError, Piece, Pieces, by_day, piece_of
from services.cli.archive.rows import Masking, Restoring, Row
from services.ingest.frames.redaction import quote
from services.ingest.frames.routing import Router, Rows
from services.ingest.reading.records import Records
from services.ingest.sources.quarantine import BadLimit
from services.ingest.sources.source import Source
from tests.unit.ingest.reading.test_decoding import near_events
from tests.unit.ingest.samples import AT_MS, TYPES, event, raw, records

KEY = b"a key of sixteen bytes or more"
IP, ACCOUNT, TEXT = "203.0.113.7", "account-4711", "我的电话是13800138000，张三"
DAY = 86_400_000


def restored(topic: str, rows: list[Row]) -> Records:
    found = [Restoring(topic).record({name: row.get(name) for name in columns_of(topic)}) for row in rows]
    offsets = [each.offset for each in found]
    return Records(0, offsets[-1] + 1, offsets, [each.stamp_ms for each in found], [each.value for each in found])


def ingested(topic: str, given: Records, router: Router) -> tuple[list[tuple[str, int, bytes]], str]:
    """What ingest makes of it: the frames, and its books."""
    source, rows = Source(topic, 0, "wall", BadLimit(least=2**62)), Rows()
    source.take(given, router, rows, seal=lambda _: "")
    return [(subject, home, encode(frame)) for subject, home, frame in rows.frames(2)], source.ledger.metadata(0)


def assert_same_for_ingest(topic: str, given: Records) -> None:
    live = ingested(topic, given, Router(KEY))
    rows = Masking(topic, KEY).rows(0, given)
    assert ingested(topic, restored(topic, rows), naming.router(KEY, [])) == live


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(near_events(), min_size=1, max_size=4))
@example([raw("mention", text="@@a"), raw("mention", text="微信abc12345678，" * 30)])
def test_ingest_makes_the_same_of_what_comes_out_of_an_archive(values: list[bytes]) -> None:
    for topic in EVENTS:
        assert_same_for_ingest(topic, records(*values))


@pytest.mark.parametrize("kind", TYPES)
def test_every_type_of_event_comes_back_with_and_without_what_may_be_missing(kind: str) -> None:
    optional = {"product_id": "p-1", "segment": "silver", "count": 7, "text": TEXT, "url": "https://example.com/a"}
    needed = event(kind, ip=..., account_id=..., link_id=..., amount=12.25)
    full, again = raw(kind, **(optional | event(kind))), raw(kind)
    assert_same_for_ingest(TOPIC_OF[kind], records(full, json.dumps(needed).encode(), again, None, b"{"))


def test_there_is_a_row_for_every_record_bad_ones_and_duplicates_too() -> None:
    rows = Masking("channel-events", KEY).rows(3, records(raw("click"), raw("click"), b"{", None, first=40))
    assert [(row["partition"], row["offset"], row["appended_at"]) for row in rows] == [
        (3, offset, AT_MS) for offset in range(40, 44)
    ]
    assert [row.get("type") for row in rows] == ["click", "click", None, None]
    assert [bool(row.get("problem")) for row in rows] == [False, False, True, True]


def test_a_control_record_is_bad_in_service() -> None:
    given = records(b"2026-11-23T09:30:00Z")
    given.controls[0] = b"time"
    (row,) = Masking("channel-events", KEY).rows(0, given)
    assert "control record" in row["problem"]


def test_personal_data_becomes_pseudonyms_quotes_or_nothing() -> None:
    hidden = {
        "ip": IP,
        "account_id": ACCOUNT,
        "text": TEXT,
        "url": "https://example.com/u/4711",
        "contact": "13800138000",
    }
    values = [raw(kind, **(event(kind) | hidden)) for kind in TYPES if TOPIC_OF[kind] != "market-events"]
    values += [raw("mention", text=TEXT, sentiment="positive"), raw("click", ip=IP, account_id=ACCOUNT, count=-1)]
    for topic in EVENTS:
        said = repr(Masking(topic, KEY).rows(0, records(*values)))
        assert [each for each in (IP, ACCOUNT, "13800138000", "4711") if each in said] == []
    (row,) = Masking("mention-events", KEY).rows(0, records(raw("mention", text=TEXT)))
    assert row["text"] == "我的电话是***，张三"
    (row,) = Masking("mention-events", KEY).rows(0, records(raw("mention", text=TEXT, sentiment="positive")))
    assert row["text"] is None


def test_what_text_is_archived_as_it_was_sent_has_been_decided_for_every_field() -> None:
    """A new field fails here: is it personal (`Masking`), or named below?"""
    hidden = {"ip", "account_id", "text"}
    names = {"event_id", "type", "channel_id", "product_id", "segment", "link_id", "kind", "content_id", "complaint_id"}
    public = {"body", "reviewers", "reviewed_fingerprint", "entry", "stage", "sentiment", "source", "title", "url"}
    market = {"series", "month", "quarter"}
    texts = {name for topic in EVENTS for name, kind in event_columns(topic).items() if kind in ("text", "texts")}
    assert texts == hidden | names | public | market
    assert [topic for topic in EVENTS if "url" in event_columns(topic)] == ["market-events"]
    assert [topic for topic in EVENTS if "text" in event_columns(topic)] == ["mention-events"]


def test_columns_follow_the_models() -> None:
    assert columns_of("complaint-events") == {
        "partition": "integer",
        "offset": "integer",
        "appended_at": "time",
        "problem": "text",
        "event_id": "text",
        "occurred_at": "time",
        "channel_id": "text",
        "product_id": "text",
        "segment": "text",
        "type": "text",
        "complaint_id": "text",
        "entry": "text",
        "account_id": "text",
        "ip": "text",
    }
    assert event_columns("channel-events")["reviewers"] == "texts"
    assert event_columns("channel-events")["amount"] == "number"


@given(st.text(alphabet=st.sampled_from("@a1 .-微信号:vxq\n，"), max_size=150))
@example("@.@1.1")
@example("@@.@1.1")
def test_a_quote_of_a_quote_is_the_quote(text: str) -> None:
    assert quote(quote(text)) == quote(text)


# -- shared addresses


@pytest.mark.parametrize(
    ("shared", "ip", "actor"),
    [
        ([], "203.0.113.7", True),
        (["203.0.113.7"], "203.0.113.7", False),
        (["203.0.113.0/24"], "203.0.113.7", False),
        (["203.0.113.0/24"], "203.0.114.7", True),
        (["2001:db8::1"], "2001:DB8::99", False),
        (["2001:db8::/48"], "2001:db8:0:ff::1", False),
        (["2001:db8::/48"], "2001:db9::1", True),
        (["203.0.113.0/24"], "::ffff:203.0.113.7", False),
        (["kiosk:7"], "kiosk:7", False),
    ],
)
def test_a_shared_address_is_no_actor_in_an_archive_either(shared: list[str], ip: str, actor: bool) -> None:
    live = records(raw("click", ip=ip))
    kept = restored("channel-events", Masking("channel-events", KEY).rows(0, live))
    found = ingested("channel-events", kept, naming.router(KEY, shared))
    assert found == ingested("channel-events", live, Router(KEY, shared))
    assert any(subject == "actor" for subject, _, _ in found[0]) is actor


def test_a_network_too_large_to_be_looked_for_is_named() -> None:
    fine = ["203.0.0.0/16", "2001:db8::/48", "kiosk", "::1"]
    assert naming.too_large([*fine, "100.64.0.0/10", "2001::/32"]) == ["100.64.0.0/10", "2001::/32"]
    assert naming.too_large(fine) == []
    naming.router(KEY, ["2001::/16", "0.0.0.0/0"])  # and costs nothing


# -- files by name


def _piece(first: int, following: int, partition: int = 0, day: int = 23) -> Piece:
    return Piece("channel-events", date(2026, 11, day), partition, first, following)


@given(st.sampled_from(sorted(EVENTS)), st.dates(), st.integers(0, 999), st.integers(0, 2**62), st.integers(0, 2**62))
def test_a_name_says_all(topic: str, day: date, partition: int, first: int, following: int) -> None:
    piece = Piece(topic, day, partition, first, following)
    assert piece_of(PurePosixPath(piece.path)) == piece


@pytest.mark.parametrize("name", ["channel-events/day=2026-11-23/0-1.parquet", "channel-events/day=x/0-1-2.parquet"])
def test_another_file_is_refused(name: str) -> None:
    with pytest.raises(ArchiveError, match="no file of an archive"):
        piece_of(PurePosixPath(name))


def test_the_archive_goes_on_after_the_last_offset_of_each_partition() -> None:
    there = Pieces([_piece(5, 9), _piece(0, 5), _piece(7, 8, partition=1, day=24)])
    assert there.position("channel-events", 0) == 9
    assert there.position("channel-events", 1) == 8
    assert there.position("channel-events", 2) is None
    assert there.position("mention-events", 0) is None
    assert there.gaps() == []


def test_what_was_gone_before_it_was_archived_is_a_gap_and_what_is_there_twice_an_error() -> None:
    assert Pieces([_piece(0, 5), _piece(7, 9)]).gaps() == [(_piece(0, 5), _piece(7, 9))]
    with pytest.raises(ArchiveError, match="same offsets"):
        Pieces([_piece(0, 5), _piece(4, 9, day=24)])


def test_records_are_cut_by_the_day_of_their_append_in_utc() -> None:
    midnight = AT_MS // DAY * DAY
    stamps = [midnight - 1, midnight, midnight + 1, midnight + DAY]
    given = Records(10, 16, [10, 11, 12, 14], stamps, [None] * 4)
    found = [(day.day, part.first, part.next, part.offsets) for day, part in by_day(given)]
    assert found == [(22, 10, 11, [10]), (23, 11, 13, [11, 12]), (24, 13, 16, [14])]
    assert list(by_day(Records(3, 9))) == []


def test_every_column_of_the_common_ones_is_in_every_topic() -> None:
    common: dict[str, Any] = {"event_id": "text", "occurred_at": "time", "segment": "text"}
    assert all(common.items() <= columns_of(topic).items() for topic in EVENTS)
