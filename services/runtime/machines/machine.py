"""What a stateful service is: a pure machine for each partition of one topic, which is its write-ahead log.

The harness (`faust_io`) makes any machine durable: it feeds the log, sends what comes out, takes snapshots, and after a
death replays from the last one. It relies on one thing only, that a machine is a function of its log.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Protocol

from services.runtime.tracing.traces import Headers


@dataclass(frozen=True, slots=True)
class Record:
    """One message of the log. `timestamp_ms` is the broker's append time, so it is part of the log too."""

    offset: int
    timestamp_ms: int
    key: bytes | None
    value: bytes


@dataclass(frozen=True, slots=True)
class Output:
    """One message to send. `topic` is the logical name; without `partition` the key decides (murmur2).

    headers: whom it belongs to for tracing; a machine says nothing there.
    """

    topic: str
    key: bytes | None
    value: bytes | None
    partition: int | None = None
    headers: Headers = ()


class Machine(Protocol):
    """Pure and deterministic: the same records give the same outputs and state, whatever was restarted in between.

    The harness calls, on a fresh machine: `load` (once, if there is a snapshot), `rewind`, then `fold` for each record
    in `R..S` and `apply` for each from `S` on; at a snapshot `changed`, then `rewind`. Inherit from this class for the
    defaults of the last two.
    """

    def apply(self, record: Record) -> Iterable[Output]:
        """Fold, judge, change the state; no clock, no I/O. The outputs of a replay must be the same, ids included.

        What is for `audit` gets its place in the writer's hash chain from the harness, see `chain` beside this.
        An exception ends the process, which then tries the same record again: raise only for a bug, never for input.
        """
        ...

    def changed(self) -> Iterable[tuple[bytes, bytes | None]]:
        """Snapshot records that changed since the last call; None deletes one. Together they are the whole state.

        Called between two records. All of them are stored in one transaction together with the next offset.
        """
        ...

    def load(self, records: Iterable[tuple[bytes, bytes]]) -> None:
        """Take over the state of a snapshot, on a fresh machine; afterwards nothing counts as changed."""
        ...

    def rewind(self, next_offset: int) -> int:
        """Where a replay of the state as of the last snapshot (or load) at `next_offset` = S has to begin: R <= S.

        Called right after `changed` and right after `load`, and gives the same for the same snapshot. R never falls.
        """
        return next_offset

    def fold(self, record: Record) -> None:
        """Take in a record of `R..S`, which the snapshot has seen already: rebuild what it left out, judge nothing."""
        raise TypeError("a machine that rewinds has to fold")


class Companion(Protocol):
    """What runs beside the machine on the owner of a partition, and may do I/O: a reconciler, a deliverer.

    It reads the machine but never changes it; what it has to tell goes to the log as a message. An exception of its
    own tasks is its own matter; one from these methods ends the process.
    """

    async def start(self, partition: int, machine: Any) -> None:
        """The machine is loaded, and this process owns the partition. Must not wait for messages of the log."""
        ...

    async def stop(self, partition: int) -> None:
        """The partition is being given up; return within a second or two, having cancelled all work for it."""
        ...

    def kick(self, partition: int) -> None:
        """Some records were applied and their outputs acknowledged: look again. Called often; must be quick."""
        ...


@dataclass(frozen=True, slots=True)
class MachineService:
    """A service for the harness: its name (also its consumer group), its log and its snapshots (logical topics)."""

    name: str
    topic: str
    state_topic: str
    build: Callable[[int], Machine]
    companion: Companion | None = None
