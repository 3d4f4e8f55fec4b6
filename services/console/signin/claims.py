"""What a provider says of somebody, and who that is here. Pure."""

from collections.abc import Mapping
from typing import Any, get_args

from pydantic import ValidationError

from services.console.people import Person, Role
from services.console.signin.users import SamePersonError, Users


class NoRoleError(ValueError):
    """The provider knows this person, but nothing that it says gives them a role here."""


class NoNameError(ValueError):
    """The claim that people are called by is missing, or is none that a person can be called by."""


def person_of(
    claims: Mapping[str, Any], users: Users, *, name_claim: str, roles_claim: str, roles: Mapping[Role, list[str]]
) -> Person:
    """Who it is, with the highest of their roles. Raises NoNameError, NoRoleError and SamePersonError."""
    name = _at(claims, name_claim)
    if not isinstance(name, str) or not name.strip():
        raise NoNameError
    if name_claim == "email" and claims.get("email_verified") is not True:
        raise NoNameError
    role = role_of(claims, roles_claim, roles)
    if role is None:
        raise NoRoleError
    try:
        return users.by_provider(name, role)
    except ValidationError:
        raise NoNameError from None


def role_of(claims: Mapping[str, Any], roles_claim: str, roles: Mapping[Role, list[str]]) -> Role | None:
    """The highest role that one of the claim's values gives."""
    said = _at(claims, roles_claim)
    values = set(said if isinstance(said, list) else [said]) if isinstance(said, list | str) else set()
    order: tuple[Role, ...] = get_args(Role)
    return next((role for role in reversed(order) if values & set(roles.get(role, []))), None)


def _at(claims: Mapping[str, Any], path: str) -> Any:
    """The claim of this name, which may have dots in it (`https://bank.example/roles`), else what the path leads to."""
    if path in claims:
        return claims[path]
    found: Any = claims
    for step in path.split("."):
        found = found.get(step) if isinstance(found, Mapping) else None
    return found


__all__ = ["NoNameError", "NoRoleError", "SamePersonError", "person_of", "role_of"]
