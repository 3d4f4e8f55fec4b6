"""`tidegate dead-letters`: what is opened, for whom."""

import pytest

from schemas.dead_letters import DeadLetter, Problem
from services.cli.letters.letters import CutOffError, Wanted, line_of, place_of
from services.gateway.bodies import NDJSON, split
from services.ingest.sources.quarantine import dead_letter
from services.ingest.sources.sealing import Sealer, SealError

KEYS = ("a" * 43 + "=", "b" * 42 + "A=")
SEALER = Sealer(KEYS[0])
PROBLEM = Problem(field="count", problem="is required")


def letter(value: bytes) -> DeadLetter:
    return dead_letter("channel-events", 1, 7, 0, value, [PROBLEM], SEALER.seal)


def test_records_become_lines_that_the_gateway_takes_apart_again() -> None:
    records = [b'{"type":\n "click"}', b"{}\r\n", "不是 JSON".encode()]
    lines = b"".join(line_of(letter(each), SEALER) for each in records)
    assert split(lines, NDJSON, 10) == [b'{"type":  "click"}', b"{}", "不是 JSON".encode()]


def test_what_was_not_kept_whole_is_not_sent_again() -> None:
    with pytest.raises(CutOffError):
        line_of(letter(b"x" * 70_000), SEALER)


def test_another_key_opens_nothing() -> None:
    with pytest.raises(SealError):
        line_of(letter(b"{}"), Sealer(KEYS[1]))


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (Wanted(None, None, None), True),
        (Wanted("channel-events", 1, 7), True),
        (Wanted("mention-events", 1, 7), False),
        (Wanted(None, 0, None), False),
        (Wanted(None, None, 8), False),
    ],
)
def test_which_are_wanted(wanted: Wanted, expected: bool) -> None:
    assert wanted.has(letter(b"{}")) is expected


def test_what_is_told_of_one_quotes_nothing_of_it() -> None:
    assert place_of(letter(b"secret")) == "channel-events/1 offset 7: count is required"
