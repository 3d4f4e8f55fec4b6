"""Who may use the console: the owners of its tokens."""

from typing import Literal

from services.runtime.tokens import TokenOwner


class Person(TokenOwner):
    """A viewer reads; an operator gives orders as well, and approves or rejects what waits for a person."""

    role: Literal["viewer", "operator"]

    @property
    def may_order(self) -> bool:
        """Whether this person's orders are passed on."""
        return self.role == "operator"

    @property
    def issuer(self) -> str:
        """How a command names this person."""
        return f"person:{self.name}"
