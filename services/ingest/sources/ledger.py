"""Ingest's side of the ledger: what became of every record of a source partition, since its beginning.

The counts travel as the metadata of the committed offset, so they are exactly as durable as it is. It says for which
offset it was written: whoever sets the offset of a group by hand leaves none, or that of another offset.
"""

import json
from collections import Counter
from dataclasses import dataclass, field, fields, replace
from typing import Any, Final

_COUNTS: Final = ("read", "valid", "duplicate", "dead", "control", "routed")


@dataclass(slots=True)
class Ledger:
    """Counts since the beginning of a source partition, and how far its times have got.

    read = valid + duplicate + dead + control. valid: good events that are no duplicates. routed: rows sent to the
    frames of each subject. base, anew_ms: the offset from which all this counts, and when (ms) these books were begun
    there, because an offset was found that ingest had not committed; 0 for the first books. append_ms: the largest
    append time read. event_ms: the time read on the `events` clock. None until there is one.
    """

    read: int = 0
    valid: int = 0
    duplicate: int = 0
    dead: int = 0
    control: int = 0
    routed: Counter[str] = field(default_factory=Counter)
    base: int = 0
    anew_ms: int = 0
    append_ms: int | None = None
    event_ms: int | None = None

    def metadata(self, offset: int) -> str:
        """As the metadata of this committed offset."""
        values = {"at": offset} | {each.name: getattr(self, each.name) for each in fields(self)}
        return json.dumps({name: value for name, value in values.items() if value is not None})

    def copy(self) -> "Ledger":
        """As it is now."""
        return replace(self, routed=Counter(self.routed))

    def moved(self, *, append_ms: int | None = None, event_ms: int | None = None) -> None:
        """Notes times that were read; they never fall."""
        if append_ms is not None and (self.append_ms is None or append_ms > self.append_ms):
            self.append_ms = append_ms
        if event_ms is not None and (self.event_ms is None or event_ms > self.event_ms):
            self.event_ms = event_ms


class LedgerError(ValueError):
    """The metadata of a committed offset is not what ingest wrote for it: somebody else commits in its group."""


def from_metadata(text: str, offset: int) -> Ledger:
    """The ledger in the metadata of this committed offset. Raises LedgerError."""
    known = {each.name for each in fields(Ledger)}
    try:
        values = json.loads(text)
        found = {name: _count(value) for name, value in values.items() if name in known}
        at = int(values.get("at", offset))
    except (ValueError, AttributeError, TypeError) as error:
        raise LedgerError("the committed offset carries no ledger") from error
    if missing := [name for name in _COUNTS if name not in found]:
        raise LedgerError(f"the committed offset's ledger lacks {', '.join(missing)}")
    if at != offset:
        raise LedgerError(f"the committed offset {offset} carries the ledger of offset {at}")
    return Ledger(**found)


def _count(value: Any) -> Any:
    """A count, or the counts by subject."""
    return Counter({str(name): int(each) for name, each in value.items()}) if isinstance(value, dict) else int(value)
