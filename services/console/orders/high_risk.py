"""One order for all products of risk class high: a command for each, under ids that a repetition gives again. Pure."""

from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from schemas.commands import Command
from schemas.directory import Directory
from services.console.orders.orders import Because, Factor, Order, Reason, Until
from services.console.people import Person
from services.runtime.ids import derive


class HighRisk(Order):
    """Stops or slows every product of the risk class high in the directory of the policy in force."""

    command: Literal["pause", "throttle", "freeze", "take_down"]
    factor: Annotated[Factor | None, Field(description="For `throttle` only.")] = None
    note: Reason
    expires_at: Until = None
    alert_id: Because = None

    @model_validator(mode="after")
    def _has_a_factor_if_it_slows(self) -> Self:
        if (self.command == "throttle") != (self.factor is not None):
            raise ValueError("a throttle has a factor, nothing else has")
        return self


def id_for(new_id: str, target: str) -> str:
    """The id of the order for one product, of an order for all."""
    return derive(new_id, target)


def commands_of(order: HighRisk, directory: Directory, person: Person, new_id: str, now: datetime) -> list[Command]:
    """One for each product, in the order of their ids. Each id follows from the order's and the product."""
    return [
        Command(
            command_id=id_for(new_id, target),
            target=target,
            issued_by=person.issuer,
            issued_at=now,
            **order.model_dump(),
        )
        for target in (f"product:{name}" for name in directory.high_risk())
    ]
