"""`tidegate verify`: finds commands on the log, reads what their evidence names, and derives them again."""

import argparse
import sys
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, Final

from pydantic import SecretStr, ValidationError
from rich.console import Console
from rich.progress import Progress

from schemas.base import Bilingual, to_ms
from schemas.commands import Command, Evidence
from schemas.policy import PolicyInForce
from schemas.topics import CHANNEL_COMMANDS, POLICY
from services.cli.moments import MomentError, moment_ms
from services.cli.proof.evidence_io import Reader, Tell
from services.cli.proof.verify import (
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
from services.cli.proof.verify_words import finding_json, lines_of, progress_json, summary_of
from services.cli.settings import CliSettings
from services.indicators.verdicts.tuning import InForce
from services.runtime.kafka.kafka_io import follow, read_compacted, wait_for_broker

BAD_USAGE: Final = 2
NOT_FOUND: Final = 3
_POLICY_KEY: Final = b"policy"
_NO_KEY: Final = Bilingual(
    en="the pseudonym key is not at hand (TIDEGATE_INGEST_PSEUDONYM_KEY or …_FILE), without which nothing about "
    "addresses and accounts can be derived",
    zh="缺少化名密钥（TIDEGATE_INGEST_PSEUDONYM_KEY 或 …_FILE），无法推导有关地址与账户的决定",
)
_NO_OLD_KEY: Final = Bilingual(
    en="if the pseudonym key was changed since, this actor has another name now: "
    "TIDEGATE_CLI_OLD_PSEUDONYM_KEY or …_FILE takes the key before it",
    zh="若此后更换过化名密钥，该对象现已另有名称：请以 TIDEGATE_CLI_OLD_PSEUDONYM_KEY 或 …_FILE 提供此前的密钥",
)
_DOUBLED: Final = Bilingual(
    en="another record on the log has this id and other content", zh="日志中另有一条编号相同而内容不同的记录"
)


def add_commands(commands: Any) -> None:
    """Adds `verify`."""
    command = commands.add_parser("verify", help="derive a decision again from the log: proved, differs, not available")
    which = command.add_mutually_exclusive_group(required=True)
    which.add_argument("command_id", nargs="?", metavar="COMMAND_ID")
    which.add_argument("--alert", metavar="ALERT_ID", help="what indicators ordered because of this alert")
    which.add_argument("--all", action="store_true", help="every command of an indicator")
    command.add_argument("--since", metavar="WHEN", help="with --all: 24h, 7d, or an RFC 3339 time")
    command.add_argument("--json", action="store_true", help="a line of JSON for each step and each finding")
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
    wanted = _wanted(arguments, log, since)
    if not wanted and not arguments.all:
        print(_nothing(arguments), file=sys.stderr)
        return NOT_FOUND
    if arguments.json:
        findings = await findings_of(settings, log, wanted, _print_progress)
    else:
        with _bar() as tell:
            findings = await findings_of(settings, log, wanted, tell)
    print("\n".join(_lines(arguments, findings)))
    return exit_code(findings)


def _lines(arguments: argparse.Namespace, findings: Sequence[Finding]) -> Iterator[str]:
    if arguments.json:
        yield from map(finding_json, findings)
    elif arguments.all:
        yield from summary_of(findings)
    else:
        yield from (line for each in findings for line in lines_of(each))


def _wanted(arguments: argparse.Namespace, log: "CommandLog", since: int) -> list[Command]:
    if arguments.alert:
        return [each for each in log.of_indicators() if each.alert_id == arguments.alert]
    if arguments.all:
        return [each for each in log.of_indicators() if to_ms(each.issued_at) >= since]
    return [each for each in log.commands.values() if each.command_id == arguments.command_id]


def _nothing(arguments: argparse.Namespace) -> str:
    if arguments.alert:
        return f"no order of an indicator for alert {arguments.alert} is on {CHANNEL_COMMANDS}: not available"
    return f"no command {arguments.command_id} is on {CHANNEL_COMMANDS}: not available"


def _print_progress(read: int, of: int) -> None:
    print(progress_json(read, of), flush=True)


@contextmanager
def _bar() -> Iterator[Tell]:
    """A bar for people; nothing where nobody looks."""
    people = Console(file=sys.stderr)
    with Progress(console=people, disable=not people.is_terminal, transient=True) as progress:
        task = progress.add_task("reading", total=None)
        yield lambda read, of: progress.update(task, completed=read, total=of)


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


Proof = tuple[Command, Evidence, InForce]
"""A command that can be proved, what it rests on, and the policy that it names."""


async def findings_of(settings: CliSettings, log: CommandLog, wanted: Sequence[Command], tell: Tell) -> list[Finding]:
    """What became of each command, in their order."""
    documents = await read_compacted(settings, POLICY)
    policies = Policies({key.decode(errors="replace"): value for key, value in documents.items()})
    of_alert: dict[str | None, list[Command]] = defaultdict(list)
    for each in log.of_indicators():
        of_alert[each.alert_id].append(each)
    found: dict[str, Finding] = {}
    to_prove: dict[str, list[Proof]] = defaultdict(list)
    for command in wanted:
        ready = _ready(settings, log, policies, command)
        if isinstance(ready, Finding):
            found[command.command_id] = ready
        else:
            to_prove[label_of(ready[0])].append((command, *ready))
    for proofs in to_prove.values():
        found |= await _proved(settings, settings.ingest_pseudonym_key, proofs, of_alert, tell)
        if older := [each for each in proofs if _may_have_another_name(each[0], found)]:
            found |= await _proved_by_old_key(settings, older, found, of_alert, tell)
    return [found[each.command_id] for each in wanted]


async def _proved(
    settings: CliSettings,
    key: SecretStr | None,
    proofs: Sequence[Proof],
    of_alert: Mapping[str | None, list[Command]],
    tell: Tell,
) -> dict[str, Finding]:
    """What became of commands under one policy where addresses and accounts have their names by this key."""
    reader = Reader(settings, proofs[0][2], key)
    await reader.read([evidence for _, evidence, _ in proofs], tell)
    found: dict[str, Finding] = {}
    for command, evidence, policy in proofs:
        if missing := reader.missing(evidence):
            found[command.command_id] = Finding(command, "not available", notes=tuple(missing))
        elif beyond := reader.beyond(evidence):
            found[command.command_id] = Finding(command, "differs", tuple(beyond))
        else:
            earlier = before(command, of_alert[command.alert_id])
            finding = prove(command, evidence, reader.material, policy, earlier)
            found[command.command_id] = with_gap(finding, reader.gaps(evidence))
    return found


async def _proved_by_old_key(
    settings: CliSettings,
    proofs: Sequence[Proof],
    found: Mapping[str, Finding],
    of_alert: Mapping[str | None, list[Command]],
    tell: Tell,
) -> dict[str, Finding]:
    """What differs by the key of now: proved by the one before it, or else told that there may have been one."""
    key = settings.cli_old_pseudonym_key
    if key is None:
        differing = [found[command.command_id] for command, *_ in proofs]
        return {each.command.command_id: replace(each, notes=(*each.notes, _NO_OLD_KEY)) for each in differing}
    again = await _proved(settings, key, proofs, of_alert, tell)
    return {name: finding for name, finding in again.items() if finding.outcome == "proved"}


def _may_have_another_name(command: Command, found: Mapping[str, Finding]) -> bool:
    """Whether it differs, which may be for no more than the name that its actor had before."""
    about = command.evidence.subject if command.evidence is not None else ""
    return about.startswith("actor:") and found[command.command_id].outcome == "differs"


def _ready(
    settings: CliSettings, log: CommandLog, policies: Policies, command: Command
) -> Finding | tuple[Evidence, InForce]:
    """What a proof needs, or what can be said without one."""
    if why := unverifiable(command):
        return Finding(command, "not available", notes=(why,))
    wrong = flaws(command, settings.partitions)
    if command.command_id in log.doubled:
        return Finding(command, "differs", tuple(wrong), (_DOUBLED,))
    if wrong or command.evidence is None or (wrong := out_of_force(command, command.evidence, log.changes)):
        return Finding(command, "differs", tuple(wrong))
    if command.evidence.subject.startswith("actor:") and settings.ingest_pseudonym_key is None:
        return Finding(command, "not available", notes=(_NO_KEY,))
    policy = policies.of(command.evidence)
    if isinstance(policy, Bilingual):
        return Finding(command, "not available", notes=(policy,))
    return command.evidence, policy


async def not_proved(settings: CliSettings) -> tuple[int, list[str]]:
    """How many commands of indicators there are, and a line for all that is said of those that are not proved."""
    log = await read_commands(settings)
    with _bar() as tell:
        findings = await findings_of(settings, log, log.of_indicators(), tell)
    return len(findings), [line for each in findings if each.outcome != "proved" for line in lines_of(each)]
