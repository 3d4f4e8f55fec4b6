"""From records to rows without personal data, and from rows to records that ingest reads as it read the first ones.

There is a row for every record, also for a bad one and for a duplicate: what ingest makes of them, a backtest finds
out again.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from schemas.base import from_ms
from services.cli.archive.columns import LEFT_OUT, event_columns
from services.cli.backtest.pipeline import RawRecord
from services.ingest.frames.pseudonyms import Actors, Pseudonyms, SharedAddresses
from services.ingest.frames.redaction import quote
from services.ingest.reading.judging import Judge, Judged
from services.ingest.reading.records import Records

Row = dict[str, Any]
"""By column; what is missing is null."""


class Masking:
    """Makes the rows of one raw topic.

    key: ingest's, so that an actor is called in the archive as it is in alerts.
    """

    def __init__(self, topic: str, key: bytes) -> None:
        self._judge = Judge(topic, "wall")
        self._accounts = Pseudonyms(key, "account")
        self._addresses = Actors(Pseudonyms(key, "ip"), SharedAddresses(()))
        self._left_out = LEFT_OUT.get(topic, ())

    def rows(self, partition: int, records: Records) -> list[Row]:
        """The rows of some records of one source partition."""
        judged = self._judge.judge(records)
        rows = list(_in_order(len(records), judged, self._events(judged)))
        for row, offset, stamp in zip(rows, records.offsets, records.stamps, strict=True):
            row.update(partition=partition, offset=offset, appended_at=stamp)
        return rows

    def _events(self, judged: Judged) -> Iterator[Row]:
        for event, at in zip(judged.events, judged.times, strict=True):
            row = msgspec.structs.asdict(event)
            row["type"], row["occurred_at"] = event.event_type, at
            self._mask(row)
            yield row

    def _mask(self, row: Row) -> None:
        if (ip := row.get("ip")) is not None:
            actor = self._addresses[ip]
            row["ip"] = None if actor is None else actor.hex()
        if (account := row.get("account_id")) is not None:
            row["account_id"] = self._accounts.of(account).hex()
        if "text" in row:
            row["text"] = quote(row["text"]) if row["text"] and row.get("sentiment") == "negative" else None
        for name in self._left_out:
            row.pop(name, None)


def _in_order(count: int, judged: Judged, events: Iterator[Row]) -> Iterator[Row]:
    if not judged.bad:
        return events
    return (
        {"problem": "; ".join(f"{each.field} {each.problem}".strip() for each in judged.bad[index])}
        if index in judged.bad
        else next(events)
        for index in range(count)
    )


class Restoring:
    """Makes records of the rows of one raw topic."""

    def __init__(self, topic: str) -> None:
        self._topic = topic
        self._fields = event_columns(topic).keys()

    def record(self, row: Mapping[str, Any]) -> RawRecord:
        """One record. A bad one has no value, which is as bad."""
        value = None if row.get("type") is None else self._value(row)
        return RawRecord(self._topic, row["partition"], row["offset"], row["appended_at"], value)

    def _value(self, row: Mapping[str, Any]) -> bytes:
        event = {name: value for name, value in row.items() if value is not None and name in self._fields}
        event["occurred_at"] = from_ms(event["occurred_at"]).isoformat()
        return msgspec.json.encode(event)
