"""Who may use the console, each role with the rights of those before it."""

from typing import Annotated, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field

from schemas.base import Name
from services.runtime.http.tokens import TokenOwner

Role = Literal["viewer", "operator", "approver", "admin"]
"""A viewer reads and scans; an operator gives orders; an approver says yes or no to what waits for people; an admin
switches automation off and on."""
PersonName = Annotated[Name, Field(max_length=100)]


class Person(BaseModel):
    """One of them, by whichever door: whoever has the same name is the same person."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid", hide_input_in_errors=True)

    name: PersonName
    role: Role

    def is_at_least(self, role: Role) -> bool:
        """Whether this person has the rights of a role."""
        ranks = get_args(Role)
        return bool(ranks.index(self.role) >= ranks.index(role))

    @property
    def issuer(self) -> str:
        """How a command names this person."""
        return f"person:{self.name}"


class TokenHolder(Person, TokenOwner):
    """A person by the token of their scripts."""
