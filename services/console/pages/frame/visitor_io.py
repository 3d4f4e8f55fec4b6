"""Who looks at a page, and in which language. Who is not signed in is sent to the page that asks for it."""

import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import quote

from fastapi import Request, Response
from fastapi.responses import RedirectResponse

from services.console.pages.frame.speaking import LANGUAGES, Language, preferred
from services.console.people import Person

LANGUAGE_COOKIE: Final = "language"
YEAR_S: Final = 365 * 86_400


@dataclass(frozen=True)
class Guest:
    """Somebody who is not signed in. url: of the page, with its query."""

    language: Language
    url: str
    person: None = None


@dataclass(frozen=True)
class Visitor:
    """Somebody who is. csrf: goes into each form of a page. key: makes an order of this page count once. is_fresh: they
    proved a short while ago who they are."""

    person: Person
    language: Language
    url: str
    csrf: str
    key: str = field(default_factory=lambda: secrets.token_hex(16))
    is_fresh: bool = True


Visiting = Callable[..., Awaitable[Visitor]]


class SignInNeededError(Exception):
    """Nobody is signed in."""


def guest_of(request: Request) -> Guest:
    """Whoever it is, as a guest."""
    return Guest(language_of(request), url_of(request))


def url_of(request: Request) -> str:
    """The path and query of a request."""
    return request.url.path + (f"?{request.url.query}" if request.url.query else "")


def language_of(request: Request) -> Language:
    """The one that was chosen, else the browser's."""
    chosen = request.cookies.get(LANGUAGE_COOKIE)
    return chosen if chosen in LANGUAGES else preferred(request.headers.get("accept-language", ""))


def inside(url: str) -> str:
    """A place to go to that is ours, whatever was asked for."""
    return url if url.startswith("/") and not url.startswith(("//", "/\\")) and url.isprintable() else "/"


async def to_sign_in(request: Request, _: Exception) -> Response:
    """The answer to SignInNeededError: a part of a page that fetches itself anew takes the whole page there."""
    place = f"/signin?next={quote(url_of(request) if request.method == 'GET' else '/')}"
    if "hx-request" in request.headers:
        return Response(status_code=204, headers={"HX-Redirect": place})
    return RedirectResponse(place, 303)
