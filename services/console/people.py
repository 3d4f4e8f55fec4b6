"""Who may use the console: the owners of its tokens, each role with the rights of those before it."""

from typing import Literal, get_args

from services.runtime.tokens import TokenOwner

Role = Literal["viewer", "operator", "approver", "admin"]
"""A viewer reads and scans; an operator gives orders; an approver says yes or no to what waits for people; an admin
switches automation off and on."""


class Person(TokenOwner):
    """One of them."""

    role: Role

    def is_at_least(self, role: Role) -> bool:
        """Whether this person has the rights of a role."""
        ranks = get_args(Role)
        return bool(ranks.index(self.role) >= ranks.index(role))

    @property
    def issuer(self) -> str:
        """How a command names this person."""
        return f"person:{self.name}"
