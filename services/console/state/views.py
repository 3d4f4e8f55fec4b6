"""What the console knows, folded from the log records it has read. Pure and bounded; times are the broker's."""

from bisect import insort
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Final, Generic, TypeVar

from schemas.alerts import AlertState
from schemas.audit import AuditRecord
from schemas.base import Versioned
from schemas.channels import ChannelState, FourEyesRequest, Hold

_NEVER: Final = datetime.max.replace(tzinfo=UTC)
Value = TypeVar("Value", bound=Versioned)


class Latest(Generic[Value]):
    """The value of highest `rank` of each key of a compacted topic.

    After a death a machine writes again what it wrote since its last snapshot, so older values come later.
    """

    def __init__(self, model: type[Value], rank: Callable[[Value], tuple[int, ...]]) -> None:
        self._model = model
        self._rank = rank
        self._values: dict[str, Value] = {}

    def fold(self, key: bytes, value: bytes | None) -> None:
        """Takes in one record; None removes the key. Raises ValueError for what is not of the model."""
        if value is None:
            self._values.pop(key.decode(), None)
            return
        name, new = key.decode(), self._model.model_validate_json(value)
        known = self._values.get(name)
        if known is None or self._rank(new) >= self._rank(known):
            self._values[name] = new

    def get(self, key: str) -> Value | None:
        """The value of a key."""
        return self._values.get(key)

    def values(self) -> Iterator[Value]:
        """All values."""
        return iter(self._values.values())


class Channels(Latest[ChannelState]):
    """The state of each target."""

    def __init__(self) -> None:
        super().__init__(ChannelState, lambda state: (state.generation, state.seq))

    def of_kind(self, kind: str, after: str, limit: int) -> list[ChannelState]:
        """At most `limit` targets of a kind (`channel`), by name, beginning behind `after`."""
        prefix = f"{kind}:"
        found = [state for state in self.values() if state.target.startswith(prefix) and state.target > after]
        return sorted(found, key=lambda state: state.target)[:limit]

    def waiting(self) -> list[tuple[ChannelState, Hold]]:
        """The holds that wait for a person's approval, with their target; those that expire first come first."""
        found = [(state, hold) for state in self.values() for hold in state.holds if _asks_people(hold)]
        return sorted(found, key=lambda pair: (pair[1].decide_by or _NEVER, pair[0].target, pair[1].hold_id))

    def requests(self) -> list[tuple[ChannelState, FourEyesRequest]]:
        """What other people have to agree to, with its target; what expires first comes first."""
        found = [(state, request) for state in self.values() for request in state.requests]
        return sorted(found, key=lambda pair: (pair[1].decide_by, pair[0].target, pair[1].request_id))


def _asks_people(hold: Hold) -> bool:
    """What still asks the governor, for milliseconds, asks nobody else."""
    return hold.approval == "waiting" and hold.claim != "asked"


class Alerts(Latest[AlertState]):
    """The alerts; `capacity`: at most so many resolved ones, of which the newest are kept."""

    def __init__(self, capacity: int) -> None:
        super().__init__(AlertState, lambda alert: (alert.seq,))
        self._capacity = capacity
        self._resolved: dict[str, None] = {}
        self._open: dict[str, dict[str, AlertState]] = {}

    def fold(self, key: bytes, value: bytes | None) -> None:
        """As for all; forgets the alert that was resolved first when there are too many."""
        name = key.decode()
        before = self.get(name)
        super().fold(key, value)
        self._resolved.pop(name, None)
        state = self.get(name)
        self._note_open(name, before, state)
        if state is not None and state.status == "resolved":
            self._resolved[name] = None
            if len(self._resolved) > self._capacity:
                super().fold(next(iter(self._resolved)).encode(), None)
                self._resolved.pop(next(iter(self._resolved)))

    def _note_open(self, name: str, before: AlertState | None, after: AlertState | None) -> None:
        if before is not None and before.status != "resolved":
            alerts = self._open[before.subject]
            del alerts[name]
            if not alerts:
                del self._open[before.subject]
        if after is not None and after.status != "resolved":
            self._open.setdefault(after.subject, {})[name] = after

    def open_by_subject(self) -> Mapping[str, Mapping[str, AlertState]]:
        """Those that are open, by subject and id, kept so that boards need not look at all."""
        return self._open

    def newest(self, wanted: Callable[[AlertState], bool], limit: int) -> list[AlertState]:
        """At most `limit` alerts, the one opened last first."""
        found = [state for state in self.values() if wanted(state)]
        return sorted(found, key=lambda state: (state.opened_at, state.alert_id), reverse=True)[:limit]


Place = tuple[int, int, int]
"""Append time in ms, partition, offset: the order in which the audit is shown."""


class Audit:
    """At least the last `capacity` records of the audit, and what came of each order in them.

    since_ms: all records that were appended later are here; it rises when older ones have to be forgotten.
    """

    def __init__(self, capacity: int, since_ms: int) -> None:
        self.since_ms = since_ms
        self._capacity = capacity
        self._records: list[tuple[Place, AuditRecord]] = []
        self._read_to: dict[int, int] = {}
        self._outcomes: dict[str, AuditRecord] = {}

    def fold(self, place: Place, value: bytes) -> AuditRecord | None:
        """Takes in one record; None if it had been read before. Raises ValueError for what is no audit record."""
        _, partition, offset = place
        if offset < self._read_to.get(partition, 0):
            return None
        self._read_to[partition] = offset + 1
        record = AuditRecord.model_validate_json(value)
        insort(self._records, (place, record), key=lambda entry: entry[0])
        if record.command_id is not None:
            self._outcomes.setdefault(record.command_id, record)
        if len(self._records) > self._capacity + self._capacity // 4:  # now and then, since it moves all the others
            self._forget()
        return record

    def _forget(self) -> None:
        surplus = len(self._records) - self._capacity
        for _, record in self._records[:surplus]:
            if record.command_id is not None and self._outcomes.get(record.command_id) is record:
                del self._outcomes[record.command_id]
        self.since_ms = max(self.since_ms, self._records[surplus - 1][0][0])
        del self._records[:surplus]

    def newest(self, wanted: Callable[[AuditRecord], bool], limit: int) -> list[AuditRecord]:
        """At most `limit` records, the newest first."""
        found: list[AuditRecord] = []
        for _, record in reversed(self._records):
            if len(found) == limit:
                break
            if wanted(record):
                found.append(record)
        return found

    def entries(self) -> list[tuple[Place, AuditRecord]]:
        """All records that are known at this moment, the oldest first, for whoever takes their time."""
        return list(self._records)

    def outcome_of(self, command_id: str) -> AuditRecord | None:
        """What came of an order: the first that was written of it."""
        return self._outcomes.get(command_id)
