"""What people do with their own session: see it, end it, choose its language."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import RedirectResponse

from services.console.pages.frame.forms_io import fields_of
from services.console.pages.frame.frame_io import Frame
from services.console.pages.frame.speaking import Language
from services.console.pages.frame.visitor_io import LANGUAGE_COOKIE, YEAR_S, SignInNeededError, Visitor, inside
from services.console.signin.gate_io import Gate
from services.console.signin.registrar_io import Registrar


def leaving_routes(frame: Frame, gate: Gate, registrar: Registrar) -> APIRouter:
    """The routes."""
    router = APIRouter(include_in_schema=False)

    @router.post("/signout")
    async def sign_out(request: Request, visitor: Annotated[Visitor, Depends(gate.visiting)]) -> Response:
        return await _out(request, visitor, gate, registrar, everywhere=False)

    @router.post("/signout/everywhere")
    async def sign_out_everywhere(request: Request, visitor: Annotated[Visitor, Depends(gate.visiting)]) -> Response:
        return await _out(request, visitor, gate, registrar, everywhere=True)

    @router.get("/account")
    async def account(request: Request, visitor: Annotated[Visitor, Depends(gate.visiting)]) -> Response:
        session = await gate.session_of(request)
        if session is None:
            raise SignInNeededError
        ends = session.began_s + gate.limits.longest_s
        began, until = (datetime.fromtimestamp(at_s, UTC) for at_s in (session.began_s, ends))
        return frame.page(visitor, "account.html", session=session, began=began, until=until)

    @router.get("/language/{language}")
    async def choose(language: Language, back: str = "/") -> Response:
        answer = RedirectResponse(inside(back), 303)
        answer.set_cookie(LANGUAGE_COOKIE, language, max_age=YEAR_S, samesite="lax")
        return answer

    return router


async def _out(request: Request, visitor: Visitor, gate: Gate, registrar: Registrar, *, everywhere: bool) -> Response:
    await fields_of(request, visitor)
    session, answer = await gate.session_of(request), RedirectResponse("/signin?out=true", 303)
    gate.end(session, answer, everywhere=everywhere)
    if session is not None and not everywhere:
        registrar.left(session)
    elif session is not None and not await registrar.left_everywhere(session):
        answer.headers["Location"] = "/signin?out=true&untold=true"
    return answer
