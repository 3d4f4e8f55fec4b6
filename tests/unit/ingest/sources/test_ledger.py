from collections import Counter

import pytest

from schemas.topics import SUBJECTS
from services.ingest.sources.ledger import Ledger, LedgerError, from_metadata


def test_it_survives_as_the_metadata_of_an_offset() -> None:
    ledger = Ledger(10, 6, 1, 2, 1, Counter(channel=3, actor=2), append_ms=5, event_ms=None)
    assert from_metadata(ledger.metadata(7), 7) == ledger
    full = Ledger(2**62, 2**62, 2**62, 2**62, 2**62, Counter(dict.fromkeys(SUBJECTS, 2**62)), 2**62, 2**62)
    assert len(full.metadata(2**62)) < 1_000, "brokers take 4,096 bytes"


@pytest.mark.parametrize(
    "text", ["", "x", "[]", "null", '{"read": 1}', '{"read": "x"}', Ledger().metadata(0).replace("0", "null")]
)
def test_what_somebody_else_committed_is_no_ledger(text: str) -> None:
    with pytest.raises(LedgerError):
        from_metadata(text, 0)


def test_what_a_later_release_adds_is_passed_over() -> None:
    assert from_metadata(Ledger(read=3).metadata(5)[:-1] + ', "more": 1}', 5) == Ledger(read=3)


def test_times_never_fall() -> None:
    ledger = Ledger()
    for append, event in ((5, None), (3, 7), (None, 6)):
        ledger.moved(append_ms=append, event_ms=event)
    assert (ledger.append_ms, ledger.event_ms) == (5, 7)
