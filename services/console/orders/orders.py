"""What people may order, and the commands that these orders become. Pure; time and chance come in."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from schemas import commands
from schemas.audit import AuditRecord, Outcome
from schemas.automation import TARGET
from schemas.base import HexId, Instant, Name, Ref, Text
from schemas.commands import Action, Command, PersonsWord
from services.console.people import Person
from services.runtime.ids import derive

Word = Action | PersonsWord | commands.Switch
Note = Annotated[Text | None, Field(description="Why, for the audit.")]
Reason = Annotated[
    str,
    StringConstraints(max_length=20_000, pattern=r"^[^\x00]*[^\s\x00][^\x00]*$"),
    Field(description="Why; there is no stop without a reason."),
]
Generation = Annotated[
    int, Field(ge=0, le=2**63 - 1, description="`generation` of the state that the person saw; 0 where there is none.")
]
Target = Annotated[
    str,
    StringConstraints(
        max_length=420,
        pattern=r"^((channel|product|content|actor|account):[^\x00-\x1f\x7f]+"
        r"|promotion:[^\x00-\x1f\x7f]+@[^\x00-\x1f\x7f]+)$",
    ),
    Field(description="A channel, product, content, actor or account by its id, or `promotion:<product>@<channel>`."),
]
Until = Annotated[Instant | None, Field(description="When it ends by itself; null: when someone lifts it.")]
Because = Annotated[HexId | None, Field(description="The alert because of which, if there is one: it is told.")]
Factor = Annotated[float, Field(ge=0, le=1, description="The share of traffic that is left.")]


class Order(BaseModel):
    """The body of an order: strict, and closed, so that a misspelt field is not silently ignored.

    Its fields are those of the command that it becomes.
    """

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")

    note: Note = None


class Stop(Order):
    """Stops a target: `pause`, `freeze` or `take_down`."""

    target: Target
    note: Reason
    expires_at: Until = None
    alert_id: Because = None


class Throttle(Stop):
    """Slows a target; of several throttles the lowest factor counts."""

    factor: Factor


class Override(Order):
    """Keeps a target running until a time, whatever automation wants meanwhile. What it masks stands, visibly, and acts
    when it ends. Refused if the target has changed since the generation that the person saw."""

    target: Target
    expected_generation: Generation
    expires_at: Annotated[Instant, Field(description="At most as far ahead as the policy allows.")]
    indicators: Annotated[
        list[Name] | None,
        Field(min_length=1, max_length=100, description="Whose holds it masks; null: everyone's."),
    ] = None
    note: Reason


class Switch(Order):
    """Switches all of automation off or on."""

    target: Literal["automation:all"] = TARGET
    note: Reason


class Resume(Order):
    """Lifts holds. Refused if the target has changed since the generation that the person saw."""

    target: Ref
    expected_generation: Generation
    hold_ids: Annotated[
        list[HexId] | None,
        Field(min_length=1, max_length=1000, description="Which holds; null for all that stand at that generation."),
    ] = None


class Answer(Order):
    """A word about what stands or waits, by its ids. Refused if one of them does so no more, or the target has changed
    since the person looked."""

    target: Ref
    expected_generation: Generation
    hold_ids: Annotated[list[HexId], Field(min_length=1, max_length=1000, description="Which; all of them or none.")]


class Acknowledge(Order):
    """Takes charge of an alert."""

    alert_id: HexId


class Silence(Order):
    """Nobody is told of an alert, or of any about a subject, until a time; what still stands then is told."""

    alert_id: Annotated[HexId | None, Field(description="Only this alert.")] = None
    target: Annotated[Ref | None, Field(description="All alerts about this; null where `alert_id` says which.")] = None
    expires_at: Annotated[Instant | None, Field(description="At most a week ahead; null ends the silence.")]

    @model_validator(mode="after")
    def _about_something(self) -> "Silence":
        if (self.alert_id is None) == (self.target is None):
            raise ValueError("names either an alert_id or a target")
        if self.expires_at is not None and not (self.note or "").strip():
            raise ValueError("says in its note why")
        return self


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


def command_of(word: Word, order: Order, person: Person, new_id: str, now: datetime, **more: Any) -> Command:
    """The command of an order; `more`: what its body does not say."""
    return Command(
        command_id=new_id, command=word, issued_by=person.issuer, issued_at=now, **order.model_dump(), **more
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
