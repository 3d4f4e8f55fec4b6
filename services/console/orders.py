"""What people may order, and the commands that these orders become. Pure; time and chance come in."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from schemas.alerts import AlertState
from schemas.audit import AuditRecord, Outcome
from schemas.base import HexId, Ref, Text
from schemas.commands import Command
from services.console.people import Person
from services.runtime.ids import derive

Note = Annotated[Text | None, Field(description="Why, for the audit.")]
Generation = Annotated[int, Field(ge=0, le=2**63 - 1)]


class Order(BaseModel):
    """The body of an order: strict, and closed, so that a misspelt field is not silently ignored."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")

    note: Note = None


class Pause(Order):
    """Stops a target until someone resumes it."""

    target: Ref


class Resume(Order):
    """Lifts holds. Refused if the target has changed since the generation that the person saw."""

    target: Ref
    expected_generation: Annotated[Generation, Field(description="`generation` of the state that the person saw.")]
    hold_ids: Annotated[
        list[HexId] | None,
        Field(min_length=1, max_length=1000, description="Which holds; null for all that stand at that generation."),
    ] = None


class Answer(Order):
    """A yes or no to what waits. Refused if one of the holds waits no more, or the target has changed since the person
    looked."""

    target: Ref
    expected_generation: Annotated[Generation, Field(description="`generation` of the state that the person saw.")]
    hold_ids: Annotated[
        list[HexId], Field(min_length=1, max_length=1000, description="Which holds; all of them or none.")
    ]


class Acknowledge(Order):
    """Takes charge of an alert."""

    alert_id: HexId


class OrderAnswer(BaseModel):
    """An order that is on its way, and what came of it as far as that is known."""

    command_id: HexId
    command: str
    target: Ref
    outcome: Annotated[Outcome | None, Field(description="null: not known yet; look for `command_id` in the audit.")]
    audit: AuditRecord | None


def command_id(person: Person, key: str | None, chance: str) -> str:
    """The same for the same person and Idempotency-Key; without a key as good as random (`chance`)."""
    return derive("order", person.name, "chance", chance) if key is None else derive("order", person.name, "key", key)


def pause(order: Pause, person: Person, new_id: str, now: datetime) -> Command:
    """The command of a pause."""
    return Command(
        command_id=new_id,
        command="pause",
        target=order.target,
        issued_by=person.issuer,
        issued_at=now,
        note=order.note,
    )


def resume(order: Resume, person: Person, new_id: str, now: datetime) -> Command:
    """The command of a resume."""
    return Command(
        command_id=new_id,
        command="resume",
        target=order.target,
        hold_ids=order.hold_ids,
        expected_generation=order.expected_generation,
        issued_by=person.issuer,
        issued_at=now,
        note=order.note,
    )


def answer(word: Literal["approve", "reject"], order: Answer, person: Person, new_id: str, now: datetime) -> Command:
    """The command of a yes or no."""
    return Command(
        command_id=new_id,
        command=word,
        target=order.target,
        hold_ids=order.hold_ids,
        expected_generation=order.expected_generation,
        issued_by=person.issuer,
        issued_at=now,
        note=order.note,
    )


def acknowledge(order: Acknowledge, alert: AlertState, person: Person, new_id: str, now: datetime) -> Command:
    """The command of an acknowledgement; its target is what the alert is about."""
    return Command(
        command_id=new_id,
        command="acknowledge",
        target=alert.subject,
        alert_id=order.alert_id,
        issued_by=person.issuer,
        issued_at=now,
        note=order.note,
    )


def answer_of(command: Command, audit: AuditRecord | None) -> OrderAnswer:
    """What the person is told of it."""
    return OrderAnswer(
        command_id=command.command_id,
        command=command.command,
        target=command.target,
        outcome=None if audit is None else audit.outcome,
        audit=audit,
    )


def differs(command: Command, audit: AuditRecord) -> bool:
    """Whether the audit knows this id as another order: the Idempotency-Key was used before."""
    return audit.detail.get("fingerprint") != command.fingerprint()


class Given:
    """What was ordered under the latest `capacity` ids, since the audit tells of an order only a moment later."""

    def __init__(self, capacity: int = 1000) -> None:
        self._capacity = capacity
        self._fingerprints: dict[str, str] = {}

    def is_other(self, command: Command) -> bool:
        """Whether another order was given under this id; if there was none, this is now the one."""
        fingerprint = command.fingerprint()
        known = self._fingerprints.setdefault(command.command_id, fingerprint)
        if len(self._fingerprints) > self._capacity:
            self._fingerprints.pop(next(iter(self._fingerprints)))
        return known != fingerprint
