"""The audit for people outside: a row for each record, with who, what, when, why, on whose approval, on which evidence.

The columns stay as they are, in this order; later ones come at the end.
"""

import csv
import io
import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from schemas.audit import AuditRecord

COLUMNS: Final = (
    "at", "who", "what", "target", "outcome", "why", "note", "approved_by",
    "indicator", "value", "threshold", "window_from", "window_to", "policy", "sources",
    "alert_id", "command_id", "generation", "holds", "detail",
    "writer", "partition", "offset", "number", "digest", "audit_id",
)  # fmt: skip
Cell = str | int | float | None
Row = Mapping[str, Cell]

_ASKING: Final = ("waiting", "masked")
"""Outcomes of an order that may wait for approval."""
_NOT_TAKEN: Final = ("refused", "stale", "repeated")
_FORMULAS: Final = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20", "\t", "\r", "\n")
"""What a spreadsheet takes for the beginning of a formula; also in full width."""


class Approvals:
    """Who approved what, from all records: an order comes before its approval."""

    def __init__(self) -> None:
        self._given: dict[str, list[tuple[datetime, str]]] = defaultdict(list)

    def add(self, record: AuditRecord) -> None:
        """Takes in one record; any but an approval is passed over."""
        if record.what in ("approve", "approve_policy") and record.outcome not in _NOT_TAKEN:
            for each in record.holds or [record.target]:
                self._given[each].append((record.at, record.who))

    def of(self, record: AuditRecord) -> list[str]:
        """Whose approval stands behind a record, in the order in which they gave it."""
        if record.what in ("approve", "approve_policy") and record.outcome not in _NOT_TAKEN:
            return [record.who]
        if record.outcome not in _ASKING:
            return []
        given = [one for each in record.holds or [record.target] for one in self._given.get(each, ())]
        return list(dict.fromkeys(who for at, who in sorted(given) if at >= record.at))


def row_of(record: AuditRecord, partition: int, offset: int, approved_by: Sequence[str]) -> Row:
    """One record as a row; None where it says nothing."""
    detail = dict(record.detail)
    found, note = detail.pop("evidence", None), detail.pop("note", None)
    evidence: dict[str, Any] = found if isinstance(found, dict) else {}
    window, policy = evidence.get("window", {}), evidence.get("policy", {})
    return {
        "at": record.model_dump(mode="json", include={"at"})["at"],
        "who": record.who,
        "what": record.what,
        "target": record.target,
        "outcome": record.outcome,
        "why": record.why,
        "note": note,
        "approved_by": " ".join(approved_by) or None,
        "indicator": evidence.get("indicator"),
        "value": evidence.get("value"),
        "threshold": evidence.get("threshold"),
        "window_from": window.get("from"),
        "window_to": window.get("to"),
        "policy": f"{policy['name']}/{policy['version']}" if policy else None,
        "sources": " ".join(map(_source, evidence.get("sources", ()))) or None,
        "alert_id": record.alert_id,
        "command_id": record.command_id,
        "generation": record.generation,
        "holds": " ".join(record.holds) or None,
        "detail": json.dumps(detail, ensure_ascii=False, sort_keys=True) if detail else None,
        "writer": record.writer,
        "partition": partition,
        "offset": offset,
        "number": None if record.chain is None else record.chain.number,
        "digest": None if record.chain is None else record.chain.digest,
        "audit_id": record.audit_id,
    }


def _source(said: Mapping[str, Any]) -> str:
    """A range of a raw topic, `topic/partition:from-to`, the end not included."""
    return f"{said['topic']}/{said['partition']}:{said['from']}-{said['to']}"


def csv_line(cells: Sequence[Cell]) -> bytes:
    """A line as spreadsheets read it: every cell in quotes, and none a formula. For the header too."""
    out = io.StringIO()
    csv.writer(out, quoting=csv.QUOTE_ALL).writerow([_harmless(each) for each in cells])
    return out.getvalue().encode()


def json_line(row: Row) -> bytes:
    """A row as a line of JSON."""
    return json.dumps({name: row[name] for name in COLUMNS}, ensure_ascii=False).encode() + b"\n"


def _harmless(cell: Cell) -> Cell:
    """Text that would be taken for a formula gets an apostrophe in front, as spreadsheets themselves do it."""
    if isinstance(cell, str) and (cell.startswith(_FORMULAS) or cell.lstrip().startswith(_FORMULAS)):
        return f"'{cell}"
    return cell
