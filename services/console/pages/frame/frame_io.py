"""The frame around all pages: templates, headers, static files, refusals."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from fastapi import FastAPI, Request, Response
from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from starlette.staticfiles import StaticFiles

from services.console.pages.frame.freshness import Freshness
from services.console.pages.frame.outcomes import Told, told_of
from services.console.pages.frame.speaking import Speaker, moment
from services.console.pages.frame.visitor_io import Guest, SignInNeededError, Visitor, guest_of, to_sign_in
from services.console.signin.dangers import DANGEROUS, asked_for
from services.console.state.feed_io import Feed

HEADERS: Final = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex",
}
_STATIC: Final = Path(__file__).parents[1] / "static"


class PageError(Exception):
    """Raised anywhere under a page: becomes a page that says why, in both languages."""

    def __init__(self, status: int, en: str, zh: str) -> None:
        super().__init__(en)
        self.status, self.en, self.zh = status, en, zh


class Frame:
    """Makes pages of templates, for an app."""

    def __init__(self, feed: Feed, freshness: Freshness) -> None:
        self._feed = feed
        self._freshness = freshness
        self._templates = Environment(
            loader=PackageLoader("services.console.pages"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )

    def adopt(self, app: FastAPI) -> None:
        """Adds what all pages need."""
        app.mount("/static", StaticFiles(directory=_STATIC), name="static")
        app.add_exception_handler(SignInNeededError, to_sign_in)
        app.add_exception_handler(PageError, self._refused)

    def speaker(self, visitor: Visitor | Guest) -> Speaker:
        """Who speaks to this visitor."""
        policy = self._feed.policy
        return Speaker(visitor.language, policy.zone, datetime.now(UTC), policy.directory)

    def page(
        self, visitor: Visitor | Guest, template: str, *, status: int = 200, order: str | None = None, **view: Any
    ) -> HTMLResponse:
        """A page, or a part of one. order: the id of an order that was just given, whose outcome is told on top."""
        speaker = self.speaker(visitor)
        told = None if order is None else self._told(order)
        as_of = self._freshness.as_of(speaker.now)

        def live(*topics: str) -> Markup:
            trigger = ", ".join(f"sse:{topic}" for topic in topics)
            return Markup('hx-get="{}" hx-trigger="{}" hx-swap="innerHTML" hx-sync="this:queue last"').format(
                visitor.url, trigger
            )

        body = self._templates.get_template(template).render(
            visitor=visitor,
            language=visitor.language,
            told=told,
            seen=self._feed.seen(),
            as_of=moment(as_of, speaker.zone),
            is_fresh=as_of == speaker.now,
            live=live,
            is_dangerous=DANGEROUS.__contains__,
            asked_for=asked_for,
            **speaker.words(),
            **view,
        )
        return HTMLResponse(body, status, HEADERS)

    def _told(self, order: str) -> Told:
        return told_of(self._feed.audit.outcome_of(order))

    async def _refused(self, request: Request, error: Exception) -> Response:
        assert isinstance(error, PageError)  # noqa: S101
        return self.page(guest_of(request), "problem.html", status=error.status, why=error)
