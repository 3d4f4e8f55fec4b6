"""`tidegate verify`: finds commands on the log, reads what their evidence names, and derives them again."""

import argparse
import asyncio
import os
import sys
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from aiokafka import TopicPartition
from pydantic import ValidationError
from rich.console import Console
from rich.progress import Progress

from schemas.base import to_ms
from schemas.commands import Command, Evidence, SourceRange
from schemas.policy import PolicyInForce
from schemas.topics import CHANNEL_COMMANDS, POLICY
from services.cli.material import Material, Raw, Stretch, joined, ranges_of
from services.cli.moments import MomentError, moment_ms
from services.cli.settings import CliSettings
from services.cli.verify import (
    Difference,
    Finding,
    Policies,
    before,
    exit_code,
    flaws,
    label_of,
    out_of_force,
    prove,
    unverifiable,
    with_gap,
)
from services.cli.verify_words import lines_of, summary_of
from services.indicators.tuning import InForce
from services.ingest.duplicates import window_of
from services.ingest.records import Records
from services.ingest.routing import Router
from services.runtime.kafka_io import SLICE_RECORDS, consumer, follow, read_compacted, wait_for_broker

BAD_USAGE: Final = 2
NOT_FOUND: Final = 3
_POLICY_KEY: Final = b"policy"
_NO_KEY: Final = (
    "the pseudonym key is not at hand (TIDEGATE_INGEST_PSEUDONYM_KEY or …_FILE), without which nothing about "
    "addresses and accounts can be derived"
)


def add_commands(commands: Any) -> None:
    """Adds `verify`."""
    command = commands.add_parser("verify", help="derive a decision again from the log: proved, differs, not available")
    which = command.add_mutually_exclusive_group(required=True)
    which.add_argument("command_id", nargs="?", metavar="COMMAND_ID")
    which.add_argument("--all", action="store_true", help="every command of an indicator")
    command.add_argument("--since", metavar="WHEN", help="with --all: 24h, 7d, or an RFC 3339 time")
    command.set_defaults(run=verify)


async def verify(arguments: argparse.Namespace, settings: CliSettings) -> int:
    """0 when all is proved, 1 when anything differs, 3 when something is not available any more."""
    try:
        since = moment_ms(arguments.since, time.time_ns() // 1_000_000) if arguments.since else 0
    except MomentError as error:
        print(error, file=sys.stderr)
        return BAD_USAGE
    await wait_for_broker(settings)
    log = await read_commands(settings)
    if arguments.all:
        wanted = [each for each in log.of_indicators() if to_ms(each.issued_at) >= since]
    else:
        wanted = [each for each in log.commands.values() if each.command_id == arguments.command_id]
        if not wanted:
            print(f"no command {arguments.command_id} is on {CHANNEL_COMMANDS}: not available", file=sys.stderr)
            return NOT_FOUND
    findings = await findings_of(settings, log, wanted)
    if arguments.all:
        print("\n".join(summary_of(findings)))
    else:
        print("\n".join(line for each in findings for line in lines_of(each)))
    return exit_code(findings)


@dataclass
class CommandLog:
    """What is on `channel-commands`. commands: by id, the first of each. doubled: ids that came again with other
    content. changes: when (ms) which policy was put in force."""

    commands: dict[str, Command] = field(default_factory=dict)
    doubled: set[str] = field(default_factory=set)
    changes: list[tuple[int, str]] = field(default_factory=list)

    def of_indicators(self) -> list[Command]:
        """The orders of indicators, oldest first."""
        found = [each for each in self.commands.values() if each.is_from_indicator()]
        return sorted(found, key=lambda each: (each.issued_at, each.command_id))

    def add(self, key: bytes | None, value: bytes, at_ms: int) -> None:
        """Takes in one record; one that is no command of this release is left out, as channel_control does."""
        try:
            if key == _POLICY_KEY:
                self.changes.append((at_ms, PolicyInForce.model_validate_json(value).policy.label))
                return
            command = Command.model_validate_json(value)
        except ValidationError:
            return
        if self.commands.setdefault(command.command_id, command) != command:
            self.doubled.add(command.command_id)


async def read_commands(settings: CliSettings) -> CommandLog:
    """The whole topic: commands are few, and those of one alert lie on several partitions."""
    log = CommandLog()
    batches = follow(settings, CHANNEL_COMMANDS)
    async for batch in batches:
        for each in batch.records:
            if each.value is not None:
                log.add(each.key, each.value, each.timestamp_ms)
        if batch.caught_up:
            break
    await batches.aclose()
    log.changes.sort()
    return log


async def findings_of(settings: CliSettings, log: CommandLog, wanted: Sequence[Command]) -> list[Finding]:
    """What became of each command, in their order."""
    documents = await read_compacted(settings, POLICY)
    policies = Policies({key.decode(errors="replace"): value for key, value in documents.items()})
    of_alert: dict[str | None, list[Command]] = defaultdict(list)
    for each in log.of_indicators():
        of_alert[each.alert_id].append(each)
    found: dict[str, Finding] = {}
    to_prove: dict[str, list[tuple[Command, Evidence, InForce]]] = defaultdict(list)
    for command in wanted:
        ready = _ready(settings, log, policies, command)
        if isinstance(ready, Finding):
            found[command.command_id] = ready
        else:
            to_prove[label_of(ready[0])].append((command, *ready))
    for proofs in to_prove.values():
        reader = Reader(settings, proofs[0][2])
        await reader.read([evidence for _, evidence, _ in proofs])
        for command, evidence, policy in proofs:
            if missing := reader.missing(evidence):
                found[command.command_id] = Finding(command, "not available", notes=tuple(missing))
                continue
            if beyond := reader.beyond(evidence):
                found[command.command_id] = Finding(command, "differs", tuple(beyond))
                continue
            earlier = before(command, of_alert[command.alert_id])
            finding = prove(command, evidence, reader.material, policy, earlier)
            found[command.command_id] = with_gap(finding, reader.gaps(evidence))
    return [found[each.command_id] for each in wanted]


def _ready(
    settings: CliSettings, log: CommandLog, policies: Policies, command: Command
) -> Finding | tuple[Evidence, InForce]:
    """What a proof needs, or what can be said without one."""
    if why := unverifiable(command):
        return Finding(command, "not available", notes=(why,))
    wrong = flaws(command, settings.partitions)
    if command.command_id in log.doubled:
        return Finding(command, "differs", tuple(wrong), ("another record on the log has this id and other content",))
    if wrong or command.evidence is None or (wrong := out_of_force(command, command.evidence, log.changes)):
        return Finding(command, "differs", tuple(wrong))
    if command.evidence.subject.startswith("actor:") and settings.ingest_pseudonym_key is None:
        return Finding(command, "not available", notes=(_NO_KEY,))
    policy = policies.of(command.evidence)
    if isinstance(policy, str):
        return Finding(command, "not available", notes=(policy,))
    return command.evidence, policy


class Reader:
    """Reads what some commands under one policy rest on, each raw partition once."""

    def __init__(self, settings: CliSettings, policy: InForce) -> None:
        key = settings.ingest_pseudonym_key
        # Complaints of one person are told by equal pseudonyms, for which any key serves.
        self._router = Router(
            os.urandom(32) if key is None else key.get_secret_value().encode(), policy.around.policy.shared_addresses
        )
        self._settings = settings
        self._begins: dict[Raw, int] = {}
        self._ends: dict[Raw, int] = {}
        self._short: dict[Raw, set[int]] = defaultdict(set)
        self.material = Material(settings.partitions)

    async def read(self, evidences: Sequence[Evidence]) -> None:
        """All that is there of their ranges."""
        kinds = {each.subject.partition(":")[0] for each in evidences}
        ranges = ranges_of(evidences)
        at = {raw: TopicPartition(self._settings.prefix + raw[0], raw[1]) for raw in ranges}
        async with consumer(self._settings) as client:
            begins, ends = await client.beginning_offsets(at.values()), await client.end_offsets(at.values())
        self._begins = {raw: begins[partition] for raw, partition in at.items()}
        self._ends = {raw: ends[partition] for raw, partition in at.items()}
        people = Console(file=sys.stderr)
        with Progress(console=people, disable=not people.is_terminal, transient=True) as progress:
            for raw, partition in at.items():
                stretches = joined(each for each in ranges[raw] if self._is_there(raw, each))
                if not stretches:
                    continue
                # One consumer for each, since one that is given another partition may never stop.
                async with consumer(self._settings, max_wait_ms=50) as client:
                    client.assign([partition])
                    for first, end, edges in stretches:
                        task = progress.add_task(f"{raw[0]}/{raw[1]}", total=end - first)
                        stretch = Stretch(raw, first, edges, self._router, self._settings.partitions)
                        async for records in self._records(client, partition, raw, first, end):
                            self.material.add(raw, stretch.take(records, kinds))
                            progress.update(task, completed=max(0, records.next - first))
                            await asyncio.sleep(0)

    def _is_there(self, raw: Raw, wanted: SourceRange) -> bool:
        return self._begins[raw] <= wanted.from_ and wanted.to <= self._ends[raw]

    async def _records(
        self, client: Any, partition: TopicPartition, raw: Raw, first: int, end: int
    ) -> AsyncIterator[Records]:
        """The records of a stretch, and of the time before it in which a duplicate's original may lie."""
        begin = await self._look_back(client, partition, raw, first)
        client.seek(partition, begin)
        while (position := await client.position(partition)) < end:
            polled = await client.getmany(partition, timeout_ms=200, max_records=SLICE_RECORDS)
            found = [each for each in polled.get(partition, ()) if each.offset < end]
            if found:
                yield Records(
                    position,
                    found[-1].offset + 1,
                    [each.offset for each in found],
                    [each.timestamp for each in found],
                    [each.value for each in found],
                )

    async def _look_back(self, client: Any, partition: TopicPartition, raw: Raw, first: int) -> int:
        client.seek(partition, first)
        while not (polled := await client.getmany(partition, timeout_ms=200, max_records=1)):
            if await client.position(partition) >= self._ends[raw]:
                return first
        since = polled[partition][0].timestamp - window_of(raw[0])
        found = (await client.offsets_for_times({partition: since}))[partition]
        begin = first if found is None else min(found.offset, first)
        if begin == self._begins[raw] > 0:
            self._short[raw].add(first)
        return begin

    def missing(self, evidence: Evidence) -> list[str]:
        """What is not on the log any more."""
        return [
            f"{each.topic}/{each.partition} begins at offset {begin}: of {each.from_} to {each.to} it has no longer all"
            for each in evidence.sources
            if (begin := self._begins[each.topic, each.partition]) > each.from_
        ]

    def beyond(self, evidence: Evidence) -> list[Difference]:
        """What is named and never was on the log."""
        return [
            Difference("evidence.sources", f"{each.topic}/{each.partition} to offset {each.to}", f"it ends at {end}")
            for each in evidence.sources
            if (end := self._ends[each.topic, each.partition]) < each.to
        ]

    def gaps(self, evidence: Evidence) -> list[str]:
        """Where the log begins so shortly before a range that an event in it may be a duplicate of one that is gone."""
        return [
            f"{each.topic}/{each.partition} begins shortly before offset {each.from_}, so a producer's duplicate may "
            "not be known as one"
            for each in evidence.sources
            if any(first <= each.from_ for first in self._short[each.topic, each.partition])
        ]


async def not_proved(settings: CliSettings) -> tuple[int, list[str]]:
    """How many commands of indicators there are, and a line for all that is said of those that are not proved."""
    log = await read_commands(settings)
    findings = await findings_of(settings, log, log.of_indicators())
    return len(findings), [line for each in findings if each.outcome != "proved" for line in lines_of(each)]
