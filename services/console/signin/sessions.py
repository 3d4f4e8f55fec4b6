"""Who is signed in, for how long. Pure; a session is all in its sealed cookie, so any console knows it, also after a
restart, and there is nothing to keep in step."""

import hashlib
import hmac
from collections.abc import Mapping
from typing import Final, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, ValidationError

from schemas.audit import AuditRecord
from schemas.base import HexId, to_ms
from services.console.people import Person, Role
from services.console.signin.sealing import MAX_COOKIE, ForgedError, Keys

RENEW_S: Final = 60
"""A session in use is written anew so often: its idle time is exact to that."""
Standing = Literal["in", "due", "out"]
"""How it stands with somebody as far as is known without asking the provider, which `due` says that it is time to."""
_PURPOSE: Final = "session"
_FORMS: Final = "forms of a session"


class Limits(BaseModel):
    """idle_s: without any use. longest_s: however much it is used. fresh_s: how long what needs a fresh sign-in may be
    ordered after it."""

    model_config = ConfigDict(frozen=True)

    idle_s: int
    longest_s: int
    fresh_s: int


class Session(BaseModel):
    """proved_s: when this person last proved who they are; checked_s: when their role was last asked for.

    stamp: of the password that it began with, so that it ends when that is changed. refresh: with which the provider is
    asked whether this person still may. Seconds since the epoch.
    """

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")

    session_id: HexId
    name: str
    role: Role
    door: Literal["password", "provider"]
    began_s: int
    proved_s: int
    seen_s: int
    checked_s: int
    stamp: str = ""
    refresh: str | None = None

    @property
    def person(self) -> Person:
        """Whose it is."""
        return Person(name=self.name, role=self.role)

    def is_over(self, limits: Limits, now_s: float) -> bool:
        """Whether its time is up, or lies ahead as no clock of ours would say."""
        idle, whole = now_s - self.seen_s, now_s - self.began_s
        return idle >= limits.idle_s or whole >= limits.longest_s or idle < -RENEW_S

    def is_fresh(self, limits: Limits, now_s: float) -> bool:
        """Whether this person proved a short while ago who they are."""
        return now_s - self.proved_s < limits.fresh_s

    def seen(self, now_s: float) -> "Session":
        """The same, in use now."""
        return self.model_copy(update={"seen_s": int(now_s)})


def seal(keys: Keys, session: Session, nonce: bytes) -> str:
    """The cookie. Where what the provider gave is too long for one, it goes without."""
    said = keys.seal(_PURPOSE, _json(session), nonce)
    if len(said) > MAX_COOKIE:
        return keys.seal(_PURPOSE, _json(session.model_copy(update={"refresh": None})), nonce)
    return said


def unseal(keys: Keys, cookie: str) -> Session:
    """What the cookie says. Raises ForgedError, also for what an earlier release wrote otherwise."""
    try:
        return Session.model_validate_json(keys.open(_PURPOSE, cookie))
    except ValidationError:
        raise ForgedError from None


def form_token(keys: Keys, session: Session) -> str:
    """What the forms of this session carry and no other page can know."""
    return keys.tokens(_FORMS, session.session_id)[0]


def is_form_token(keys: Keys, session: Session, token: str) -> bool:
    """Whether a form comes from a page of this session."""
    good = keys.tokens(_FORMS, session.session_id)
    return any(hmac.compare_digest(token.encode(), each.encode()) for each in good)


def is_own_origin(headers: Mapping[str, str], own: str | None) -> bool:
    """Whether a browser says that one of our own pages sent this. `own`: where people find the console."""
    origin = headers.get("origin", "null")
    if origin == "null":
        return headers.get("sec-fetch-site") == "same-origin"
    places = {headers.get("host", ""), urlsplit(own or "").netloc} - {""}
    return urlsplit(origin).netloc in places


class SignedOut:
    """Who has signed out, as the audit tells it to every console: a session, or all of a person's until then."""

    def __init__(self, capacity: int = 10_000) -> None:
        self._capacity = capacity
        self._sessions: dict[str, None] = {}
        self._people: dict[str, float] = {}

    def fold(self, record: AuditRecord) -> None:
        """Takes in a record of the audit, whatever it is about."""
        if record.what != "sign_out" or record.outcome != "recorded":
            return
        session, name = record.detail.get("session"), record.who.removeprefix("person:")
        if isinstance(session, str):
            self.note(session)
        else:
            self.note_person(name, to_ms(record.at) / 1000)

    def note(self, session_id: str) -> None:
        """This session is over; said here first, since the audit tells of it a moment later."""
        self._sessions[session_id] = None
        if len(self._sessions) > self._capacity:
            del self._sessions[next(iter(self._sessions))]

    def note_person(self, name: str, at_s: float) -> None:
        """All that this person has begun until then is over."""
        self._people[name] = max(self._people.get(name, 0.0), at_s)

    def knows(self, session: Session) -> bool:
        """Whether it is over."""
        return session.session_id in self._sessions or session.began_s < self._people.get(session.name, 0.0)


def stamp_of(password_hash: str) -> str:
    """A mark of a password's hash which tells nothing about it."""
    return hashlib.sha256(password_hash.encode()).hexdigest()[:16]


def _json(session: Session) -> bytes:
    return session.model_dump_json(exclude_defaults=True).encode()
