"""Commands as the services would give them for some raw records, and what a proof of each says, without a broker."""

import json
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

from schemas.base import Bilingual, from_ms
from schemas.commands import Command
from schemas.events import TOPIC_OF
from schemas.frames import MEASURES
from schemas.policy import Policy
from services.cli.backtest.pipeline import Pipeline, RawRecord
from services.cli.proof.material import Material, Raw, Stretch, joined, ranges_of
from services.cli.proof.verify import Finding, Policies, before, flaws, out_of_force, prove
from services.indicators.examples import Happening
from services.ingest.frames.routing import Router
from services.ingest.reading.duplicates import window_of
from services.ingest.reading.records import Records
from tests.support.indicator_log import TEN, commands

KEY = b"a key of sixteen bytes or more"
MINUTE = 60_000
_STAGES = {"leads": "lead", "accounts_opened": "account_opened", "purchases": "purchase"}
_TYPES = {"impressions": "impression", "clicks": "click", "searches": "search", "engagements": "engagement"}


@dataclass
class Past:
    """What has been sent, and what came of it. Offsets leave gaps, as a log with transactions does."""

    policy: Policy
    subjects: Sequence[str]
    seed: int = 0
    records: dict[Raw, list[RawRecord]] = field(default_factory=dict)
    commands: list[Command] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._random = Random(self.seed)
        self._pipeline = Pipeline(self.policy, KEY, self.subjects)
        self._number = 0

    def send(self, events: Iterable[tuple[int, str, Mapping[str, Any]]], now_ms: int) -> None:
        """Raw events `(time, type, fields)`, appended up to now and read in polls of any size; some are sent twice."""
        waiting = []
        for at_ms, what, fields in events:
            self._number += 1
            event = {"event_id": f"e-{self._number}", "type": what, "occurred_at": from_ms(at_ms).isoformat(), **fields}
            # Content lies where its channel's key puts it; of all else the partition does not matter.
            partition = len(fields["channel_id"]) % 2 if what.startswith("content_") else self._random.randrange(2)
            raw, value = (TOPIC_OF[what], partition), json.dumps(event).encode()
            waiting += [self._append(raw, value, now_ms) for _ in range(self._random.choice((1, 1, 1, 1, 2)))]
        while waiting:
            number = self._random.randrange(1, len(waiting) + 1)
            self.commands += commands(self._pipeline.feed(waiting[:number], now_ms))
            waiting = waiting[number:]

    def _append(self, raw: Raw, value: bytes, stamp_ms: int) -> RawRecord:
        found = self.records.setdefault(raw, [])
        offset = (found[-1].offset + 1 if found else 0) + self._random.choice((0, 0, 0, 2))
        found.append(RawRecord(*raw, offset, stamp_ms, value))
        return found[-1]

    def mark(self, at_ms: int) -> None:
        """Everything has been read up to this time."""
        self.commands += commands(self._pipeline.mark(at_ms))

    def find(self, command: Command, policies: Mapping[str, bytes] | None = None) -> Finding:
        """What a proof of one command says."""
        return self._find(command, None, policies)

    def find_all(self) -> list[Finding]:
        """What it says of every command, with the log read once for all of them."""
        material = self._material(self.commands)
        return [self._find(each, material, None) for each in self.commands]

    def _find(self, command: Command, material: Material | None, policies: Mapping[str, bytes] | None) -> Finding:
        documents = policies or {self.policy.label: self.policy.model_dump_json().encode()}
        if wrong := flaws(command, partitions=2):
            return Finding(command, "differs", tuple(wrong))
        assert command.evidence is not None
        if wrong := out_of_force(command, command.evidence, [(0, self.policy.label)]):
            return Finding(command, "differs", tuple(wrong))
        policy = Policies(documents).of(command.evidence)
        if isinstance(policy, Bilingual):
            return Finding(command, "not available", notes=(policy,))
        material = material or self._material([command])
        of_alert = [each for each in self.commands if each.alert_id == command.alert_id]
        earlier = before(command, of_alert)
        return prove(command, command.evidence, material, policy, earlier)

    def _material(self, commands: Sequence[Command]) -> Material:
        evidences = [each.evidence for each in commands if each.evidence is not None]
        material, router = Material(1), Router(KEY, self.policy.shared_addresses)
        for raw, ranges in ranges_of(evidences).items():
            for first, end, edges in joined(ranges):
                stretch = Stretch(raw, first, edges, router, 1)
                records = self._read(raw, first, end)
                cut = self._random.randrange(len(records) + 1)
                for part in (records.head(cut), records.tail(cut)):
                    material.add(raw, stretch.take(part, self.subjects))
        return material

    def _read(self, raw: Raw, first: int, end: int) -> Records:
        """The records of a range, and those of the time before it in which an original may lie."""
        kept = self.records.get(raw, [])
        begin = bisect_left(kept, first, key=lambda each: each.offset)
        since = kept[begin].stamp_ms - window_of(raw[0]) if begin < len(kept) else 0
        found = [each for each in kept if each.offset < end and each.stamp_ms >= since]
        return Records(
            0,
            end,
            [each.offset for each in found],
            [each.stamp_ms for each in found],
            [each.value for each in found],
        )


def raw_events(subject: str, given: Iterable[Happening]) -> list[tuple[int, str, Mapping[str, Any]]]:
    """What an example gives, as senders would write it; in the order of time."""
    found = [each for happening in given for each in _raw(subject, happening)]
    return sorted(found, key=lambda each: each[0])


def _raw(subject: str, each: Happening) -> list[tuple[int, str, Mapping[str, Any]]]:
    at, where = TEN + int(each.second * 1000), {"channel_id": "douyin"}
    if each.fields is not None:
        return [(at, each.what, each.fields)]
    ip = each.ip or ("203.0.113.7" if subject == "actor" else None)
    who = {name: value for name, value in (("account_id", each.account), ("ip", ip)) if value is not None}
    if each.what == "complaints":
        entry = "one_click" if each.one_click else "hotline"
        return [(at, "complaint_opened", {**where, **who, "entry": entry, "complaint_id": f"c-{id(each)}"})]
    assert each.what in MEASURES
    if each.what in _STAGES:
        return [(at, "conversion", {**where, "stage": _STAGES[each.what]}) for _ in range(each.count)]
    if each.what == "spend_micros":
        return [(at, "spend", {**where, "amount": each.count / 1_000_000})]
    more = {"kind": "like"} if each.what == "engagements" else {"product_id": "p"} if each.what == "searches" else who
    return [(at, _TYPES[each.what], {**where, **more, "count": each.count})]
