"""GET /live: tells a page that something has changed, so that it fetches what it shows anew; GET /still: whether its
visitor still may see it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import RedirectResponse
from fastapi.sse import EventSourceResponse, ServerSentEvent

from services.console.pages.frame.freshness import Freshness
from services.console.pages.frame.speaking import moment
from services.console.pages.frame.visitor_io import Visiting, Visitor, inside
from services.console.signin.sessions import Standing
from services.console.state.changes import NAMES
from services.console.state.feed_io import Feed

PAUSE_S: Final = 0.25
"""At least so long from one word of a topic to the next."""
PULSE_S: Final = 10.0
"""At most so long from one word to the next: a page that hears none for longer knows that it is no longer live."""
CHECK_S: Final = 30.0
"""At least so long from one `check` to the next."""
_AGAIN_MS: Final = 10_000


def live_routes(
    feed: Feed, freshness: Freshness, visiting: Visiting, standing_of: Callable[[Request], Standing]
) -> APIRouter:
    """The routes; `seen` and Last-Event-ID: what the page knows, so that nothing is missed between them and now.

    Whose session is over is told that all has changed: what the page then asks for leads to the sign-in, where a
    stream that is only refused would leave a board on the wall as it was, with nobody any the wiser. `pulse` says until
    when all has been told; while Kafka is away there is none. `check` makes the page ask whether its visitor still may
    see it: the provider is asked by a request whose answer can set the cookie anew, which a stream cannot.
    """
    router = APIRouter(include_in_schema=False)

    @router.get("/live", response_class=EventSourceResponse)
    async def live(request: Request, seen: str = "") -> AsyncIterator[ServerSentEvent]:
        known, wait_s = request.headers.get("last-event-id", seen), 0.0
        clock = asyncio.get_running_loop().time
        check_at = clock()
        while (standing := standing_of(request)) != "out":
            if standing == "due" and clock() >= check_at:
                check_at = clock() + CHECK_S
                yield ServerSentEvent(event="check", raw_data="due", id=known)
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

    @router.get("/still")
    async def still(request: Request, _: Annotated[Visitor, Depends(visiting)], back: str = "/") -> Response:
        if "hx-request" in request.headers:
            return Response(status_code=204)
        return RedirectResponse(inside(back), 303)  # they have signed in again, which led here

    return router


async def _changes(feed: Feed, known: str, wait_s: float) -> list[str] | None:
    """None: the process is about to end."""
    try:
        async with asyncio.timeout(wait_s):
            return await feed.wait_for_change(known) or None
    except TimeoutError:
        return []
