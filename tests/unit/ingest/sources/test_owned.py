import itertools
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.events import TOPIC_OF
from schemas.frames import Anew, encode
from schemas.topics import LARGE_BATCH_BYTES
from services.ingest.frames.routing import Router, Rows
from services.ingest.reading.records import Records
from services.ingest.sources import owned as owned_module
from services.ingest.sources.ledger import Ledger
from services.ingest.sources.owned import PORTION_BYTES, Owned, own, portions
from services.ingest.sources.quarantine import BadLimit
from services.ingest.sources.source import Source
from tests.unit.ingest.samples import AT_MS, TYPES, event, records

LIMIT = BadLimit()
NOW = AT_MS + 5


def _own(begin: int, committed: tuple[int, str] | None) -> Owned:
    return own("channel-events", 1, "wall", LIMIT, begin, committed, NOW)


def test_without_a_committed_offset_reading_begins_where_the_log_does() -> None:
    assert (_own(0, None).position, _own(0, None).note) == (0, "")
    late = _own(7, None)
    assert (late.position, late.source.next, late.note) == (7, 7, "no offset is committed, reading begins at 7")
    assert late.remember_since_ms() is None
    assert late.source.ledger == Ledger(base=7, anew_ms=NOW), "what was counted before is not known"


def test_a_committed_offset_brings_its_ledger() -> None:
    found = _own(3, (9, Ledger(read=9, append_ms=AT_MS).metadata(9)))
    assert (found.position, found.source.next, found.source.ledger.read, found.lost) == (9, 9, 9, "")
    assert found.remember_since_ms() == AT_MS - 60_000
    assert found.name == "channel-events/1"


def test_a_committed_offset_below_the_log_is_refused_never_skipped() -> None:
    found = _own(10, (9, Ledger(append_ms=AT_MS).metadata(9)))
    assert "below the log's start 10" in found.lost
    assert not found.reading
    assert found.remember_since_ms() is None


def test_an_offset_that_somebody_else_committed_begins_the_books_anew() -> None:
    for metadata, why in (("", "no ledger"), (Ledger(read=7).metadata(7), "ledger of offset 7")):
        found = _own(0, (9, metadata))
        assert (found.position, found.source.ledger) == (9, Ledger(base=9, anew_ms=NOW))
        assert why in found.note
        assert "books begin anew at 9" in found.note
        assert found.progress().anew == Anew(found.source.source, NOW, 9)


def test_books_that_were_begun_anew_go_on_after_a_restart() -> None:
    ledger = Ledger(read=3, base=9, anew_ms=NOW - 50)
    found = _own(0, (12, ledger.metadata(12)))
    assert (found.source.ledger, found.note) == (ledger, "")
    assert found.progress().anew == Anew(found.source.source, NOW - 50, 9)


def test_the_ledger_of_a_release_that_did_not_say_for_which_offset_is_taken() -> None:
    older = Ledger(read=9).metadata(9).replace('"at": 9, ', "")
    assert _own(0, (9, older)).source.ledger == Ledger(read=9)


def test_a_position_outside_of_the_log_is_lost_unless_it_only_looked_back() -> None:
    looking_back = _own(0, (9, Ledger().metadata(9)))
    looking_back.position = 2
    assert not looking_back.told(5, 20, lost=True)
    assert (looking_back.position, looking_back.lost) == (5, "")
    assert not looking_back.told(12, 20, lost=True)
    assert "outside of the log, which begins at 12" in looking_back.lost


def test_it_has_caught_up_when_all_is_taken_and_the_log_has_no_more() -> None:
    found = _own(0, (9, Ledger().metadata(9)))
    assert found.told(0, 10, lost=False)
    found.look_whether_caught_up(70)
    assert (found.caught_up_ms, found.behind) == (None, True)
    found.position = found.source.next = 10
    found.look_whether_caught_up(80)
    assert (found.caught_up_ms, found.behind) == (80, False)
    assert found.progress().caught_up_ms == 80
    found.resume_at = 1.0
    found.look_whether_caught_up(90)
    assert found.caught_up_ms is None, "a paused one is not"


def test_looking_back_is_not_caught_up() -> None:
    found = _own(0, (9, Ledger().metadata(9)))
    found.position = 4
    found.told(0, 4, lost=False)
    found.look_whether_caught_up(80)
    assert found.caught_up_ms is None


@given(st.dictionaries(st.sampled_from("abc"), st.lists(st.integers(0, 30), max_size=12), max_size=3))
def test_portions_hold_everything_once_in_order_and_not_too_much(sizes: dict[str, list[int]]) -> None:
    answers = {
        key: Records(5, 5 + len(each) + 1, list(range(5, 5 + len(each))), [0] * len(each), [b"x" * one for one in each])
        for key, each in sizes.items()
    }
    limit = owned_module.PORTION_BYTES
    try:
        owned_module.PORTION_BYTES = 40  # type: ignore[misc]
        found = list(portions(answers))
    finally:
        owned_module.PORTION_BYTES = limit  # type: ignore[misc]
    for key, asked in answers.items():
        parts = [portion[key] for portion in found if key in portion]
        assert [value for part in parts for value in part.values] == asked.values
        assert [offset for part in parts for offset in part.offsets] == asked.offsets
        assert parts[0].first == asked.first
        assert parts[-1].next == asked.next
        assert all(one.next == other.first for one, other in itertools.pairwise(parts))
    if sum(map(len, answers.values())) > 2:
        for portion in found:
            weights = [len(value or b"") for part in portion.values() for value in part.values]
            assert sum(weights) <= 40


def test_usually_one_portion_is_all() -> None:
    answers = {"a": Records(0, 1, [0], [0], [b"x" * PORTION_BYTES * 2]), "b": Records(3, 9)}
    assert list(portions(answers)) == [answers]


def _smallest(kind: str, number: int) -> bytes:
    """An event with each optional field that makes a row larger, as short as JSON can have it, and nothing repeated."""
    names = {name: chr(0x4E00 + number % 20_000) for name in ("channel_id", "link_id", "complaint_id", "content_id")}
    own = {name: value for name, value in names.items() if name in event(kind) or name == "channel_id"}
    address = {"ip": f"::{number % 0xFFFF:x}", "account_id": f"{number:x}"} if "ip" in event(kind) else {}
    brief = event(kind, event_id=f"{number:x}", occurred_at="2026-11-23T09:30:00Z", **own, **address)
    return json.dumps(brief, ensure_ascii=False, separators=(",", ":")).encode()


def _frame_sizes(kind: str, weight: int) -> tuple[int, int]:
    """Of so many bytes of the smallest events: what the values weigh, and the largest frame that comes of them."""
    values: list[bytes | None] = [_smallest(kind, number) for number in range(weight // len(_smallest(kind, 1)))]
    (portion, *_) = portions({"a": records(*values)})
    source, rows = Source(TOPIC_OF[kind], 0, "wall", LIMIT), Rows()
    source.take(portion["a"], Router(b"k" * 32), rows, seal=lambda data: "")
    assert source.ledger.valid == len(portion["a"])
    sizes = [len(encode(frame)) for _, _, frame in rows.frames(1)]
    return sum(map(len, filter(None, portion["a"].values))), max(sizes, default=0)


@pytest.mark.parametrize("kind", TYPES)
def test_a_row_is_smaller_than_the_smallest_event(kind: str) -> None:
    weight, largest = _frame_sizes(kind, 100_000)
    assert largest < weight


def test_the_frames_of_a_full_portion_are_smaller_than_the_largest_message() -> None:
    weight, largest = _frame_sizes("click", PORTION_BYTES + 100_000)
    assert PORTION_BYTES - 1_000 < weight <= PORTION_BYTES
    assert largest < LARGE_BATCH_BYTES // 2


def test_few_records_may_be_too_large_for_one_portion() -> None:
    large = PORTION_BYTES // 10
    answers = {"a": Records(0, 15, offsets=list(range(15)), stamps=[0] * 15, values=[b"x" * large] * 15)}
    weights = [sum(len(value or b"") for value in portion["a"].values) for portion in portions(answers)]
    assert len(weights) == 2
    assert max(weights) <= PORTION_BYTES
