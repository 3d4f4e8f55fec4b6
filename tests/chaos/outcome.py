"""What really came out of a run, read from Kafka, the platform and the receiver, in the oracle's terms."""

import json
import struct
from collections import defaultdict
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

import httpx
import msgspec
import numpy as np

from schemas.frames import MEASURES
from schemas.topics import ALERT_STATE, AUDIT, CHANNEL_COMMANDS, CHANNEL_STATE, DEAD_LETTERS, indicators_state
from services.cli.ledger.ledger import Line
from services.cli.ledger.ledger_io import read_lines
from services.cli.settings import CliSettings
from services.indicators.windows.panes import HOUR_MS, PANE_MS, PANES, PageRecord
from services.runtime.kafka.kafka_io import follow, read_compacted
from tests.oracle.facts import Trip

Document = dict[str, Any]


@dataclass
class Outcome:
    """Everything that a run can be judged by."""

    trips: dict[Trip, set[str]]
    """Each trip with the ids of its commands; more than one id is one too many."""
    frozen_accounts: set[str]
    pane_totals: dict[tuple[str, int, str], int]
    ledger: list[Line]
    dead_letters: set[tuple[str, int, int]]
    channel_state: dict[str, Document]
    alerts: list[Document]
    webhooks: list[Document]
    """As the receiver took them in, in order."""
    unverified: int
    platform: dict[str, Document]
    audit: list[Document]
    """Each record once, those of one target in order."""


class Names:
    """Pseudonyms back to the names that the scenario knows; the formula is that of the contract, written anew."""

    def __init__(self, key: bytes, addresses: set[str], accounts: set[str]) -> None:
        self._names = {self._pseudonym(key, "ip", address): address for address in addresses}
        self._names |= {self._pseudonym(key, "account", account): account for account in accounts}

    @staticmethod
    def _pseudonym(key: bytes, kind: str, value: str) -> str:
        return blake2b(value.encode(), digest_size=16, key=key, person=kind.encode()).hexdigest()

    def plain(self, ref: str) -> str:
        """A subject or target by its raw name."""
        kind, _, name = ref.partition(":")
        return f"{kind}:{self._names.get(name, name)}"


async def read_outcome(settings: CliSettings, names: Names, platform: str, receiver: str) -> Outcome:
    """The outcome as of now."""
    commands = [json.loads(value) for key, value in await _all(settings, CHANNEL_COMMANDS) if key != b"policy"]
    trips: dict[Trip, set[str]] = defaultdict(set)
    accounts = set()
    for command in (c for c in commands if c["issued_by"].startswith("indicator:") and c["command"] != "eased"):
        target = names.plain(command["target"])
        if target.startswith("account:"):
            accounts.add(target.partition(":")[2])
            continue
        evidence = command["evidence"]
        trip = (evidence["indicator"], names.plain(evidence["subject"]), command["command"], target, command["level"])
        trips[trip].add(command["command_id"])
    letters = [json.loads(value) for _, value in await _all(settings, DEAD_LETTERS)]
    async with httpx.AsyncClient(timeout=30) as client:
        targets = (await client.get(f"{platform}/_targets")).json()
        webhooks = (await client.get(f"{receiver}/_messages")).json()
        attempts = (await client.get(f"{receiver}/_attempts")).json()
    audit = {each["audit_id"]: each for each in (json.loads(value) for _, value in await _all(settings, AUDIT))}
    states = (await read_compacted(settings, CHANNEL_STATE)).values()
    alerts = (await read_compacted(settings, ALERT_STATE)).values()
    return Outcome(
        dict(trips),
        accounts,
        await _pane_totals(settings),
        await read_lines(settings),
        {(each["topic"], each["partition"], each["offset"]) for each in letters},
        {names.plain(each["target"]): each for each in map(json.loads, states)},
        [each | {"subject": names.plain(each["subject"])} for each in map(json.loads, alerts)],
        webhooks,
        sum(not attempt["verified"] for attempt in attempts),
        {names.plain(each["target"]): each for each in targets},
        [each | {"target": names.plain(each["target"])} for each in audit.values()],
    )


async def _all(settings: CliSettings, topic: str) -> list[tuple[bytes | None, bytes]]:
    found: list[tuple[bytes | None, bytes]] = []
    batches = follow(settings, topic)
    async for batch in batches:
        found += [(each.key, each.value) for each in batch.records if each.value is not None]
        if batch.caught_up:
            break
    await batches.aclose()
    return found


async def _pane_totals(settings: CliSettings) -> dict[tuple[str, int, str], int]:
    totals: dict[tuple[str, int, str], int] = {}
    topic = indicators_state("channel")
    for partition in range(settings.partitions):
        for key, value in (await read_compacted(settings, topic, [partition])).items():
            if key[:1] == b"h" and len(key) > 5:
                _, hour = struct.unpack(">ci", key[:5])
                totals |= _page(
                    key[5:].decode(), hour * HOUR_MS // 1000, msgspec.msgpack.decode(value, type=PageRecord)
                )
    return totals


def _page(channel: str, start: int, page: PageRecord) -> dict[tuple[str, int, str], int]:
    cells = PANES * len(MEASURES)
    width = {1: "<u1", 2: "<u2", 4: "<u4", 8: "<i8"}[len(page.totals) // cells]
    table = np.frombuffer(page.totals, width).reshape(PANES, len(MEASURES)).tolist()
    return {
        (channel, start + pane * PANE_MS // 1000, measure): total
        for pane, row in enumerate(table)
        for measure, total in zip(MEASURES, row, strict=True)
        if total
    }
