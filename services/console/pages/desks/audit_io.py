"""The page of the audit: search, the state of its chains, export."""

import asyncio
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import RedirectResponse, StreamingResponse

from schemas.base import from_ms
from services.console.jobs.chain_check_io import ChainCheck
from services.console.pages.desks.audit import Finder, Search, exported
from services.console.pages.frame.forms_io import fields_of
from services.console.pages.frame.frame_io import Frame, PageError
from services.console.pages.frame.visitor_io import Visiting, Visitor
from services.console.state.feed_io import Feed
from services.incidents.report_words import OUTCOMES
from services.incidents.saying import Saying

Text = Annotated[str, Query(max_length=500)]
Page = Annotated[int, Query(ge=1, le=1_000_000)]
_TYPES = {"csv": "text/csv; charset=utf-8", "jsonl": "application/x-ndjson"}


def asked(
    target: Text = "", who: Text = "", word: Text = "", command: Text = "", since: Text = "", until: Text = ""
) -> Search:
    """A dependency: what the address asks for."""
    return Search(*(each.strip() for each in (target, who, word, command, since, until)))


def audit_routes(frame: Frame, feed: Feed, visiting: Visiting, check: ChainCheck) -> APIRouter:
    """Its routes."""
    router = APIRouter(include_in_schema=False)

    def finder_of(search: Search) -> Finder:
        try:
            return Finder(search, feed.policy.zone)
        except ValueError:
            raise PageError(422, "This is no time.", "时间格式不正确。") from None

    @router.get("/audit")
    async def audit(
        visitor: Annotated[Visitor, Depends(visiting)], search: Annotated[Search, Depends(asked)], page: Page = 1
    ) -> Response:
        found, more = await asyncio.to_thread(finder_of(search).page, feed.audit.entries(), page)
        view: dict[str, Any] = {"entries": [record for _, record in found], "more": more, "page": page}
        view |= {"search": search, "asked": search.fields(), "since": from_ms(feed.audit.since_ms)}
        speaker = frame.speaker(visitor)
        view |= {"done": Saying(speaker.language, speaker.zone, speaker.directory).what, "outcomes": OUTCOMES}
        return frame.page(visitor, "audit.html", checked=check.last, check=check, **view)

    @router.post("/audit/verify")
    async def verify(request: Request, visitor: Annotated[Visitor, Depends(visiting)]) -> Response:
        await fields_of(request, visitor)
        check.start(visitor.person.name)
        return RedirectResponse("/audit#chain", 303)

    @router.get("/audit/export", dependencies=[Depends(visiting)])
    async def export(
        search: Annotated[Search, Depends(asked)],
        form: Annotated[Literal["csv", "jsonl"], Query(alias="format")] = "csv",
    ) -> Response:
        lines = exported(feed.audit.entries(), finder_of(search), form)
        name = {"Content-Disposition": f'attachment; filename="audit.{form}"', "Cache-Control": "no-store"}
        return StreamingResponse(lines, media_type=_TYPES[form], headers=name)

    return router
