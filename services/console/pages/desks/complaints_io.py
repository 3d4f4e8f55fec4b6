"""The page of the complaints that wait for an answer."""

import asyncio
from datetime import UTC, datetime
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Query, Response

from services.console.pages.desks.complaints import ENTRIES
from services.console.pages.frame.frame_io import Frame, PageError
from services.console.pages.frame.visitor_io import Visiting, Visitor
from services.console.state.complaints import Asked, reminders, shares, waiting
from services.console.state.feed_io import Feed

PAGE: Final = 100
Text = Annotated[str, Query(max_length=200)]
Page = Annotated[int, Query(ge=1, le=100_000)]


def asked_for(channel: Text = "", product: Text = "", entry: Text = "") -> Asked:
    """A dependency: what the address asks for."""
    return Asked(channel, product, entry)


def complaint_routes(frame: Frame, feed: Feed, visiting: Visiting) -> APIRouter:
    """Its route."""
    router = APIRouter(include_in_schema=False)

    @router.get("/complaints")
    async def complaints(
        visitor: Annotated[Visitor, Depends(visiting)], asked: Annotated[Asked, Depends(asked_for)], page: Page = 1
    ) -> Response:
        deadlines = feed.policy.deadlines
        if deadlines is None:
            raise PageError(503, "No policy is in force yet.", "尚无生效的策略。")
        now = datetime.now(UTC)
        known, told = feed.complaints.entries(), reminders(feed.alerts.values())
        found = await asyncio.to_thread(waiting, known, told, deadlines, asked)
        shown = found[(page - 1) * PAGE : page * PAGE]
        return frame.page(
            visitor,
            "complaints.html",
            complaints=[(each, each.stands(now)) for each in shown],
            count=len(found),
            late=sum(each.due <= now for each in found),
            shares=shares(found, now),
            entries=ENTRIES,
            asked=asked.fields(),
            page=page,
            more=page * PAGE < len(found),
        )

    return router
