"""GET /live: tells a page that something has changed, so that it fetches what it shows anew."""

import asyncio
from collections.abc import AsyncIterator
from typing import Final

from fastapi import APIRouter, Depends, Request
from fastapi.sse import EventSourceResponse, ServerSentEvent

from services.console.feed_io import Feed
from services.console.pages.visitor_io import SignInNeededError, Visiting

PAUSE_S: Final = 0.25
"""At least so long from one word of a topic to the next."""


def live_routes(feed: Feed, visiting: Visiting) -> APIRouter:
    """The route; `seen` and Last-Event-ID: what the page knows, so that nothing is missed between them and now."""
    router = APIRouter(include_in_schema=False)

    @router.get("/live", response_class=EventSourceResponse, dependencies=[Depends(visiting)])
    async def live(request: Request, seen: str = "") -> AsyncIterator[ServerSentEvent]:
        known = request.headers.get("last-event-id", seen)
        while topics := await feed.wait_for_change(known):
            known = feed.seen()
            try:
                await visiting(request)
            except SignInNeededError:
                return
            for topic in topics:
                yield ServerSentEvent(event=topic, raw_data="changed", id=known)
            await asyncio.sleep(PAUSE_S)

    return router
