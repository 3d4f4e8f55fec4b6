"""GET /live: tells a page that something has changed, so that it fetches what it shows anew."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Final

from fastapi import APIRouter, Request
from fastapi.sse import EventSourceResponse, ServerSentEvent

from services.console.pages.frame.freshness import Freshness
from services.console.pages.frame.speaking import moment
from services.console.pages.frame.visitor_io import SignInNeededError, Visiting
from services.console.state.changes import NAMES
from services.console.state.feed_io import Feed

PAUSE_S: Final = 0.25
"""At least so long from one word of a topic to the next."""
PULSE_S: Final = 10.0
"""At most so long from one word to the next: a page that hears none for longer knows that it is no longer live."""
_AGAIN_MS: Final = 10_000


def live_routes(feed: Feed, freshness: Freshness, visiting: Visiting) -> APIRouter:
    """The route; `seen` and Last-Event-ID: what the page knows, so that nothing is missed between them and now.

    Whose session is over is told that all has changed: what the page then asks for leads to the sign-in, where a
    stream that is only refused would leave a board on the wall as it was, with nobody any the wiser. `pulse` says until
    when all has been told; while Kafka is away there is none.
    """
    router = APIRouter(include_in_schema=False)

    @router.get("/live", response_class=EventSourceResponse)
    async def live(request: Request, seen: str = "") -> AsyncIterator[ServerSentEvent]:
        known, wait_s = request.headers.get("last-event-id", seen), 0.0
        while await _is_in(request, visiting):
            topics = await _changes(feed, known, wait_s)
            if topics is None:
                return
            known, wait_s = feed.seen(), PULSE_S
            for topic in topics:
                yield ServerSentEvent(event=topic, raw_data="changed", id=known)
            if freshness.as_of(now := datetime.now(UTC)) == now:
                yield ServerSentEvent(event="pulse", raw_data=moment(now, feed.policy.zone), id=known)
            await asyncio.sleep(PAUSE_S)
        for topic in NAMES.values():
            yield ServerSentEvent(event=topic, raw_data="changed", id=feed.seen(), retry=_AGAIN_MS)

    return router


async def _changes(feed: Feed, known: str, wait_s: float) -> list[str] | None:
    """None: the process is about to end."""
    try:
        async with asyncio.timeout(wait_s):
            return await feed.wait_for_change(known) or None
    except TimeoutError:
        return []


async def _is_in(request: Request, visiting: Visiting) -> bool:
    try:
        await visiting(request)
    except SignInNeededError:
        return False
    return True
