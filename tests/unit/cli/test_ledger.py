"""The books balance only when every record is accounted for."""

from dataclasses import replace

import pytest

from services.cli.ledger import Line, SubjectLine, closed

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
