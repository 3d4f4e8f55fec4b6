"""The inbox of alerts."""

from datetime import UTC, datetime
from functools import partial
from typing import Annotated, Any, Literal
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query, Response

from schemas.base import Severity
from services.console.pages.alerts.inbox import Status, Wanted, inbox
from services.console.pages.frame import action_words
from services.console.pages.frame.frame_io import Frame
from services.console.pages.frame.indicators import called
from services.console.pages.frame.speaking import Speaker
from services.console.pages.frame.visitor_io import Visiting, Visitor
from services.console.pages.frame.waiting import Waiting, all_waiting
from services.console.state.feed_io import Feed
from services.console.state.silences import silenced


def alerts_routes(frame: Frame, feed: Feed, visiting: Visiting) -> APIRouter:
    """Its route."""
    router = APIRouter(include_in_schema=False)

    @router.get("/alerts")
    async def alerts(
        visitor: Annotated[Visitor, Depends(visiting)],
        status: Status = "open",
        severity: Severity | Literal[""] = "",
        indicator: Annotated[str, Query(max_length=200)] = "",
        subject: Annotated[str, Query(max_length=420)] = "",
        text: Annotated[str, Query(max_length=200)] = "",
        page: Annotated[int, Query(ge=1)] = 1,
        order: str | None = None,
    ) -> Response:
        wanted = Wanted(status, severity, indicator, subject, text, page)
        waiting = waiting_for(feed, visitor)
        may_act = visitor.person.is_at_least("operator")
        found = inbox(feed.alerts.values(), waiting, wanted, feed.policy.directory.label, may_act=may_act)
        view: dict[str, Any] = {"inbox": found, "waiting": waiting, "wanted": wanted, "link": partial(_link, wanted)}
        view["silenced"] = silenced(feed.silences.standing(datetime.now(UTC), ()))
        return frame.page(visitor, "alerts.html", order=order, **view, **spoken(frame.speaker(visitor)))

    return router


def waiting_for(feed: Feed, visitor: Visitor) -> list[Waiting]:
    """All that waits for people, as this one sees it."""
    return all_waiting(feed.channels.waiting(), feed.channels.requests(), visitor.person)


def spoken(speaker: Speaker) -> dict[str, Any]:
    """What the templates of alerts and incidents may call besides."""
    return {
        "called": called,
        "doing": partial(action_words.doing, speaker=speaker),
        "person": partial(action_words.person, speaker=speaker),
        "tone": action_words.tone,
        "states": action_words.STATES,
    }


def _link(wanted: Wanted, **changed: str | int) -> str:
    """The same page with something else wanted."""
    fields = {"status": wanted.status, "severity": wanted.severity, "indicator": wanted.indicator}
    fields |= {"subject": wanted.subject, "text": wanted.text}
    query = {name: value for name, value in {**fields, "page": 1, **changed}.items() if value != ""}
    return f"/alerts?{urlencode(query)}"
