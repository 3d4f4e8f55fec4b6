"""The door of the OpenID Connect provider: there, back, and out."""

import secrets
from hmac import compare_digest
from typing import Final

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import ValidationError

from schemas.base import Bilingual
from services.console.pages.door.signing_in_io import SignInPage, let_in
from services.console.pages.frame.frame_io import Frame, PageError
from services.console.pages.frame.visitor_io import inside
from services.console.signin import problems
from services.console.signin.claims import NoNameError, NoRoleError, SamePersonError
from services.console.signin.gate_io import Gate
from services.console.signin.provider_io import (
    CALLBACK,
    Begun,
    Provider,
    ProviderAwayError,
    ProviderRefusedError,
    Vouched,
)
from services.console.signin.registrar_io import Registrar
from services.console.signin.sealing import NONCE_BYTES, ForgedError
from services.console.signin.sessions import Session

PATIENCE_S: Final = 600
"""How long somebody may take at the provider."""
_PURPOSE: Final = "on the way to the provider"
_REFUSALS: Final[dict[type[Exception], tuple[int, Bilingual, str]]] = {
    ProviderAwayError: (503, problems.AWAY, "the provider does not answer"),
    ProviderRefusedError: (401, problems.DENIED, "the provider says no"),
    NoRoleError: (403, problems.NO_ROLE, "the provider gives no role"),
    NoNameError: (403, problems.NO_NAME, "the provider gives no name"),
    SamePersonError: (403, problems.SAME, "a local user has this name"),
}


def provider_routes(frame: Frame, gate: Gate, provider: Provider, registrar: Registrar) -> APIRouter:
    """The routes."""
    router = APIRouter(include_in_schema=False)
    page, cookie = SignInPage(frame, gate), f"{gate.cookie}-door"

    @router.get("/signin/provider")
    async def go(request: Request, next: str = "/", again: bool = False) -> Response:
        try:
            url, begun = await provider.begin(inside(next), gate.clock(), again=again)
        except ProviderAwayError:
            return await page.show(request, next, status=503, problem=problems.AWAY)
        answer = RedirectResponse(url, 303)
        sealed = gate.keys.seal(_PURPOSE, begun.model_dump_json().encode(), secrets.token_bytes(NONCE_BYTES))
        answer.set_cookie(
            cookie, sealed, max_age=PATIENCE_S, secure=gate.settings.is_https, httponly=True, samesite="lax"
        )
        return answer

    @router.get(CALLBACK)
    async def come_back(request: Request, state: str = "", code: str = "") -> Response:
        begun = _begun(request.cookies.get(cookie, ""), state, gate)
        if begun is None:
            return await page.show(request, "/", status=400, problem=problems.LATE)
        try:
            if not code:
                raise ProviderRefusedError("no code came")
            vouched = await provider.finish(code, begun, gate.users())
        except tuple(_REFUSALS) as error:
            status, problem, why = _REFUSALS[type(error)]
            registrar.failed(None, why)
            answer = await page.show(request, begun.next, status=status, problem=problem)
        else:
            answer = await let_in(_session_of(vouched, gate.clock()), gate, registrar, request, begun.next)
        answer.delete_cookie(cookie, secure=gate.settings.is_https, httponly=True, samesite="lax")
        return answer

    @router.get("/signout/provider")
    async def go_out() -> Response:
        try:
            url = await provider.sign_out_url()
        except ProviderAwayError:
            raise PageError(503, problems.AWAY.en, problems.AWAY.zh) from None
        return RedirectResponse(url or "/signin", 303)

    return router


def _begun(cookie: str, state: str, gate: Gate) -> Begun | None:
    """What was begun in this browser, if it is this and not long ago."""
    try:
        begun = Begun.model_validate_json(gate.keys.open(_PURPOSE, cookie))
    except (ForgedError, ValidationError):
        return None
    is_late = not 0 <= gate.clock() - begun.at_s < PATIENCE_S
    return None if is_late or not compare_digest(begun.state.encode(), state.encode()) else begun


def _session_of(vouched: Vouched, now_s: float) -> Session:
    now = int(now_s)
    return Session(
        session_id=secrets.token_hex(16),
        name=vouched.person.name,
        role=vouched.person.role,
        door="provider",
        began_s=now,
        proved_s=vouched.proved_s,
        seen_s=now,
        checked_s=now,
        refresh=vouched.refresh,
    )
