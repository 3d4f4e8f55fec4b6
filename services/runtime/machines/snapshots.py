"""A machine and its place on the log: what it may take next, what a snapshot of it holds, how it is taken up again.

Pure: the harness does the reading and writing, and tests drive the same code without a broker.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import msgspec

from services.runtime.machines.chain import Chains, Row
from services.runtime.machines.machine import Machine, Output, Record

PROGRESS_KEY = b"progress"
"""The harness's own record in every snapshot; a machine must not use this key."""

FORMAT = 1


class LogError(Exception):
    """The log and the snapshot do not fit together; going on would lose or invent something."""


class GapError(LogError):
    """Records are missing in the middle of the log."""


class TruncatedLogError(LogError):
    """The log begins after the point from which the machine has to replay."""


class ShortLogError(LogError):
    """The log ends before the snapshot: it is not the log that the snapshot was made of."""


class LostSnapshotError(LogError):
    """There is no snapshot although an offset was committed, which happens only after the first one."""


class SnapshotFormatError(LogError):
    """The snapshot was written in another format."""


class Progress(msgspec.Struct, frozen=True):
    """The record under `PROGRESS_KEY`: `next` is S, the first offset that the snapshot has not seen.

    chains: the heads of what the machine has written on `audit` until then.
    """

    next: int
    v: int = FORMAT
    chains: tuple[Row, ...] = ()


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What one transaction writes: the records that changed, and where the state belongs on the log.

    next_offset: S, from where records are applied. replay_from: R <= S, from where they are folded; what is committed.
    chains: the heads of the audit's chains at S.
    """

    next_offset: int
    replay_from: int
    changed: tuple[tuple[bytes, bytes | None], ...]
    chains: tuple[Row, ...] = ()

    def records(self) -> list[tuple[bytes, bytes | None]]:
        """Keys and values to write, all or nothing; None deletes."""
        progress = Progress(self.next_offset, chains=self.chains)
        return [*self.changed, (PROGRESS_KEY, msgspec.json.encode(progress))]

    def size(self) -> int:
        """Bytes of all keys and values."""
        return sum(len(key) + len(value or b"") for key, value in self.records())


@dataclass(frozen=True, slots=True)
class LogBounds:
    """Of one partition: the first offset there is, the next one to be written, and the group's committed offset."""

    start: int
    end: int
    committed: int | None = None


class MachineOnLog:
    """A machine that was taken up from a snapshot and now goes along its log, record by record.

    `position` is the next offset it needs; `snapshot_at` the S of the last snapshot; `replay_from` its R.
    """

    def __init__(
        self, machine: Machine, records: Mapping[bytes, bytes], bounds: LogBounds, audit_partitions: int = 1
    ) -> None:
        """Loads the snapshot's `records` (none for a start from the log's beginning) into a fresh machine.

        Raises a LogError if they and the log do not fit together.
        """
        self.machine = machine
        self.fresh = PROGRESS_KEY not in records
        self._chains = Chains(audit_partitions)
        if self.fresh:
            _check_first_start(records, bounds)
            self.snapshot_at = self.replay_from = bounds.start
        else:
            progress = _decode_progress(records[PROGRESS_KEY])
            self.snapshot_at = progress.next
            self._chains = Chains(audit_partitions, progress.chains)
            machine.load((key, value) for key, value in records.items() if key != PROGRESS_KEY)
            self.replay_from = self._rewound()
            _check_bounds(self.replay_from, self.snapshot_at, bounds)
        self.position = self.replay_from
        self._apply_from = self.snapshot_at

    def take(self, record: Record) -> Sequence[Output]:
        """Fold or apply the next record; its outputs. One that was taken already is passed over. Raises GapError."""
        if record.offset != self.position:
            if record.offset < self.position:
                return ()
            missing = record.offset - self.position
            raise GapError(f"offset {record.offset} follows {self.position - 1}: {missing} records are missing")
        if record.offset < self._apply_from:
            self.machine.fold(record)
            outputs: Sequence[Output] = ()
        else:
            outputs = tuple(map(self._chains.seal, self.machine.apply(record)))
        self.position += 1
        return outputs

    def capture(self) -> Snapshot | None:
        """The snapshot to write now, between two records; None if the log has not moved since the last one.

        The machine counts the changes as saved: if they cannot be written, it must not go on.
        """
        if self.position <= self.snapshot_at:
            return None
        changed = tuple(self.machine.changed())
        if any(key == PROGRESS_KEY for key, _ in changed):
            raise ValueError(f"a machine must not use the key {PROGRESS_KEY!r} in its snapshots")
        self.snapshot_at = self.position
        self.replay_from = self._rewound()
        return Snapshot(self.snapshot_at, self.replay_from, changed, self._chains.rows())

    def _rewound(self) -> int:
        point = self.machine.rewind(self.snapshot_at)
        if not 0 <= point <= self.snapshot_at:
            raise ValueError(f"a machine at {self.snapshot_at} wants to rewind to {point}")
        return point


def _decode_progress(value: bytes) -> Progress:
    try:
        progress = msgspec.json.decode(value, type=Progress)
    except msgspec.MsgspecError as error:
        raise SnapshotFormatError(f"the progress record of the snapshot cannot be read: {error}") from None
    if progress.v != FORMAT:
        raise SnapshotFormatError(f"the snapshot has format {progress.v}, this program reads {FORMAT}")
    return progress


def _check_first_start(records: Mapping[bytes, bytes], bounds: LogBounds) -> None:
    if bounds.committed:
        raise LostSnapshotError(f"offset {bounds.committed} was committed, but there is no snapshot to go on from")
    if records:
        raise LostSnapshotError(f"the snapshot has {len(records)} records, but not the one that says where it belongs")


def _check_bounds(replay_from: int, snapshot_at: int, bounds: LogBounds) -> None:
    if replay_from < bounds.start:
        raise TruncatedLogError(
            f"the replay has to begin at offset {replay_from}, but the log begins at {bounds.start}: "
            f"{bounds.start - replay_from} records are gone"
        )
    if snapshot_at > bounds.end:
        raise ShortLogError(f"the snapshot was made at offset {snapshot_at}, but the log ends at {bounds.end}")
