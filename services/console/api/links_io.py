"""Where the links in messages lead: an alert, and its acknowledgement without a token of the console.

Who has the message has the link, as who has the pager has the alarm; it is signed, of one alert, and expires.
"""

import time
from datetime import UTC, datetime
from typing import Final

from fastapi import APIRouter, Response
from fastapi.responses import HTMLResponse

from schemas.alerts import AlertState
from services.console.api.alert_page import (
    EXPIRED,
    FORGED,
    GIVEN,
    HEADERS,
    NOT_GIVEN,
    STARTING,
    UNKNOWN,
    acknowledgement,
    shown,
    told,
)
from services.console.orders.desk_io import Desk
from services.console.state.feed_io import Feed
from services.runtime.http.api_io import ApiError
from services.runtime.http.signed_notes import ExpiredError, ForgedError, unseal

WAIT_S: Final = 3.0


class _RefusedError(Exception):
    """Why there is nothing to see: a status, and a sentence in both languages."""

    def __init__(self, status: int, words: tuple[str, str]) -> None:
        super().__init__(words[1])
        self._status = status
        self._words = words

    def answer(self) -> Response:
        """As a page."""
        return _answer(told(self._words), self._status)


def link_routes(feed: Feed, desk: Desk, key: bytes) -> APIRouter:
    """The routes; not among the API's, since they are pages."""
    router = APIRouter(include_in_schema=False)
    door = _Door(feed, key)

    @router.get("/alert/{token}")
    async def look(token: str) -> Response:
        """The alert."""
        return door.page(token, "alert", 1)

    @router.get("/ack/{token}")
    async def ask(token: str) -> Response:
        """The alert and the button: looking alone acknowledges nothing."""
        return door.page(token, "ack", 2, button=True)

    @router.post("/ack/{token}")
    async def acknowledge(token: str) -> Response:
        """The button was pressed."""
        try:
            alert, words, expires_s = door.opened(token, "ack", 2)
            order = acknowledgement(alert, words[1], expires_s, datetime.now(UTC))
            await desk.give(order, WAIT_S, Response())
        except _RefusedError as error:
            return error.answer()
        except ApiError as error:
            return _answer(told(NOT_GIVEN), error.body.status)
        return _answer(told(GIVEN))

    return router


class _Door:
    """Opens links."""

    def __init__(self, feed: Feed, key: bytes) -> None:
        self._feed = feed
        self._key = key

    def opened(self, token: str, purpose: str, count: int) -> tuple[AlertState, tuple[str, ...], int]:
        """The alert that a link is about, all `count` words behind its purpose, and when it expires."""
        try:
            expires_s, (said, *words) = unseal(self._key, token, time.time())
        except ForgedError:
            raise _RefusedError(404, FORGED) from None
        except ExpiredError:
            raise _RefusedError(410, EXPIRED) from None
        if said != purpose or len(words) != count:
            raise _RefusedError(404, FORGED)
        if not self._feed.complete:
            raise _RefusedError(503, STARTING)
        alert = self._feed.alerts.get(words[0])
        if alert is None:
            raise _RefusedError(404, UNKNOWN)
        return alert, tuple(words), expires_s

    def page(self, token: str, purpose: str, count: int, *, button: bool = False) -> Response:
        """What is behind a link, or why there is nothing."""
        try:
            alert, _, _ = self.opened(token, purpose, count)
        except _RefusedError as error:
            return error.answer()
        return _answer(shown(alert, self._feed.policy.zone, button=button))


def _answer(page: str, status: int = 200) -> HTMLResponse:
    return HTMLResponse(page, status, dict(HEADERS))
