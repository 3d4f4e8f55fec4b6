"""The first page: every channel, the worst first, and how Tidegate itself fares."""

from collections.abc import Callable
from typing import Annotated, Any, Literal
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query, Response

from schemas.automation import TARGET
from schemas.base import Bilingual
from services.console.feed_io import Feed
from services.console.pages import board, health_view
from services.console.pages.board import Kind, Show, Wanted
from services.console.pages.frame_io import Frame
from services.console.pages.visitor_io import Visiting, Visitor

Part = Literal["channels", "beside"]
"""A part of the page, which a change brings anew by itself."""


def board_routes(frame: Frame, feed: Feed, visiting: Visiting) -> APIRouter:
    """Its routes."""
    router = APIRouter(include_in_schema=False)

    @router.get("/")
    async def board_page(
        visitor: Annotated[Visitor, Depends(visiting)],
        kind: Kind = "channel",
        q: Annotated[str, Query(max_length=200)] = "",
        show: Show = "all",
        page: Annotated[int, Query(ge=1, le=100_000)] = 1,
        part: Part | None = None,
        order: str | None = None,
    ) -> Response:
        wanted = Wanted(kind, q, show, page)
        view: dict[str, Any] = {}
        if part != "beside":
            view |= _channels(feed, wanted)
        if part != "channels":
            view |= _beside(feed)
        template = "board.html" if part is None else f"board_{part}.html"
        return frame.page(visitor, template, order=order, wanted=wanted, asked=_asking(wanted), **view)

    return router


def _channels(feed: Feed, wanted: Wanted) -> dict[str, Any]:
    found = board.rows(wanted.kind, feed.channels, board.open_alerts(feed.alerts), feed.policy.directory)
    shelf = board.shelf(found, wanted, _naming(feed))
    return {
        "shelf": shelf,
        "reasons": {row.target: board.main_reason(row, feed.alerts.get) for row in shelf.rows},
        "kinds": board.KINDS,
    }


def _beside(feed: Feed) -> dict[str, Any]:
    told, directory = board.open_alerts(feed.alerts), feed.policy.directory
    about = board.of_tidegate(feed.alerts)
    return {
        "health": health_view.lines(feed.parts(), feed.channels.get(TARGET), feed.policy.label, about),
        "products": board.rows("product", feed.channels, told, directory)[:8],
        "surroundings": board.surroundings(feed.alerts),
        "beyond": board.beyond(feed.channels),
    }


def _naming(feed: Feed) -> Callable[[str], Bilingual]:
    def name(target: str) -> Bilingual:
        found = feed.policy.directory.label(target)
        return Bilingual(en=target, zh=target) if found is None else found

    return name


def _asking(wanted: Wanted) -> Callable[..., str]:
    """The address of this board with other wishes."""

    def address(**other: object) -> str:
        asked = {"kind": wanted.kind, "q": wanted.text, "show": wanted.show, "page": wanted.page} | other
        usual = {"kind": "channel", "q": "", "show": "all", "page": 1}
        query = urlencode({name: value for name, value in asked.items() if value != usual.get(name)})
        return f"/?{query}" if query else "/"

    return address
