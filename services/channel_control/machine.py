"""The machine on `channel-commands`: decides which holds stand on which target, and calls nobody.

It keeps the targets, the ids of the orders that it has seen, the platforms that are away, the policy in force on its
log, and whether automation is off.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Final

from pydantic import ValidationError

from schemas import automation
from schemas.base import Bilingual, from_ms
from schemas.channels import Hold, WantedState
from schemas.commands import Command
from schemas.directory import Directory
from schemas.governor import GOVERNOR, Governor
from schemas.policy import Policy, PolicyInForce
from schemas.problems import problems_of
from schemas.topics import CHANNEL_COMMANDS, TOPICS
from services.channel_control.decision import Moment
from services.channel_control.enforcing.addresses import Address, address_of
from services.channel_control.enforcing.drift import corrected
from services.channel_control.enforcing.outages import Outages, is_about_platform
from services.channel_control.enforcing.watching import Watching
from services.channel_control.governing.claims import words
from services.channel_control.governing.governing import govern
from services.channel_control.governing.governor import Standing
from services.channel_control.holding.deadlines import deadlines, is_early
from services.channel_control.holding.holds import waits
from services.channel_control.holding.target import Target, decode, encode
from services.channel_control.orders import decide
from services.channel_control.people.automation import asks_because, switch
from services.channel_control.ramps.ramps import resume_for, running
from services.channel_control.scribe import Scribe
from services.channel_control.seen import SeenIds
from services.channel_control.sentences import both
from services.runtime.machines.machine import Output, Record
from services.runtime.murmur import misplaced

POLICY_KEY: Final = b"policy"
MAX_COMMAND_BYTES: Final = 512 * 1024
"""A larger order is refused: its audit has to fit into a record as well."""
MAX_PROBLEMS: Final = 10
UNTOLD: Final = Policy(version=1, governor=Governor(enabled=False))
"""What holds until a policy comes: no indicator orders anything before, so there is nothing to govern."""


class ControlMachine:
    """The targets of one partition, of so many. `stale_acts`: on the clock of events nothing is stale."""

    def __init__(self, partition: int, partitions: int = 1, *, stale_acts: bool = False) -> None:
        self.next_offset = 0
        """The offset of the record that comes next."""
        self._partition = partition
        self._partitions = partitions
        self._stale_acts = stale_acts
        self._targets: dict[str, Target] = {}
        self._unsettled: dict[str, Target] = {}
        self._watching = Watching()
        self._waiting: dict[str, Target] = {}
        self._timed: dict[str, Target] = {}
        self._ramping: dict[str, Target] = {}
        self._held: dict[str, Target] = {}
        self._outages = Outages()
        self._seen = SeenIds(TOPICS[CHANNEL_COMMANDS].retention_ms)
        self._policy: PolicyInForce | None = None
        self._changed: set[str] = set()
        self._policy_changed = False
        self._automation = Target(automation.TARGET)
        self._automation_changed = False
        self._governor: Standing | None = None
        self._governor_changed = False

    @property
    def governor(self) -> Standing | None:
        """What the governor knows, on the partition that has it."""
        return self._governor

    @property
    def unsettled(self) -> Mapping[str, Target]:
        """The targets that the platform has yet to confirm, by name; their pictures never change."""
        return self._unsettled

    @property
    def watched(self) -> Mapping[str, Target]:
        """The targets that the platform has confirmed as wanted and that are to be read again, by name."""
        return self._watching.targets

    @property
    def waiting(self) -> Mapping[str, Target]:
        """The targets with a hold or a request that waits for people, by name."""
        return self._waiting

    @property
    def timed(self) -> Mapping[str, Target]:
        """The targets with a deadline, by name."""
        return self._timed

    @property
    def ramping(self) -> Mapping[str, Target]:
        """The targets with a hold that opens by itself, by name."""
        return self._ramping

    @property
    def held(self) -> Mapping[str, Target]:
        """The targets on which any hold stands, by name."""
        return self._held

    @property
    def policy_version(self) -> int | None:
        """Of the policy in force on this log; None before the first."""
        return None if self._policy is None else self._policy.policy.version

    def target(self, name: str) -> Target:
        """A target as it stands; one that nobody ever spoke of is at generation 0 and runs."""
        if name == automation.TARGET:
            return self._automation
        return self._targets.get(name) or Target(name)

    def address(self, name: str) -> Address:
        """Where a target is acted on."""
        directory = Directory() if self._policy is None else self._policy.policy.directory
        return address_of(name, directory)

    def corrects(self, target: Target, seen: WantedState | None, at: datetime) -> bool:
        """Whether what a platform shows instead of what is wanted would be put right by now."""
        policy = UNTOLD if self._policy is None else self._policy.policy
        return corrected(seen, target.wanted(), policy, asks=self.asks(target, at))

    def asks(self, target: Target, at: datetime) -> bool:
        """Whether automation has to ask a person by then before it does anything to a target."""
        policy = UNTOLD if self._policy is None else self._policy.policy
        return asks_because(self._automation, target.name, policy, at) is not None

    def resumes(self, target: Target, hold: Hold) -> bool:
        """Whether the policy opens a hold by itself; else the report that it is due hands it to a person."""
        policy = UNTOLD if self._policy is None else self._policy.policy
        return resume_for(hold, target.name, policy).auto

    def apply(self, record: Record) -> list[Output]:
        """Takes one order (or policy) and says what came of it."""
        self.next_offset = record.offset + 1
        scribe = Scribe(self._partition, record, self._partitions)
        if record.key == POLICY_KEY:
            return self._take_policy(record, scribe)
        if len(record.value or b"") > MAX_COMMAND_BYTES:
            return scribe.unreadable(
                "unreadable", both(f"larger than {MAX_COMMAND_BYTES} bytes", f"超过 {MAX_COMMAND_BYTES} 字节")
            )
        try:
            command = Command.model_validate_json(record.value or b"")
        except ValidationError as error:
            return scribe.unreadable("unreadable", _problems(error))
        if record.key == automation.KEY:
            return self._take_switch(command, record, scribe)
        if record.key != command.target.encode():
            return scribe.refused(command, both("the record's key is not the order's target", "记录的键与指令对象不符"))
        if problem := misplaced(record.key, self._partition, self._partitions):
            return scribe.refused(command, both(problem, "记录不在其键所属的分区：发送方未按 Kafka 的方式选择分区"))
        return self._take(command, record, scribe)

    def rewind(self, next_offset: int) -> int:
        """A snapshot holds everything, so a replay begins where it was taken."""
        self.next_offset = next_offset
        return next_offset

    def fold(self, record: Record) -> None:
        """Never called, since nothing is rewound."""
        raise NotImplementedError

    def _take_policy(self, record: Record, scribe: Scribe) -> list[Output]:
        try:
            self._policy = PolicyInForce.model_validate_json(record.value or b"")
        except ValidationError as error:
            return scribe.unreadable("policy", _problems(error))
        self._policy_changed = True
        return []

    def _take(self, command: Command, record: Record, scribe: Scribe) -> list[Output]:
        if command.command_id in self._seen:
            # Machines repeat their orders after a restart, as a matter of course; a person wants an answer.
            return scribe.repeated(command) if command.is_from_person() else []
        before, moment = self.target(command.target), self._moment(record, command.target)
        if is_early(before, command, moment):
            return []
        self._see(command, record)
        if is_about_platform(command):
            told = self._outages.take(command, moment)
            return [] if told is None else scribe.decided(command, told, before)
        if command.target == GOVERNOR:
            self._governor, outputs = govern(self._governor or Standing(), command, moment, scribe)
            self._governor_changed = True
            return outputs
        decision = decide(before, command, moment)
        if decision.target is None:
            return scribe.decided(command, decision, before)
        self._put(decision.target)
        claims = map(scribe.order, words(before, decision.target, moment.at))
        return [*scribe.decided(command, decision, before), *claims]

    def _take_switch(self, command: Command, record: Record, scribe: Scribe) -> list[Output]:
        if command.command_id in self._seen:
            return scribe.repeated(command)
        self._see(command, record)
        decision = switch(self._automation, command, self._moment(record, automation.TARGET))
        if decision.target is not None:
            self._automation, self._automation_changed = decision.target, True
        if misplaced(automation.TARGET.encode(), self._partition, self._partitions):
            decision = replace(decision, target=None)  # one partition tells the state for all
        return scribe.decided(command, decision, self._automation)

    def _see(self, command: Command, record: Record) -> None:
        self._seen.add(command.command_id, record.timestamp_ms)
        self._watching.advance(from_ms(self._seen.newest_ms))

    def _moment(self, record: Record, target: str) -> Moment:
        at, policy = from_ms(record.timestamp_ms), UNTOLD if self._policy is None else self._policy.policy
        asks = asks_because(self._automation, target, policy, at)
        return Moment(at, policy, stale_acts=self._stale_acts, asks_because=asks)

    def _put(self, target: Target) -> None:
        self._targets[target.name] = target
        self._changed.add(target.name)
        self._note_work(target)

    def _note_work(self, target: Target) -> None:
        """What the companions have to do for a target."""
        self._watching.note(target)
        _keep(self._unsettled, target, not target.settled())
        _keep(self._waiting, target, bool(target.requests) or any(waits(hold) for hold in target.holds))
        _keep(self._timed, target, any(True for _ in deadlines(target)))
        _keep(self._held, target, bool(target.holds))
        _keep(self._ramping, target, any(running(hold) for hold in target.holds))

    def changed(self) -> Iterator[tuple[bytes, bytes | None]]:
        """Snapshot records: `target/<name>`, `seen/<chunk>`, `outage/<target>`, `policy`, `automation`, and of the
        governor."""
        for name in sorted(self._changed):
            yield f"target/{name}".encode(), encode(self._targets[name])
        self._changed.clear()
        for number, value in self._seen.changed():
            yield f"seen/{number}".encode(), value
        for name, value in self._outages.changed():
            yield f"outage/{name}".encode(), value
        if self._policy_changed and self._policy is not None:
            yield POLICY_KEY, self._policy.model_dump_json().encode()
        self._policy_changed = False
        if self._automation_changed:
            yield automation.KEY, encode(self._automation)
        self._automation_changed = False
        if self._governor_changed and self._governor is not None:
            yield GOVERNOR.encode(), self._governor.model_dump_json().encode()
        self._governor_changed = False

    def load(self, records: Iterable[tuple[bytes, bytes]]) -> None:
        """Takes over a snapshot; a record of another format, or unknown, raises ValueError."""
        seen: dict[str, bytes] = {}
        for key, value in sorted(records):
            kind, _, name = key.decode().partition("/")
            if kind == "target":
                self._targets[name] = decode(value)
                self._note_work(self._targets[name])
            elif kind == "seen":
                seen[name] = value
            elif kind == "outage":
                self._outages.load(name, value)
            elif key == POLICY_KEY:
                self._policy = PolicyInForce.model_validate_json(value)
            elif key == automation.KEY:
                self._automation = decode(value)
            elif kind == GOVERNOR:
                self._governor = Standing.model_validate_json(value)
            else:
                raise ValueError(f"a snapshot record {kind!r}, which this release does not know")
        self._seen.load(seen)
        self._watching.advance(from_ms(self._seen.newest_ms))


def _keep(targets: dict[str, Target], target: Target, wanted: bool) -> None:
    if wanted:
        targets[target.name] = target
    else:
        targets.pop(target.name, None)


def _problems(error: ValidationError) -> Bilingual:
    """The fields and what is wrong with them, never a value."""
    found = problems_of(error)[:MAX_PROBLEMS]
    return both(
        "; ".join(f"{each.field or 'the record'} {each.problem}" for each in found),
        f"不是有效的消息，问题字段：{'、'.join(each.field or '整条记录' for each in found)}",
    )
