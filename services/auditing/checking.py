"""Whether the audit is as it was written: goes along its chains, record by record, and holds them to signed heads.

Memory does not grow with the audit: of each chain its end is kept, and the digests of its last records.
"""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from schemas.audit import Link
from schemas.base import Instant, Message, Name, Ref
from services.auditing.heads import Signed
from services.runtime.machines.chain import BEGINNING, ChainName, canonical, digest_of

REPEATABLE: Final = 2**15
"""So many last records of a chain may come again after a death: far more than are written between two snapshots."""
MOST_FINDINGS: Final = 1_000


class Sealed(Message):
    """What the check needs of a record, so that it reads those of later releases too."""

    at: Instant
    writer: Name
    target: Ref
    chain: Link | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """On `audit`; offset None: none, since nothing is there."""

    partition: int
    offset: int | None

    def __str__(self) -> str:
        return f"audit/{self.partition}" + ("" if self.offset is None else f" offset {self.offset}")


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong, and where."""

    place: Place
    says: str

    def __str__(self) -> str:
        return f"{self.place}: {self.says}"


@dataclass(slots=True)
class End:
    """How far a chain has been followed. since: up to this number it was followed at another time, and signed.

    recent: numbers and digests of the last records, by number modulo.
    """

    number: int = 0
    digest: str = BEGINNING
    offset: int = -1
    since: int = 0
    recent: dict[int, tuple[int, str]] = field(default_factory=dict)

    @classmethod
    def signed(cls, number: int, digest: str, offset: int) -> "End":
        """Where a chain was followed to and signed."""
        return cls(number, digest, offset, number, {number % REPEATABLE: (number, digest)})

    def reach(self, link: Link, offset: int) -> None:
        """This record is the last one now."""
        self.number, self.digest, self.offset = link.number, link.digest, offset
        self.recent[link.number % REPEATABLE] = (link.number, link.digest)

    def repeats(self, link: Link) -> str | None:
        """What is wrong with a record whose number has been passed; None for an exact repeat."""
        number, digest = self.recent.get(link.number % REPEATABLE, (0, ""))
        if number < link.number:
            return f"comes after number {self.number}: out of its order"
        if number > link.number:
            return f"comes again after number {self.number}, too late to tell whether it is the same"
        return None if digest == link.digest else "is another record than the one before with this number"


@dataclass(slots=True)
class Unchained:
    """Records from before there were chains: how many of which service, and the time of the last."""

    services: Counter[str] = field(default_factory=Counter)
    last: datetime | None = None

    def add(self, record: Sealed) -> None:
        """One more."""
        self.services[record.writer.partition(":")[0]] += 1
        self.last = record.at if self.last is None else max(self.last, record.at)


class Checker:
    """Takes the records of each partition in their order.

    signed: the heads that the audit must agree with. ends: where chains were followed to at another time.
    """

    def __init__(self, signed: Signed | None = None, ends: Mapping[ChainName, End] | None = None) -> None:
        self.findings: list[Finding] = []
        """The first of them; `found` counts all."""
        self.found = 0
        self.records = 0
        self.repeated = 0
        self.unchained = Unchained()
        self.agreed = 0
        """How many signed heads the audit agrees with."""
        self.ends: dict[ChainName, End] = dict(ends or {})
        self._signed = signed or {}

    def take(self, partition: int, offset: int, key: bytes | None, value: bytes | None) -> None:
        """Looks at the next record of a partition."""
        self.records += 1
        place = Place(partition, offset)
        try:
            record = Sealed.model_validate_json(value or b"")
            untouched = record.chain is None or _untouched(value or b"", record.chain)
        except ValueError:
            return self._find(place, "is no audit record")
        name = record.writer, partition
        if key != record.target.encode():
            self._find(place, f"{record.writer}: the record's key is not its target")
        if record.chain is None:
            return self._without_chain(name, record, place)
        if not untouched:
            self._find(place, f"{record.writer} number {record.chain.number}: was changed after it was written")
            if name not in self.ends or record.chain.number != self.ends[name].number + 1:
                return None
        return self._follow(name, record.chain, place)

    def finish(self, partition_ends: Mapping[int, int]) -> None:
        """After the last record, where each partition ends: what is signed and not there."""
        for (writer, partition), end in self.ends.items():
            if end.offset >= partition_ends.get(partition, 0):
                place = Place(partition, partition_ends.get(partition, 0))
                self._find(place, f"{writer}: cut off: number {end.number} was signed at offset {end.offset}")
        for name, heads in self._signed.items():
            newest, last = max(heads), self.ends.get(name, End()).number
            if newest > last:
                at = f"{heads[newest].at:%Y-%m-%d %H:%M:%S} UTC"
                says = f"{name[0]}: cut off: ends at number {last}, and at {at} it went up to {newest}"
                self._find(Place(name[1], None), says)

    def _without_chain(self, name: ChainName, record: Sealed, place: Place) -> None:
        if name in self.ends:
            return self._find(place, f"{name[0]}: has no chain, and stands after records that have one")
        return self.unchained.add(record)

    def _follow(self, name: ChainName, link: Link, place: Place) -> None:
        end = self.ends.setdefault(name, End())
        label = f"{name[0]} number {link.number}"
        if link.number < end.since:
            return
        if link.number <= end.number:
            problem = end.repeats(link)
            if problem is None:
                self.repeated += 1
            else:
                self._find(place, f"{label}: {problem}")
            return
        if link.number > end.number + 1:
            self._find(place, f"{label}: numbers {end.number + 1} to {link.number - 1} are missing before it")
        elif link.previous != end.digest:
            self._find(place, f"{label}: does not follow number {end.number}: one of the two was rewritten")
        end.reach(link, place.offset or 0)
        self._hold_to_signed(name, link, place)

    def _hold_to_signed(self, name: ChainName, link: Link, place: Place) -> None:
        head = self._signed.get(name, {}).get(link.number)
        if head is None:
            return
        if head.digest == link.digest:
            self.agreed += 1
        else:
            says = f"contradicts what was signed at {head.at:%Y-%m-%d %H:%M:%S} UTC: it or records before it are others"
            self._find(place, f"{name[0]} number {link.number}: {says}")

    def _find(self, place: Place, says: str) -> None:
        self.found += 1
        if len(self.findings) < MOST_FINDINGS:
            self.findings.append(Finding(place, says))


def _untouched(value: bytes, link: Link) -> bool:
    """Whether a record has the digest that it names, and every byte is as it is written."""
    document: Any = json.loads(value)
    return canonical(document) == value and digest_of(document) == link.digest
