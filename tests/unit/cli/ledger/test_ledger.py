"""The books balance only when every record is accounted for."""

from dataclasses import replace
from datetime import datetime

import pytest

from schemas.base import to_ms
from services.cli.ledger.ledger import Line, SubjectLine, closed

BALANCED = Line(
    "channel-events", 0, 0, 100, 100, read=100, valid=95, duplicate=3, dead=2, control=0,
    subjects={"channel": SubjectLine(95, 94, 1), "actor": SubjectLine(60, 60, 0)},
)  # fmt: skip


def test_a_balanced_line_is_closed() -> None:
    assert BALANCED.closed
    assert closed([BALANCED, BALANCED])


@pytest.mark.parametrize(
    "change",
    [
        {"end": 101},
        {"duplicate": 4},
        {"dead": 1},
        {"subjects": {"channel": SubjectLine(95, 94, 0)}},
        {"subjects": {"actor": SubjectLine(60, 61, 0)}},
    ],
    ids=["unread", "one too many", "one lost", "in flight", "folded twice"],
)
def test_any_difference_leaves_it_open(change: dict[str, object]) -> None:
    line = replace(BALANCED, **change)  # type: ignore[arg-type]
    assert not line.closed
    assert not closed([BALANCED, line])


def test_what_keeps_it_open_is_said_in_words() -> None:
    assert list(BALANCED.why_open()) == []
    line = replace(BALANCED, end=103, dead=1, subjects={"actor": SubjectLine(9, 5, 1)})
    assert list(line.why_open()) == [
        "3 not read yet",
        "+1 read that ended nowhere, which is a defect",
        "3 in flight to actor",
    ]
    (why,) = replace(BALANCED, subjects={"actor": SubjectLine(5, 9, 0)}).why_open()
    assert why.startswith("actor has counted 4 more than ingest's books hold, which can never balance again if ")
    assert list(replace(BALANCED, committed=107).why_open()) == ["the committed offset is 7 past the end"]


def test_without_books_it_is_open_and_says_why() -> None:
    line = replace(BALANCED, problem="the committed offset carries no ledger")
    assert not line.closed
    assert next(line.why_open()).startswith("the committed offset carries no ledger; ingest begins its books anew")


def test_books_that_were_begun_anew_close_with_what_was_known_before() -> None:
    anew_ms = to_ms(datetime.fromisoformat("2026-11-23T10:00:00Z"))
    subjects = {"channel": SubjectLine(95, 50, 1, known=44)}
    line = replace(BALANCED, base=40, anew_ms=anew_ms, subjects=subjects)
    assert line.closed
    assert BALANCED.remark() == ""
    assert line.remark() == (
        "channel-events/0: the books begin at offset 40, since at 2026-11-23 10:00:00 UTC ingest had to begin where it "
        "had committed nothing itself; of the rows sent since, the indicators had 44 from before"
    )
