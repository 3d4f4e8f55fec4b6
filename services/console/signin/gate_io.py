"""The gate of the pages: whose cookie it is, whether that is still good, and when it is written anew."""

import secrets
import time
from collections.abc import Callable
from typing import Final

from fastapi import Request, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.console.pages.frame.frame_io import PageError
from services.console.pages.frame.visitor_io import SignInNeededError, Visitor, language_of, url_of
from services.console.signin import problems
from services.console.signin.asking_io import Asking
from services.console.signin.provider_io import Provider
from services.console.signin.sealing import NONCE_BYTES, ForgedError
from services.console.signin.sessions import (
    RENEW_S,
    Session,
    SignedOut,
    Standing,
    form_token,
    is_own_origin,
    seal,
    unseal,
)
from services.console.signin.settings import SignInSettings
from services.console.signin.users_io import UsersNow

_RENEWED: Final = "renewed cookie"


class Gate:
    """Lets people in by their cookie. One for each app."""

    def __init__(self, settings: SignInSettings, signed_out: SignedOut, clock: Callable[[], float] = time.time) -> None:
        self.settings = settings
        self.keys = settings.session_keys(secrets.token_hex(32))
        self.users = UsersNow(settings)
        self.provider = None if settings.console_oidc_issuer is None else Provider(settings)
        self.signed_out = signed_out
        self.clock = clock
        self.limits = settings.session_limits
        self.cookie = f"{'__Host-' if settings.is_https else ''}tidegate"
        self._asking = None if self.provider is None else Asking(self.provider, self.users, clock)

    async def visiting(self, request: Request) -> Visitor:
        """A dependency of pages: who it is. Raises SignInNeededError, and PageError for what other sites send."""
        if request.method not in ("GET", "HEAD") and not is_own_origin(request.headers, self.settings.console_url):
            raise PageError(403, problems.ELSEWHERE.en, problems.ELSEWHERE.zh)
        session = await self.session_of(request)
        if session is None:
            raise SignInNeededError
        return Visitor(
            session.person,
            language_of(request),
            url_of(request),
            form_token(self.keys, session),
            is_fresh=session.is_fresh(self.limits, self.clock()),
        )

    async def session_of(self, request: Request) -> Session | None:
        """The session of a request; it is in use from now on, unless a page only fetched itself anew."""
        known = self._in_cookie(request)
        if known is None:
            return None
        session = self._as_we_know(known)
        if session is not None and session.door == "provider":
            session = None if self._asking is None else await self._asking.still(session)
        if session is None:
            self.signed_out.note(known.session_id)  # what is over stays over, also when the provider changes its mind
            return None
        if _is_use(request) and self.clock() - session.seen_s >= RENEW_S:
            session = session.seen(self.clock())
        if session != known:
            request.scope[_RENEWED] = self.cookie_of(session)
        return session

    def standing(self, request: Request) -> Standing:
        """How it stands with whoever has opened a stream, whose cookie stays what it was then."""
        known = self._in_cookie(request)
        session = None if known is None else self._as_we_know(known)
        if session is None:
            return "out"
        if session.door == "password":
            return "in"
        return "out" if self._asking is None else self._asking.standing(session)

    def _in_cookie(self, request: Request) -> Session | None:
        try:
            known = unseal(self.keys, request.cookies.get(self.cookie, ""))
        except ForgedError:
            return None
        # over: a tab may still have a copy of before, while the session goes on in another
        return None if known.is_over(self.limits, self.clock()) else known

    def _as_we_know(self, session: Session) -> Session | None:
        """By the audit and the users' file."""
        return None if self.signed_out.knows(session) else self.users().still(session)

    def begin(self, session: Session, answer: Response) -> None:
        """Lets somebody in."""
        answer.headers.append("Set-Cookie", self.cookie_of(session))

    def end(self, session: Session | None, answer: Response, *, everywhere: bool) -> None:
        """Lets them out, here at once and at other consoles as soon as the audit tells of it.

        everywhere: from all their browsers.
        """
        if session is not None:
            self.signed_out.note(session.session_id)
        if session is not None and everywhere:
            self.signed_out.note_person(session.name, self.clock())
        answer.delete_cookie(self.cookie, secure=self.settings.is_https, httponly=True, samesite="lax")

    def cookie_of(self, session: Session) -> str:
        """The header that sets it. Lax: people come from links in messages, and from the provider."""
        answer = Response()
        answer.set_cookie(
            self.cookie,
            seal(self.keys, session, secrets.token_bytes(NONCE_BYTES)),
            secure=self.settings.is_https,
            httponly=True,
            samesite="lax",
        )
        return answer.headers["Set-Cookie"]


def _is_use(request: Request) -> bool:
    """Whether somebody has done something, and not a page that is open."""
    is_listening = "text/event-stream" in request.headers.get("accept", "")
    return request.method != "GET" or not ("hx-request" in request.headers or is_listening)


class Renewing:
    """Middleware: adds the cookie of a session that was written anew to whatever the answer is."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def adding(message: Message) -> None:
            if message["type"] == "http.response.start" and _RENEWED in scope:
                named = scope[_RENEWED].partition("=")[0].encode()
                headers = list(message.get("headers", []))
                if not any(key == b"set-cookie" and value.startswith(named) for key, value in headers):
                    headers.append((b"set-cookie", scope[_RENEWED].encode()))
                message = {**message, "headers": headers}
            await send(message)

        await self._app(scope, receive, adding)
