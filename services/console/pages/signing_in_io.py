"""The pages on which people sign in and out, and choose their language."""

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request, Response
from fastapi.responses import RedirectResponse

from services.console.pages.forms_io import fields_of
from services.console.pages.frame_io import Frame
from services.console.pages.speaking import Language
from services.console.pages.visitor_io import (
    LANGUAGE_COOKIE,
    SESSION_COOKIE,
    YEAR_S,
    Sessions,
    Visitor,
    guest_of,
    inside,
)
from services.console.people import Person
from services.runtime.tokens import Tokens


def sign_in_routes(frame: Frame, sessions: Sessions, tokens: Tokens[Person]) -> APIRouter:
    """The routes."""
    router = APIRouter(include_in_schema=False)

    @router.get("/signin")
    async def ask(request: Request, next: str = "/") -> Response:
        return frame.page(guest_of(request), "signin.html", next=inside(next), failed=False)

    @router.post("/signin")
    async def sign_in(
        request: Request, token: Annotated[str, Form(max_length=1000)], next: Annotated[str, Form()] = "/"
    ) -> Response:
        person = tokens.owner_of(token.strip().encode())
        if person is None:
            return frame.page(guest_of(request), "signin.html", status=401, next=inside(next), failed=True)
        answer = RedirectResponse(inside(next), 303)
        secure = request.url.scheme == "https"
        answer.set_cookie(SESSION_COOKIE, sessions.begin(person), httponly=True, samesite="strict", secure=secure)
        return answer

    @router.post("/signout")
    async def sign_out(request: Request, visitor: Annotated[Visitor, Depends(sessions.visiting)]) -> Response:
        await fields_of(request, visitor)
        sessions.end(request.cookies.get(SESSION_COOKIE, ""))
        answer = RedirectResponse("/signin", 303)
        answer.delete_cookie(SESSION_COOKIE)
        return answer

    @router.get("/language/{language}")
    async def choose(language: Language, back: str = "/") -> Response:
        answer = RedirectResponse(inside(back), 303)
        answer.set_cookie(LANGUAGE_COOKIE, language, max_age=YEAR_S, samesite="lax")
        return answer

    return router
