"""The page on which people sign in, and the door of those who have a password."""

import secrets
from collections.abc import Mapping
from typing import Annotated, Final

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse

from schemas.base import Bilingual
from services.console.pages.frame.frame_io import Frame, PageError
from services.console.pages.frame.visitor_io import guest_of, inside
from services.console.signin import problems
from services.console.signin.gate_io import Gate
from services.console.signin.limits import Attempts
from services.console.signin.passwords_io import BusyError, Checking
from services.console.signin.registrar_io import Registrar
from services.console.signin.sessions import Session, is_own_origin
from services.console.signin.users import User, same
from services.runtime.client_address import client_address

MAX_NAME: Final = 100


class SignInPage:
    """The page that asks who somebody is."""

    def __init__(self, frame: Frame, gate: Gate) -> None:
        self._frame = frame
        self._gate = gate

    async def show(
        self,
        request: Request,
        next: str,
        *,
        status: int = 200,
        problem: Bilingual | None = None,
        again: bool = False,
        out: bool = False,
        untold: bool = False,
        headers: Mapping[str, str] | None = None,
    ) -> Response:
        """again: somebody who is here is to prove it once more. out: they have just left.
        untold: and other consoles do not know of it yet."""
        session = await self._gate.session_of(request) if again else None
        answer = self._frame.page(
            guest_of(request),
            "signin.html",
            status=status,
            next=inside(next),
            problem=problem,
            out=out,
            untold=untold,
            again=session,
            by_password=self._gate.settings.console_users_file is not None
            and (session is None or session.door == "password"),
            by_provider=self._gate.provider is not None and (session is None or session.door == "provider"),
        )
        answer.headers.update(headers or {})
        return answer


class TurnedAwayError(Exception):
    """Somebody is not let in: the status and headers of the answer, and what it says."""

    def __init__(self, status: int, problem: Bilingual, wait_s: float = 0) -> None:
        super().__init__(problem.en)
        self.status, self.problem = status, problem
        self.headers = {"Retry-After": str(int(wait_s) + 1)} if wait_s > 0 else {}


class PasswordDoor:
    """Names and passwords of the users' file, tried no faster than the limits allow."""

    def __init__(self, gate: Gate, registrar: Registrar) -> None:
        self._gate = gate
        self._registrar = registrar
        self._attempts = Attempts()
        self._checking = Checking()

    async def user(self, name: str, password: str, address: str) -> User:
        """Whose these are. Raises TurnedAwayError."""
        key = same(name)[:MAX_NAME]
        wait = self._attempts.begin(key, address, self._gate.clock())
        if wait > 0:
            raise TurnedAwayError(429, problems.wait(wait), wait)
        users = self._gate.users()
        try:
            user = await self._checking.user(users, name, password)
        except BusyError:
            raise TurnedAwayError(503, problems.BUSY, wait_s=5) from None
        if user is None:
            known = users.named(name)
            self._registrar.failed(None if known is None else known.name, "the password is wrong")
            raise TurnedAwayError(401, problems.WRONG)
        self._attempts.succeeded(key)
        return user


def sign_in_routes(frame: Frame, gate: Gate, registrar: Registrar) -> APIRouter:
    """The routes."""
    router = APIRouter(include_in_schema=False)
    page, door = SignInPage(frame, gate), PasswordDoor(gate, registrar)

    @router.get("/signin")
    async def ask(request: Request, next: str = "/", out: bool = False, untold: bool = False) -> Response:
        return await page.show(request, next, out=out, untold=untold)

    @router.get("/signin/again")
    async def ask_again(request: Request, next: str = "/") -> Response:
        return await page.show(request, next, again=True)

    @router.post("/signin")
    async def sign_in(
        request: Request,
        name: Annotated[str, Form()] = "",
        password: Annotated[str, Form()] = "",
        next: Annotated[str, Form()] = "/",
    ) -> Response:
        if not is_own_origin(request.headers, gate.settings.console_url):
            raise PageError(403, problems.ELSEWHERE.en, problems.ELSEWHERE.zh)
        try:
            user = await door.user(name, password, _address(request, gate))
        except TurnedAwayError as error:
            return await page.show(request, next, status=error.status, problem=error.problem, headers=error.headers)
        return await let_in(user.session(secrets.token_hex(16), gate.clock()), gate, registrar, request, next)

    return router


async def let_in(session: Session, gate: Gate, registrar: Registrar, request: Request, next: str) -> Response:
    """The way on for somebody who has signed in; once more by the same door, it stays the same session."""
    before = await gate.session_of(request)
    is_same = before is not None and (before.name, before.door) == (session.name, session.door)
    if before is not None and is_same:
        session = session.model_copy(update={"session_id": before.session_id, "began_s": before.began_s})
    elif before is not None:
        gate.signed_out.note(before.session_id)
    answer = RedirectResponse(inside(next), 303)
    gate.begin(session, answer)
    registrar.came(session, again=is_same)
    return answer


def _address(request: Request, gate: Gate) -> str:
    peer = "" if request.client is None else request.client.host
    forwarded = request.headers.get("x-forwarded-for", "")
    return client_address(peer, forwarded, gate.settings.console_proxies)
