"""Frames as ingest makes them, from events as plain dicts, without a broker.

maker = FrameMaker(partitions=1)
for subject, partition, frame in maker.poll([("channel-events", 0, 17, {"type": "click", …}), …]): …
mark = maker.mark(wall_ms, policy=Policy(version=1))
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from schemas.base import read_instant, to_ms
from schemas.events import EVENTS
from schemas.frames import Mark, SubjectFrame
from schemas.policy import Policy
from services.ingest import marks
from services.ingest.frames.pseudonyms import Pseudonyms, normal_address
from services.ingest.frames.routing import Router, Rows
from services.ingest.marks import Clock, PolicyInMarks
from services.ingest.reading.records import Records
from services.ingest.sources.quarantine import BadLimit
from services.ingest.sources.source import Source

KEY = b"the pseudonym key of the tests"

Placed = tuple[str, int, int, Mapping[str, Any]]
"""(topic, source partition, offset, event)"""


def actor(ip: str) -> bytes:
    """The pseudonym of an address."""
    return Pseudonyms(KEY, "ip").of(normal_address(ip))


def account(account_id: str) -> bytes:
    """The pseudonym of an account."""
    return Pseudonyms(KEY, "account").of(account_id)


class FrameMaker:
    """One ingest, from the first offsets on: it keeps what it has read between polls.

    partitions: of the raw and the frames topics. shared: addresses that are no actors. The append time of a record is
    its event's time unless `lag_ms` puts it later.
    """

    def __init__(
        self, partitions: int = 1, *, shared: Iterable[str] = (), clock: Clock = "wall", lag_ms: int = 0
    ) -> None:
        self._partitions = partitions
        self._clock = clock
        self._lag_ms = lag_ms
        self._router = Router(KEY, shared)
        self._sources: dict[tuple[str, int], Source] = {}

    def poll(self, placed: Iterable[Placed]) -> list[tuple[str, int, SubjectFrame]]:
        """(subject, partition, frame) of what one poll found; the offsets of a source partition must rise.

        A producer's duplicates give no row. Raises AssertionError for an event that is not valid.
        """
        found: dict[tuple[str, int], Records] = {}
        for topic, partition, offset, event in placed:
            records = found.get((topic, partition))
            if records is None:
                first = self._source(topic, partition).next
                records = found[topic, partition] = Records(first, first)
            records.offsets.append(offset)
            records.stamps.append(to_ms(read_instant(event["occurred_at"])) + self._lag_ms)
            records.values.append(json.dumps(event, ensure_ascii=False).encode())
            records.next = offset + 1
        rows = Rows()
        for (topic, partition), records in found.items():
            taken = self._source(topic, partition).take(records, self._router, rows, seal=lambda raw: "")
            assert not taken.dead, [letter.errors for letter in taken.dead]
        return list(rows.frames(self._partitions))

    def mark(self, wall_ms: int, policy: Policy, *, told: bool = False, caught_up: bool = True) -> Mark:
        """A mark that owns every source partition; caught up, each of them is read up to `wall_ms`."""
        progress = [
            marks.Progress(
                source.source,
                source.next,
                source.ledger.append_ms,
                source.ledger.event_ms,
                wall_ms if caught_up else None,
            )
            for source in (self._source(topic, partition) for topic in EVENTS for partition in range(self._partitions))
        ]
        document = None if told else policy.model_dump_json().encode()
        return marks.build(wall_ms, self._clock, self._partitions, progress, PolicyInMarks(policy.label, document))

    def _source(self, topic: str, partition: int) -> Source:
        known = self._sources.get((topic, partition))
        if known is None:
            known = self._sources[topic, partition] = Source(topic, partition, self._clock, BadLimit())
        return known
