"""An audit as the services write it, in memory: partitions of keys and values, for tests to alter."""

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from services.auditing.checking import Checker
from services.auditing.heads import Signed, Vouched
from services.runtime.ids import derive
from services.runtime.machines.chain import ChainName, Chains, canonical, digest_of
from services.runtime.machines.machine import Output

Log = dict[int, list[tuple[bytes, bytes]]]
WRITERS = ("channel_control:0", "alerting:1")
TARGETS = ("channel:a", "channel:b", "actor:c", "product:d")
PARTITIONS = 2
AT = datetime(2026, 11, 26, 12, tzinfo=UTC)


def record(number: int, writer: str = WRITERS[0], target: str = TARGETS[0], **fields: Any) -> dict[str, Any]:
    """A record that is not sealed."""
    return {
        "v": 1,
        "audit_id": derive("test", str(number)),
        "at": "2026-11-26T10:00:00Z",
        "writer": writer,
        "who": "person:li",
        "what": "pause",
        "target": target,
        "outcome": "done",
        "why": f"for reason {number}",
        "detail": {"level": number},
    } | fields


def written(records: Iterable[dict[str, Any]]) -> Log:
    """These records, sealed, each on its partition."""
    chains, log = Chains(PARTITIONS), dict[int, list[tuple[bytes, bytes]]]({number: [] for number in range(PARTITIONS)})
    for each in records:
        sealed = chains.seal(Output("audit", each["target"].encode(), json.dumps(each).encode()))
        assert sealed.partition is not None and sealed.key is not None and sealed.value is not None
        log[sealed.partition].append((sealed.key, sealed.value))
    return log


def checked(log: Log, signed: Signed | None = None) -> Checker:
    """What the check finds."""
    checker = Checker(signed)
    for partition, records in log.items():
        for offset, (key, value) in enumerate(records):
            checker.take(partition, offset, key, value)
    checker.finish({partition: len(records) for partition, records in log.items()})
    return checker


def heads(log: Log) -> dict[ChainName, dict[int, Vouched]]:
    """Where the chains of a log stand, as somebody trusted wrote it down."""
    return {name: {end.number: Vouched(end.digest, AT)} for name, end in checked(log).ends.items()}


def resealed(document: dict[str, Any]) -> bytes:
    """A record whose digest was made anew to fit what it says."""
    document = document | {"chain": document["chain"] | {"digest": digest_of(document)}}
    return canonical(document)
