"""The helper that proves machines safe: sound ones pass, and each way to be wrong is found."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.runtime.machines.machine import Machine, Output, Record
from tests.support.replay import Plan, assert_replay_safe, outputs_of, plans
from tests.support.toy import OUT, Counter, Recent


def log_of(keys: Iterable[bytes], first: int = 5) -> list[Record]:
    """A record for each key; an upper-case letter drops the key of that letter."""
    return [Record(first + place, 0, key.lower(), b"drop" if key.isupper() else b"") for place, key in enumerate(keys)]


logs = st.lists(st.sampled_from([b"a", b"b", b"c", b"A"]), max_size=120).map(log_of)


@given(logs, plans(120))
def test_the_toys_are_safe(log: list[Record], plan: Plan) -> None:
    assert_replay_safe(lambda: Counter(0), log, plan)
    assert_replay_safe(lambda: Recent(0), log, plan)


class Forgets(Counter):
    """Does not save what it should."""

    def changed(self) -> Iterable[tuple[bytes, bytes | None]]:
        return [(key, value) for key, value in super().changed() if key != b"count/b"]


class DropsInVain(Counter):
    """Never writes a tombstone."""

    def changed(self) -> Iterable[tuple[bytes, bytes | None]]:
        return [(key, value) for key, value in super().changed() if value is not None]


class RewindsShort(Recent):
    """Folds less than its window needs."""

    def rewind(self, next_offset: int) -> int:
        return max(self.first or 0, next_offset - self.WINDOW // 2)


class Remembers(Counter):
    """Keeps something outside of the snapshot."""

    def __init__(self, partition: int) -> None:
        super().__init__(partition)
        self.seen = 0

    def apply(self, record: Record) -> Iterable[Output]:
        self.seen += 1
        return [Output(OUT, None, str(self.seen).encode())]


class LastLoadedWins(Counter):
    """Depends on the order of the snapshot's records."""

    def load(self, records: Iterable[tuple[bytes, bytes]]) -> None:
        super().load(records)
        last = next(reversed(self.counts), None)
        if last is not None and last > b"a":
            self.counts[last] += 1


@pytest.mark.parametrize("wrong", [Forgets, DropsInVain, RewindsShort, Remembers, LastLoadedWins])
def test_a_machine_that_is_not_safe_is_found(wrong: Callable[[int], Machine]) -> None:
    log = log_of([b"a", b"b", b"A", b"c"] * 30)
    plan = Plan(snapshots=(10, 50, 90, 91), deaths=(12, 60, 60, 95))
    with pytest.raises(AssertionError):
        assert_replay_safe(lambda: wrong(0), log, plan)


def test_a_snapshot_that_was_never_written_is_not_counted_on() -> None:
    log = log_of([b"a", b"b"] * 10)
    assert_replay_safe(lambda: Counter(0), log, Plan(snapshots=(4,), lost=(8, 8)))
    assert_replay_safe(lambda: Counter(0), log, Plan(lost=(8,)))


def test_the_truth_is_one_tuple_of_outputs_for_each_record() -> None:
    assert [len(outputs) for outputs in outputs_of(lambda: Counter(0), log_of([b"a", b"b"]))] == [1, 1]
    assert outputs_of(lambda: Counter(0), []) == []
