"""Toy machines for the harness's tests: small enough to be right at a glance, with outputs that tell on any mistake."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from schemas.topics import ALERTS, CHANNEL_COMMANDS, STATE_CHANNEL_CONTROL
from services.runtime.machines.machine import Machine, Output, Record

LOG, STATE, OUT = CHANNEL_COMMANDS, STATE_CHANNEL_CONTROL, ALERTS
"""Real topics stand in, since the registry is closed; a prefix keeps the tests apart."""


class Counter(Machine):
    """Counts the records of each key. The output names the record and the count, so it is right or wrong by itself."""

    def __init__(self, partition: int) -> None:
        self.partition = partition
        self.counts: dict[bytes, int] = {}
        self._touched: set[bytes] = set()

    def apply(self, record: Record) -> Iterable[Output]:
        """A record `drop` removes its key; any other counts."""
        key = record.key or b""
        if record.value == b"drop":
            self.counts.pop(key, None)
        else:
            self.counts[key] = self.counts.get(key, 0) + 1
        self._touched.add(key)
        said = f"{self.partition}/{record.offset} {key.decode()} {self.counts.get(key, 0)}"
        yield Output(OUT, key, said.encode())

    def changed(self) -> Iterable[tuple[bytes, bytes | None]]:
        """A record a key."""
        touched, self._touched = self._touched, set()
        for key in sorted(touched):
            yield b"count/" + key, str(self.counts[key]).encode() if key in self.counts else None

    def load(self, records: Iterable[tuple[bytes, bytes]]) -> None:
        """The counts."""
        self.counts = {key.removeprefix(b"count/"): int(value) for key, value in records}


class Recent(Counter):
    """Also says how often the key is among the last `WINDOW` records, which it does not save but folds again."""

    WINDOW = 40

    def __init__(self, partition: int) -> None:
        super().__init__(partition)
        self.window: deque[bytes] = deque(maxlen=self.WINDOW)
        self.first: int | None = None

    def apply(self, record: Record) -> Iterable[Output]:
        """The count, and how often the key is in the window."""
        self.fold(record)
        if self.first is None:
            self.first = record.offset
        for output in super().apply(record):
            inside = sum(key == record.key for key in self.window)
            yield Output(output.topic, output.key, (output.value or b"") + f" {inside}".encode())

    def changed(self) -> Iterable[tuple[bytes, bytes | None]]:
        """Also where the log began, before which nothing can be replayed."""
        yield from super().changed()
        yield b"first", str(self.first).encode()

    def load(self, records: Iterable[tuple[bytes, bytes]]) -> None:
        """The counts, and where the log began."""
        rest = dict(records)
        self.first = int(rest.pop(b"first"))
        super().load(rest.items())

    def rewind(self, next_offset: int) -> int:
        """The whole window must be folded again."""
        return max(self.first or 0, next_offset - self.WINDOW)

    def fold(self, record: Record) -> None:
        """Into the window."""
        self.window.append(record.key or b"")


def outputs(machine: Counter, log: Iterable[Record]) -> list[bytes]:
    """What an undisturbed machine says to a whole log: the truth to compare with."""
    return [output.value or b"" for record in log for output in machine.apply(record)]
