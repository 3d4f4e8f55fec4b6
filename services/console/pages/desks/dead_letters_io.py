"""The page of what was rejected."""

from itertools import islice
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Query, Response

from schemas import problem_words
from services.console.pages.frame.frame_io import Frame, PageError
from services.console.pages.frame.visitor_io import Visiting, Visitor
from services.console.state.feed_io import Feed
from services.console.state.letters import CAPACITY, Letter

PAGE: Final = 100
Page = Annotated[int, Query(ge=1, le=CAPACITY // PAGE)]


def dead_letter_routes(frame: Frame, feed: Feed, visiting: Visiting) -> APIRouter:
    """Its routes."""
    router = APIRouter(include_in_schema=False)

    @router.get("/dead-letters")
    async def letters(
        visitor: Annotated[Visitor, Depends(visiting)],
        topic: str = "",
        field: str = "",
        problem: str = "",
        page: Page = 1,
    ) -> Response:
        def wanted(letter: Letter) -> bool:
            first = letter.errors[0] if letter.errors else None
            return topic in ("", letter.topic) and (
                not problem or (first is not None and (first.field, first.problem) == (field, problem))
            )

        found = list(islice(feed.letters.newest(wanted), (page - 1) * PAGE, page * PAGE + 1))
        return frame.page(
            visitor,
            "dead_letters.html",
            letters=found[:PAGE],
            more=len(found) > PAGE,
            chosen={"topic": topic, "field": field, "problem": problem},
            page=page,
            piles=feed.letters.piles(),
            counts=feed.letters.counts(),
            problem=problem_words.both,
        )

    @router.get("/dead-letters/{topic}/{partition}/{offset}")
    async def letter(
        topic: str, partition: int, offset: int, visitor: Annotated[Visitor, Depends(visiting)]
    ) -> Response:
        found = feed.letters.get((topic, partition, offset))
        if found is None:
            raise PageError(404, "This dead letter is not known, or no longer.", "没有这条死信，或已超过保存期限。")
        return frame.page(visitor, "dead_letter.html", letter=found, problem=problem_words.both)

    return router
