"""The first page."""

from typing import Annotated

from fastapi import APIRouter, Depends, Response

from services.console.feed_io import Feed
from services.console.pages.frame_io import Frame
from services.console.pages.visitor_io import Visiting, Visitor


def board_routes(frame: Frame, feed: Feed, visiting: Visiting) -> APIRouter:
    """Its routes."""
    router = APIRouter(include_in_schema=False)

    @router.get("/")
    async def board(visitor: Annotated[Visitor, Depends(visiting)], order: str | None = None) -> Response:
        found = feed.channels.of_kind("channel", "", 1000)
        return frame.page(visitor, "board.html", order=order, channels=found)

    return router
