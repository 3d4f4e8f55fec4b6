"""The users' file: the people of a small team, and who has to sign in again. Pure.

users:
  - name: li.wei
    role: approver
    password: $argon2id$v=19$m=65536,t=3,p=4$…      # of `tidegate user hash`
    at_provider: li.wei@bank.example                 # with OpenID Connect: what the provider calls this person, or null
not_before: 2026-11-26T20:00:00+08:00                # everybody who signed in earlier has to do so again
signed_out: {wang.fang: 2026-11-26T21:00:00+08:00}   # the same for one person
"""

import unicodedata
from collections import Counter
from collections.abc import Iterable
from typing import Annotated, Final

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from schemas.base import Instant
from schemas.problems import problems_of
from services.console.people import Person, PersonName, Role
from services.console.signin.passwords import PasswordHash, is_right, stranger_like
from services.console.signin.sessions import Session, stamp_of

MAX_BYTES: Final = 1024 * 1024
_NOBODYS: Final = "$argon2id$v=19$m=65536,t=3,p=4$AAAAAAAAAAAAAAAAAAAAAA$CKRr+j2Vu+nU04ztbTeIuhOFzYqZE6/eNvW6ayzoJNI"


class User(BaseModel):
    """One of them. at_provider: left out says nothing, null that the provider does not know this person."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid", hide_input_in_errors=True)

    name: PersonName
    role: Role
    password: PasswordHash
    at_provider: PersonName | None = None

    def session(self, session_id: str, now_s: float) -> Session:
        """What begins when this user has just given the password."""
        now = int(now_s)
        return Session(
            session_id=session_id,
            name=self.name,
            role=self.role,
            door="password",
            began_s=now,
            proved_s=now,
            seen_s=now,
            checked_s=now,
            stamp=stamp_of(self.password),
        )


class UsersFile(BaseModel):
    """All of it."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid", hide_input_in_errors=True)

    users: Annotated[list[User], Field(max_length=1000)] = []
    not_before: Instant | None = None
    signed_out: dict[str, Instant] = {}


class SamePersonError(ValueError):
    """This name is somebody else's, or may be: nobody signs in by it."""


class Users:
    """Those of one reading of the file."""

    def __init__(self, file: UsersFile) -> None:
        self._file = file
        self._by_name = {same(user.name): user for user in file.users}
        self._at_provider = {same(user.at_provider): user for user in file.users if user.at_provider is not None}
        self._stranger = stranger_like(file.users[0].password) if file.users else _NOBODYS

    def __len__(self) -> int:
        return len(self._by_name)

    @property
    def says_nothing(self) -> bool:
        """Whether the file is empty, as one is for an instant that is being written in place."""
        return not self._file.model_fields_set

    def named(self, name: str) -> User | None:
        """Who has this name."""
        return self._by_name.get(same(name))

    def by_password(self, name: str, password: str) -> User | None:
        """Whose name and password these are. Takes as long for a name that nobody has."""
        user = self.named(name)
        right = is_right(self._stranger if user is None else user.password, password)
        return user if right else None

    def by_provider(self, name: str, role: Role) -> Person:
        """Who it is that the provider calls so. Raises SamePersonError where that is a name of the file, and not said
        to be the same person's."""
        if (user := self._at_provider.get(same(name))) is not None:
            return Person(name=user.name, role=role)
        if self.named(name) is not None:
            raise SamePersonError
        return Person(name=same(name), role=role)

    def still(self, session: Session) -> Session | None:
        """The session as it stands by this file, with the role of now; None where it is over."""
        limits = (self._file.not_before, _of(self._file.signed_out, session.name))
        if any(limit is not None and session.began_s < limit.timestamp() for limit in limits):
            return None
        if session.door == "provider":
            return session
        user = self.named(session.name)
        if user is None or stamp_of(user.password) != session.stamp:
            return None
        return session if user.role == session.role else session.model_copy(update={"role": user.role})


def same(name: str) -> str:
    """How names are compared: as four eyes do, and the forms of a letter count as that letter."""
    return unicodedata.normalize("NFKC", name).strip().casefold()


def parse(data: bytes, *, with_provider: bool) -> Users:
    """The users in the file. Raises ValueError, which names places and fields, never what stands there.

    with_provider: there are two doors, so that of each user it has to be said who that is at the other one.
    """
    if len(data) > MAX_BYTES:
        raise ValueError(f"is larger than {MAX_BYTES} bytes")
    try:
        file = UsersFile.model_validate(yaml.safe_load(data.decode()) or {})
    except UnicodeDecodeError:
        raise ValueError("is not UTF-8 text") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        raise ValueError("is not YAML" + (f": line {mark.line + 1}" if mark else "")) from None
    except ValidationError as error:
        raise ValueError(
            "; ".join(f"{each.field or 'the file'}: {each.problem}" for each in problems_of(error))
        ) from None
    except (ValueError, LookupError, AttributeError, ArithmeticError, RecursionError):  # PyYAML's own, of odd tags
        raise ValueError("is not YAML") from None
    if twice := _twice(same(user.name) for user in file.users):
        raise ValueError(f"has the same name twice: {', '.join(twice)}")
    if twice := _twice(same(user.at_provider) for user in file.users if user.at_provider is not None):
        raise ValueError(f"says of two users that the provider calls them {', '.join(twice)}")
    silent = [user.name for user in file.users if "at_provider" not in user.model_fields_set]
    if with_provider and silent:
        raise ValueError(
            f"does not say what the provider calls {', '.join(silent)}: `at_provider`, null where it does not know them"
        )
    return Users(file)


def _of(times: dict[str, Instant], name: str) -> Instant | None:
    return next((at for who, at in times.items() if same(who) == same(name)), None)


def _twice(values: Iterable[str]) -> list[str]:
    return sorted(value for value, count in Counter(values).items() if count > 1)
