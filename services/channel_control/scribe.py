"""Writes down what came of one record of the log: the messages, with ids and numbers that a replay repeats."""

from collections.abc import Iterable
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError

from schemas import topics
from schemas.alerting import SILENCE_KEY, Silence
from schemas.alerts import INCIDENT_LABEL, AlertFact
from schemas.audit import AuditRecord, Outcome
from schemas.base import Bilingual, Message, Ref, from_ms
from schemas.commands import Command
from services.channel_control.decision import AlertNote, Decision
from services.channel_control.holding.target import Target
from services.channel_control.sentences import both, chinese
from services.runtime.ids import derive
from services.runtime.machines.machine import Output, Record

FACTS_PER_RECORD: Final = 10_000
"""The numbers of one record's facts begin at its offset times this: they rise with the log and need no counter."""

_SAID: Final = {"level", "factor", "expected_generation", "expires_at", "incidents", "indicators", "note", "session"}
MAX_AUDITED_EVIDENCE: Final = 64 * 1024
_REF: Final[TypeAdapter[str]] = TypeAdapter(Ref)


class Scribe:
    """For one record of one partition, of so many; everything is dated with the record's append time."""

    def __init__(self, partition: int, record: Record, partitions: int = 1) -> None:
        self._writer = f"channel_control:{partition}"
        self._place = f"{topics.CHANNEL_COMMANDS}/{partition}/{record.offset}"
        self._record = record
        self._partitions = partitions
        self._at = from_ms(record.timestamp_ms)

    def unreadable(self, what: str, problem: Bilingual) -> list[Output]:
        """The audit of a record that is no order."""
        target = _target_of(self._record.key)
        return [self._audit(problem, who="unknown", what=what, target=target, outcome="refused")]

    def refused(self, command: Command, problem: Bilingual) -> list[Output]:
        """The audit of an order that cannot even be brought before its target."""
        return [self._audit_of(command, Decision("refused", problem), None)]

    def repeated(self, command: Command) -> list[Output]:
        """The audit of a person's order that was given before."""
        text = both(
            "this order was taken before; see the first record with this command_id",
            "该指令此前已受理，见此 command_id 的首条记录",
        )
        return [self._audit_of(command, Decision("repeated", text), None)]

    def decided(self, command: Command, decision: Decision, before: Target) -> list[Output]:
        """Everything that an order brings about."""
        outputs = [] if decision.target is None else [self._state(decision.target)]
        after = decision.target or before
        outputs.append(self._audit_of(command, decision, after))
        outputs.extend(self._facts(decision.notes))
        if decision.silence is not None:
            outputs.extend(self._everywhere(decision.silence))
        return outputs

    def _everywhere(self, silence: Silence) -> list[Output]:
        """Any partition may have an alert that it is about."""
        value = silence.model_dump_json().encode()
        partitions = topics.TOPICS[topics.ALERTS].partitions(self._partitions)
        return [Output(topics.ALERTS, SILENCE_KEY, value, partition) for partition in range(partitions)]

    def governed(self, command: Command, outcome: Outcome, why: Bilingual, detail: dict[str, Any]) -> Output:
        """The audit of what came before the governor."""
        return self._audit(
            why,
            who=command.issued_by,
            what=command.command,
            target=command.target,
            outcome=outcome,
            command_id=command.command_id,
            alert_id=command.alert_id,
            holds=command.hold_ids or [],
            detail=detail,
        )

    def order(self, command: Command) -> Output:
        """A word of this machine to a target of any partition."""
        return _output(topics.CHANNEL_COMMANDS, command.target, command)

    def alert(self, alert_id: str, **words: Any) -> Output:
        """What this machine says of an alert of its own."""
        seq = self._record.offset * FACTS_PER_RECORD
        fact = AlertFact(alert_id=alert_id, writer=self._writer, seq=seq, at=self._at, **words)
        return _output(topics.ALERTS, alert_id, fact)

    def _state(self, target: Target) -> Output:
        state = target.state().model_copy(update={"seq": self._record.offset})
        return _output(topics.CHANNEL_STATE, target.name, state)

    def _audit_of(self, command: Command, decision: Decision, after: Target | None) -> Output:
        return self._audit(
            decision.why,
            who=command.issued_by,
            what=command.command,
            target=command.target,
            outcome=decision.outcome,
            command_id=command.command_id,
            alert_id=command.alert_id,
            generation=None if after is None else after.generation,
            holds=list(decision.holds),
            detail=_detail(command, decision, after),
        )

    def _audit(self, why: Bilingual, **fields: Any) -> Output:
        fields |= {"audit_id": derive("audit", self._place), "at": self._at, "writer": self._writer}
        audit = AuditRecord(why=why.en, why_zh=chinese(why), **fields)
        return _output(topics.AUDIT, audit.target, audit)

    def _facts(self, notes: Iterable[AlertNote]) -> list[Output]:
        """One fact for each alert, in the order in which they are first spoken of."""
        said: dict[str, dict[str, Any]] = {}
        for note in notes:
            words = said.setdefault(note.alert_id, {"actions": []})
            if note.words is not None:
                words |= {name: getattr(note.words, name) for name in note.words.model_fields_set}
            if note.action is not None:
                words["actions"].append(note.action)
            if note.acknowledged_by is not None:
                words["acknowledged_by"] = note.acknowledged_by
            if note.level is not None:
                words["level"] = note.level
            if note.incident is not None:
                words["labels"] = {INCIDENT_LABEL: note.incident}
        first = self._record.offset * FACTS_PER_RECORD
        return [
            _output(
                topics.ALERTS,
                alert_id,
                AlertFact(alert_id=alert_id, writer=self._writer, seq=first + number, at=self._at, **words),
            )
            for number, (alert_id, words) in enumerate(said.items())
        ]


def _output(topic: str, key: str, message: Message) -> Output:
    return Output(topic, key.encode(), message.model_dump_json(by_alias=True).encode())


def _target_of(key: bytes | None) -> str:
    """The target that a record's key names, or a stand-in where it names none."""
    try:
        return _REF.validate_python((key or b"").decode())
    except (UnicodeDecodeError, ValidationError):
        return "unknown:target"


def _detail(command: Command, decision: Decision, after: Target | None) -> dict[str, Any]:
    """What else the audit keeps: the figures that the order rests on, without the trace, and what it led to."""
    detail: dict[str, Any] = {}
    if command.is_from_person():
        detail["fingerprint"] = command.fingerprint()
    detail |= command.model_dump(mode="json", include=_SAID, exclude_none=True)
    if command.evidence is not None:
        evidence = command.evidence.model_dump(mode="json", exclude={"detail"})
        short = len(str(evidence)) <= MAX_AUDITED_EVIDENCE
        detail["evidence"] = evidence if short else {"left_out": "too large"}
    if decision.request is not None:
        detail["request"] = decision.request.model_dump(mode="json")
    if decision.void:
        detail["void_requests"] = list(decision.void)
    if after is not None:
        wanted = after.wanted()
        detail["status"] = wanted.status
        detail["left"] = wanted.factor
        if after.override is not None:
            detail["override"] = after.override.override_id
    return detail
