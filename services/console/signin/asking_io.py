"""Asks the provider once a minute whether somebody who is here still may be, and in which role."""

import asyncio
import logging
from collections.abc import Callable
from typing import Final
from weakref import WeakValueDictionary

from services.console.people import Role
from services.console.signin.claims import NoNameError, NoRoleError, SamePersonError
from services.console.signin.provider_io import Provider, ProviderAwayError, ProviderRefusedError
from services.console.signin.sessions import Session, Standing
from services.console.signin.users_io import UsersNow

log = logging.getLogger(__name__)

CHECK_S: Final = 60
AWAY_S: Final = 15 * 60
"""So long somebody may stay about whom the provider cannot be asked: it is away, or gave nothing to ask with."""
REST_S: Final = 30
"""So long a provider that is away is left alone, since each question takes its time."""
_CAPACITY: Final = 10_000


class Asking:
    """Remembers the newest answers: the requests of a page come at once, and a refresh token may be good for once."""

    def __init__(self, provider: Provider, users: UsersNow, clock: Callable[[], float]) -> None:
        self._provider = provider
        self._users = users
        self._clock = clock
        self._answers: dict[str, Session] = {}
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._rest_until_s = 0.0

    async def still(self, session: Session) -> Session | None:
        """The session with the role of now; None where it is over."""
        lock = self._locks.setdefault(session.session_id, asyncio.Lock())
        async with lock:
            known = self._answers.get(session.session_id, session)
            if known.checked_s > session.checked_s:
                session = _with(session, known.role, known.refresh, known.checked_s)
            if self._clock() - session.checked_s < CHECK_S:
                return session
            answer = await self._ask(session)
            if answer is not None:
                self._answers[session.session_id] = answer
                if len(self._answers) > _CAPACITY:
                    del self._answers[next(iter(self._answers))]
            return answer

    def standing(self, session: Session) -> Standing:
        """For a stream, which must not ask: it could not bring home the refresh token that it gets."""
        known = self._answers.get(session.session_id, session)
        since_s = self._clock() - max(known.checked_s, session.checked_s)
        if since_s >= AWAY_S:
            return "out"
        return "due" if since_s >= CHECK_S else "in"

    async def _ask(self, session: Session) -> Session | None:
        now = self._clock()
        stays = session if now - session.checked_s < AWAY_S else None
        if session.refresh is None or now < self._rest_until_s:
            return stays
        try:
            vouched = await self._provider.renew(session.refresh, self._users())
        except ProviderAwayError as error:
            log.warning("the provider does not answer", extra={"reason": str(error)})
            self._rest_until_s = now + REST_S
            return stays
        except (ProviderRefusedError, NoRoleError, NoNameError, SamePersonError) as error:
            log.info("let in no more", extra={"person": session.name, "reason": type(error).__name__})
            return None
        if vouched.person.name != session.name:
            return None
        return _with(session, vouched.person.role, vouched.refresh, int(now))


def _with(session: Session, role: Role, refresh: str | None, checked_s: int) -> Session:
    return session.model_copy(update={"role": role, "refresh": refresh, "checked_s": checked_s})
