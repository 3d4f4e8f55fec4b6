"""The first page: every channel, the worst first, the figures of the business, and how Tidegate itself fares."""

from collections.abc import Callable
from typing import Annotated, Any, Literal
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query, Response

from schemas.automation import TARGET
from schemas.base import Bilingual, from_ms, to_ms
from services.console.pages.board import board, business_view, health_view
from services.console.pages.board.board import Kind, Show, Wanted
from services.console.pages.board.business_view import Of
from services.console.pages.board.sparklines import Line, Lines
from services.console.pages.frame.frame_io import Frame
from services.console.pages.frame.indicators import INDICATORS, Known, of_subject
from services.console.pages.frame.speaking import Speaker
from services.console.pages.frame.visitor_io import Visiting, Visitor
from services.console.state.business import Business
from services.console.state.feed_io import Feed

Part = Literal["channels", "figures", "beside"]
"""A part of the page, which a change brings anew by itself."""
View = dict[str, Any]
_COUNTED = ("actor", "complaint", "content")
"""Subjects that are too many, or not to be named: how many stand how is told."""


def board_routes(frame: Frame, feed: Feed, visiting: Visiting) -> APIRouter:
    """Its routes."""
    router = APIRouter(include_in_schema=False)
    lines, business = Lines(feed.readings), Business(feed.tallies, feed.readings)
    makers: dict[Part, Callable[[Wanted, Speaker], View]] = {
        "channels": lambda wanted, speaker: _channels(feed, lines, wanted, speaker),
        "figures": lambda wanted, speaker: _figures(feed, business, wanted.of, speaker),
        "beside": lambda _, speaker: _beside(feed, lines, speaker),
    }

    @router.get("/")
    async def board_page(
        visitor: Annotated[Visitor, Depends(visiting)],
        kind: Kind = "channel",
        q: Annotated[str, Query(max_length=200)] = "",
        show: Show = "all",
        page: Annotated[int, Query(ge=1, le=100_000)] = 1,
        of: Of = "all",
        part: Part | None = None,
        order: str | None = None,
    ) -> Response:
        wanted, speaker, view = Wanted(kind, q, show, page, of), frame.speaker(visitor), View()
        for each in makers if part is None else [part]:
            view |= makers[each](wanted, speaker)
        if part is None:
            view["choices"] = business_view.choices(business, of, speaker)
        template = "board.html" if part is None else f"board_{part}.html"
        return frame.page(visitor, template, order=order, wanted=wanted, asked=_asking(wanted), **view)

    return router


def _channels(feed: Feed, lines: Lines, wanted: Wanted, speaker: Speaker) -> View:
    indicators = of_subject(wanted.kind)
    read = (subject for known in indicators for subject in feed.readings.subjects(known.id))
    found = board.rows(wanted.kind, feed.channels, feed.alerts, feed.policy.directory, read)
    shelf = board.shelf(found, wanted, _naming(feed))
    drawn = {row.target: lines.of(wanted.kind, row.target, _until_ms(feed, speaker), speaker) for row in shelf.rows}
    return {
        "shelf": shelf,
        "reasons": {row.target: board.main_reason(row, feed.alerts.get) for row in shelf.rows},
        "kinds": board.KINDS,
        "indicators": indicators if any(map(any, drawn.values())) else [],
        "lines": drawn,
    }


def _figures(feed: Feed, business: Business, of: Of, speaker: Speaker) -> View:
    return {
        "figures": business_view.figures_of_today(business, feed.policy.document.goals, of, speaker),
        "left_out": business_view.not_told_of(of),
        "called": business_view.called(of, speaker),
    }


def _beside(feed: Feed, lines: Lines, speaker: Speaker) -> View:
    newest_ms, about = feed.readings.newest_ms, board.of_tidegate(feed.alerts)
    judging = health_view.judging(from_ms(newest_ms) if newest_ms else None, speaker.now)
    products = board.rows("product", feed.channels, feed.alerts, feed.policy.directory)[: board.BESIDE]
    until_ms = _until_ms(feed, speaker)
    return {
        "health": [
            judging,
            *health_view.lines(feed.parts(), feed.channels.get(TARGET), feed.policy.label, about),
        ],
        "automation_off": bool((switch := feed.channels.get(TARGET)) and switch.holds),
        "products": products,
        "product_lines": {row.target: lines.of("product", row.target, until_ms, speaker) for row in products},
        "surroundings": board.surroundings(feed.alerts),
        "around": [line for known in INDICATORS.values() for line in _around(known, feed, lines, until_ms, speaker)],
        "counts": [
            (known, found)
            for kind in _COUNTED
            for known in of_subject(kind)
            if (found := feed.readings.counts(known.id))
        ],
        "beyond": board.beyond(feed.channels),
    }


def _around(known: Known, feed: Feed, lines: Lines, until_ms: int, speaker: Speaker) -> list[Line]:
    """The lines of the brand and the market."""
    if known.subject not in ("brand", "market"):
        return []
    found = (lines.one(known, subject, until_ms, speaker) for subject in feed.readings.subjects(known.id))
    return [line for line in found if line is not None][: board.BESIDE]


def _until_ms(feed: Feed, speaker: Speaker) -> int:
    """Up to when lines are drawn, so that they need no new drawing before there is something new."""
    return feed.readings.newest_ms or to_ms(speaker.now)


def _naming(feed: Feed) -> Callable[[str], Bilingual]:
    def name(target: str) -> Bilingual:
        found = feed.policy.directory.label(target)
        return Bilingual(en=target, zh=target) if found is None else found

    return name


def _asking(wanted: Wanted) -> Callable[..., str]:
    """The address of this board with other wishes."""

    def address(**other: object) -> str:
        now = {"kind": wanted.kind, "q": wanted.text, "show": wanted.show, "page": wanted.page, "of": wanted.of}
        asked = now | other
        usual = {"kind": "channel", "q": "", "show": "all", "page": 1, "of": "all"}
        query = urlencode({name: value for name, value in asked.items() if value != usual.get(name)})
        return f"/?{query}" if query else "/"

    return address
