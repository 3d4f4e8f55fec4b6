"""A machine's place on its log: contiguity, snapshots, and when a start is refused."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from services.runtime.machines.machine import Machine, Output, Record
from services.runtime.machines.snapshots import (
    PROGRESS_KEY,
    GapError,
    LogBounds,
    LostSnapshotError,
    MachineOnLog,
    ShortLogError,
    Snapshot,
    SnapshotFormatError,
    TruncatedLogError,
)
from tests.support.toy import Counter, Recent


def record(offset: int, key: bytes = b"a", value: bytes = b"") -> Record:
    return Record(offset, 1_000 + offset, key, value)


def stored(snapshot: Snapshot | None) -> dict[bytes, bytes]:
    assert snapshot is not None
    return {key: value for key, value in snapshot.records() if value is not None}


def run_to(offset: int, machine: Machine | None = None) -> MachineOnLog:
    on_log = MachineOnLog(machine or Counter(0), {}, LogBounds(0, 1_000))
    for number in range(offset):
        on_log.take(record(number))
    return on_log


def test_first_start_begins_where_the_log_begins() -> None:
    assert MachineOnLog(Counter(0), {}, LogBounds(start=7, end=9)).position == 7


def test_records_are_applied_in_order() -> None:
    on_log = run_to(2)
    assert [output.value for output in on_log.take(record(2))] == [b"0/2 a 3"]
    assert on_log.position == 3


def test_a_repeated_record_is_passed_over() -> None:
    on_log = run_to(3)
    assert on_log.take(record(1)) == ()
    assert on_log.position == 3
    assert len(on_log.take(record(3))) == 1


def test_a_gap_is_refused_and_nothing_is_applied() -> None:
    machine = Counter(0)
    on_log = run_to(3, machine)
    with pytest.raises(GapError, match="offset 5 follows 2: 2 records are missing"):
        on_log.take(record(5))
    assert machine.counts == {b"a": 3}


def test_an_exception_leaves_the_record_untaken() -> None:
    class Failing(Counter):
        def apply(self, record: Record) -> Iterable[Output]:
            raise RuntimeError

    on_log = MachineOnLog(Failing(0), {}, LogBounds(0, 1))
    with pytest.raises(RuntimeError):
        on_log.take(record(0))
    assert on_log.position == 0


def test_a_snapshot_takes_up_where_it_was_made() -> None:
    snapshot = run_to(5).capture()
    again = MachineOnLog(Counter(0), stored(snapshot), LogBounds(0, 5, committed=5))
    assert (again.position, again.snapshot_at, again.fresh) == (5, 5, False)
    assert [output.value for output in again.take(record(5))] == [b"0/5 a 6"]


def test_a_snapshot_holds_only_what_changed_and_tombstones() -> None:
    on_log = run_to(1)
    on_log.take(record(1, b"b"))
    on_log.capture()
    on_log.take(record(2, b"b", b"drop"))
    snapshot = on_log.capture()
    assert snapshot is not None
    assert snapshot.changed == ((b"count/b", None),)
    assert dict(snapshot.records())[PROGRESS_KEY] == b'{"next":3,"v":1,"chains":[]}'
    assert snapshot.size() == len(b"count/b") + len(PROGRESS_KEY) + len(b'{"next":3,"v":1,"chains":[]}')


def test_no_snapshot_without_progress() -> None:
    on_log = run_to(2)
    assert on_log.capture() is not None
    assert on_log.capture() is None
    assert MachineOnLog(Counter(0), {}, LogBounds(4, 9)).capture() is None


def test_progress_alone_is_worth_a_snapshot() -> None:
    on_log = run_to(1)
    on_log.take(record(1, b"b", b"drop"))
    on_log.capture()
    on_log.take(record(2, b"b", b"drop"))
    on_log.machine.changed()
    assert on_log.capture() is not None


def test_from_the_rewind_point_it_folds_and_from_the_snapshot_it_applies() -> None:
    on_log = run_to(100, Recent(0))
    snapshot = on_log.capture()
    assert snapshot is not None
    assert (snapshot.next_offset, snapshot.replay_from) == (100, 60)
    again = MachineOnLog(Recent(0), stored(snapshot), LogBounds(60, 100, committed=60))
    assert again.position == 60
    for number in range(60, 100):
        assert again.take(record(number)) == ()
        assert again.capture() is None, "while it folds, the state is that of the snapshot"
    assert [output.value for output in again.take(record(100))] == [b"0/100 a 101 40"]


def test_a_machine_that_rewinds_must_fold() -> None:
    class Forgetful(Counter):
        def rewind(self, next_offset: int) -> int:
            return next_offset - 1

    snapshot = run_to(5, Forgetful(0)).capture()
    again = MachineOnLog(Forgetful(0), stored(snapshot), LogBounds(0, 5))
    with pytest.raises(TypeError, match="has to fold"):
        again.take(record(4))


@pytest.mark.parametrize("point", [-1, 6])
def test_a_rewind_point_outside_of_the_log_is_a_bug(point: int) -> None:
    class Wild(Counter):
        def rewind(self, next_offset: int) -> int:
            return point

    with pytest.raises(ValueError, match=f"wants to rewind to {point}"):
        run_to(5, Wild(0)).capture()


def test_the_harness_key_is_not_for_machines() -> None:
    class Greedy(Counter):
        def changed(self) -> Iterable[tuple[bytes, bytes | None]]:
            yield PROGRESS_KEY, b""

    with pytest.raises(ValueError, match="must not use the key"):
        run_to(1, Greedy(0)).capture()


def test_a_log_that_lost_its_beginning_is_refused() -> None:
    snapshot = run_to(100, Recent(0)).capture()
    with pytest.raises(TruncatedLogError, match=r"begin at offset 60, but the log begins at 61: 1 records are gone"):
        MachineOnLog(Recent(0), stored(snapshot), LogBounds(61, 100, committed=60))


def test_a_log_that_is_shorter_than_its_snapshot_is_refused() -> None:
    with pytest.raises(ShortLogError):
        MachineOnLog(Counter(0), stored(run_to(5).capture()), LogBounds(0, 4))


def test_a_commit_without_a_snapshot_is_refused() -> None:
    with pytest.raises(LostSnapshotError, match="offset 3 was committed"):
        MachineOnLog(Counter(0), {}, LogBounds(0, 9, committed=3))


def test_half_a_snapshot_is_refused() -> None:
    with pytest.raises(LostSnapshotError, match="has 1 records"):
        MachineOnLog(Counter(0), {b"count/a": b"1"}, LogBounds(0, 9))


@pytest.mark.parametrize("progress", [b"", b"{}", b'{"next":1,"v":2}'])
def test_a_snapshot_of_another_format_is_refused(progress: bytes) -> None:
    with pytest.raises(SnapshotFormatError):
        MachineOnLog(Counter(0), {PROGRESS_KEY: progress}, LogBounds(0, 9))
