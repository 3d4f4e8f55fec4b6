"""The hash chain of the audit: every record names the digest of the one before it, so none can be changed unseen.

There is a chain for each writer on each partition of `audit`, so a chain lies on one partition and in its order. The
harness seals what its machines write and keeps the heads in their snapshots: a replay writes the same records with the
same numbers and digests. A reader ignores exact repeats.

A digest is the SHA-256, in hex, of the record's canonical JSON without `chain.digest`, with `chain.number` and
`chain.previous` inside. Canonical is as in RFC 8785, UTF-8 with sorted keys and no white space, save that keys are
sorted by code point and that a number stays as Python's `json` writes it (`0.5`, `1e+16`, `17`):

    json.dumps(record, ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":"))

Records are written in that form too, so that not a byte of one can be changed.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any, Final

from schemas.topics import AUDIT
from services.runtime.machines.machine import Output
from services.runtime.murmur import partition_of

BEGINNING: Final = "0" * 64
"""What the first record of a chain names as the one before."""

ChainName = tuple[str, int]
"""A writer, and a partition of `audit`."""
Row = tuple[str, int, int, str]
"""Writer, partition, number and digest: a head as snapshots keep it."""


@dataclass(frozen=True, slots=True)
class Head:
    """The last record of a chain."""

    number: int = 0
    digest: str = BEGINNING


def canonical(document: Any) -> bytes:
    """See the module. What JSON cannot say raises ValueError."""
    text = json.dumps(document, ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":"))
    return text.encode()


def digest_of(document: dict[str, Any]) -> str:
    """The digest that a record with a `chain` has to have, whatever it says."""
    link = {name: value for name, value in document["chain"].items() if name != "digest"}
    return sha256(canonical(document | {"chain": link})).hexdigest()


class Chains:
    """The chains that one process writes on `audit`, which has so many partitions. `rows`: the heads to go on from."""

    def __init__(self, partitions: int, rows: Iterable[Row] = ()) -> None:
        self._partitions = partitions
        self._heads = {(writer, partition): Head(number, digest) for writer, partition, number, digest in rows}

    def rows(self) -> tuple[Row, ...]:
        """The heads, in a fixed order."""
        return tuple((*name, head.number, head.digest) for name, head in sorted(self._heads.items()))

    def seal(self, output: Output) -> Output:
        """A record for `audit`, with its place in its chain; anything else as it is."""
        if output.topic != AUDIT:
            return output
        document = json.loads(output.value or b"")
        partition = partition_of(output.key or b"", self._partitions)
        name = document["writer"], partition
        before = self._heads.get(name, Head())
        document["chain"] = {"number": before.number + 1, "previous": before.digest}
        digest = document["chain"]["digest"] = digest_of(document)
        self._heads[name] = Head(before.number + 1, digest)
        return replace(output, value=canonical(document), partition=partition)
