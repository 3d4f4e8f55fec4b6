import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.dead_letters import DeadLetter, Problem
from services.ingest.sources.quarantine import KEPT_BYTES, BadLimit, BadShare, dead_letter
from services.ingest.sources.sealing import Sealer, SealError

LIMIT = BadLimit(stretch=10, least=4, share=0.5, pause_s=30, longest_pause_s=100)
KEY = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="


def _expected(history: list[bool]) -> int | None:
    """After how many records the limit is reached, the slow way."""
    for count in range(1, len(history) + 1):
        stretch = history[max(0, count - LIMIT.stretch) : count]
        if history[count - 1] and sum(stretch) >= LIMIT.least and sum(stretch) >= LIMIT.share * len(stretch):
            return count
    return None


@given(st.lists(st.lists(st.booleans(), max_size=12), max_size=6))
def test_the_limit_is_reached_at_the_same_record_however_the_log_is_cut(slices: list[list[bool]]) -> None:
    share = BadShare(LIMIT)
    seen = 0
    for each in slices:
        cut = share.note(len(each), [index for index, bad in enumerate(each) if bad])
        if cut is not None:
            assert _expected([bad for one in slices for bad in one]) == seen + cut
            return
        seen += len(each)
    assert _expected([bad for one in slices for bad in one]) is None


def test_pauses_double_up_to_the_longest_and_a_clean_stretch_forgets_them() -> None:
    share = BadShare(LIMIT)

    def trip() -> float:
        assert share.note(8, list(range(8))) is not None
        return share.pause()

    assert [trip() for _ in range(4)] == [30, 60, 100, 100]
    assert share.note(10, []) is None
    assert trip() == 30


def test_a_few_bad_records_among_many_pause_nothing() -> None:
    share = BadShare(LIMIT)
    assert all(share.note(10, [0, 3, 6]) is None for _ in range(100))


def test_a_dead_letter_keeps_the_place_the_reasons_and_a_sealed_beginning() -> None:
    sealer = Sealer(KEY)
    value = b'{"ip":"203.0.113.7"}' + b"x" * 100_000
    letter = dead_letter(
        "channel-events", 1, 42, 1_795_426_200_250, value, [Problem(field="ip", problem="is wrong")], sealer.seal
    )
    text = letter.model_dump_json()
    assert DeadLetter.model_validate_json(text) == letter
    read = json.loads(text)
    assert (read["v"], read["topic"], read["partition"], read["offset"]) == (1, "channel-events", 1, 42)
    assert read["at"] == "2026-11-23T09:30:00.250000Z"
    assert read["errors"] == [{"field": "ip", "problem": "is wrong"}]
    assert read["size"] == len(value)
    assert "203.0.113.7" not in text
    assert sealer.open(read["raw"]) == value[:KEPT_BYTES]


def test_a_seal_opens_with_its_own_key_only() -> None:
    token = Sealer(KEY).seal(b"something")
    other = "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWY="
    with pytest.raises(SealError, match="not sealed with this key"):
        Sealer(other).open(token)
    with pytest.raises(SealError, match="32 bytes in URL-safe base64"):
        Sealer("too short")
