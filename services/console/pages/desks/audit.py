"""Searching the audit, and handing over what was found. Pure."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from schemas.audit import AuditRecord
from services.auditing.rows import COLUMNS, Approvals, csv_line, json_line, row_of
from services.console.state.views import Place

PAGE: Final = 100
BOM: Final = b"\xef\xbb\xbf"
"""Without it spreadsheets take Chinese for something else."""
Entry = tuple[Place, AuditRecord]


@dataclass(frozen=True, slots=True)
class Search:
    """What is looked for; what is empty is not asked. since, until: as a browser's field of a date and time says them.

    word: anywhere in what was done, why, and the rest. command: of an order, or the alert that it belongs to.
    """

    target: str = ""
    who: str = ""
    word: str = ""
    command: str = ""
    since: str = ""
    until: str = ""

    def fields(self) -> dict[str, str]:
        """Those that are asked, for a link."""
        return {name: value for name in self.__slots__ if (value := getattr(self, name))}

    def within(self, zone: ZoneInfo) -> tuple[datetime | None, datetime | None]:
        """The time that is looked at. Raises ValueError for what is no time."""
        return _moment(self.since, zone), _moment(self.until, zone)


class Finder:
    """Tells the records that a search asks for from others. Raises ValueError for a time that is none."""

    def __init__(self, search: Search, zone: ZoneInfo) -> None:
        self._search = search
        self._since, self._until = search.within(zone)

    def finds(self, record: AuditRecord) -> bool:
        """Whether it is one of them."""
        search = self._search
        return (
            (self._since is None or record.at >= self._since)
            and (self._until is None or record.at < self._until)
            and search.target.lower() in record.target.lower()
            and search.who.lower() in record.who.lower()
            and (not search.command or search.command in (record.command_id, *record.alerts()))
            and (not search.word or search.word.lower() in _said(record))
        )

    def page(self, entries: Sequence[Entry], number: int) -> tuple[list[Entry], bool]:
        """A page of what is found, the newest first, and whether there are more. Pages count from 1."""
        found, skip = list[Entry](), (number - 1) * PAGE
        for entry in reversed(entries):
            if self.finds(entry[1]):
                if skip:
                    skip -= 1
                elif len(found) == PAGE:
                    return found, True
                else:
                    found.append(entry)
        return found, False


def exported(entries: Sequence[Entry], finder: Finder, form: str) -> Iterator[bytes]:
    """What is found as `csv` or `jsonl`, the oldest first, in the form of `tidegate audit export`.

    Approvals are looked for among all entries: they come after what they approve.
    """
    approvals = Approvals()
    for _, record in entries:
        approvals.add(record)
    if form == "csv":
        yield BOM + csv_line(COLUMNS)
    for (_, partition, offset), record in entries:
        if finder.finds(record):
            row = row_of(record, partition, offset, approvals.of(record))
            yield csv_line([row[name] for name in COLUMNS]) if form == "csv" else json_line(row)


def _moment(text: str, zone: ZoneInfo) -> datetime | None:
    if not text:
        return None
    at = datetime.fromisoformat(text)
    return at if at.tzinfo is not None else at.replace(tzinfo=zone)


def _said(record: AuditRecord) -> str:
    detail = json.dumps(record.detail, ensure_ascii=False) if record.detail else ""
    return f"{record.what} {record.outcome} {record.why or ''} {record.why_zh or ''} {record.writer} {detail}".lower()
