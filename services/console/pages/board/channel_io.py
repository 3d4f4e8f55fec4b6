"""The page of one target: how it stands and why, what people may do about it, and what has happened to it."""

from collections.abc import Callable
from dataclasses import replace
from typing import Annotated, Any, Literal, get_args
from urllib.parse import quote

from fastapi import APIRouter, Depends, Path, Response

from schemas.base import Ref
from services.console.pages.board import board, channel_view, history, rules_of_approval
from services.console.pages.board.channel_view import Hours
from services.console.pages.board.standing import flags, reasons
from services.console.pages.charts.charts import timeline
from services.console.pages.frame import action_words
from services.console.pages.frame.frame_io import Frame, PageError
from services.console.pages.frame.indicators import called, of_subject
from services.console.pages.frame.speaking import Speaker
from services.console.pages.frame.visitor_io import Visiting, Visitor
from services.console.pages.frame.waiting import all_waiting
from services.console.state.feed_io import Feed

Part = Literal["state", "charts", "history"]
"""A part of the page, which a change brings anew by itself."""
View = dict[str, Any]


def channel_routes(frame: Frame, feed: Feed, visiting: Visiting) -> APIRouter:
    """Its routes."""
    router = APIRouter(include_in_schema=False)
    makers: dict[Part, Callable[[Ref, Visitor, Speaker, Hours], View]] = {
        "state": lambda target, visitor, speaker, _: _state(feed, target, visitor, speaker),
        "charts": lambda target, _, speaker, hours: _charts(feed, target, speaker, hours),
        "history": lambda target, _, speaker, __: _history(feed, target, speaker),
    }

    @router.get("/channels/{target:path}")
    async def channel_page(
        target: Annotated[Ref, Path()],
        visitor: Annotated[Visitor, Depends(visiting)],
        hours: Hours = "24",
        part: Part | None = None,
        order: str | None = None,
    ) -> Response:
        if target.partition(":")[0] not in board.KINDS:
            raise PageError(404, "There is no such target.", "没有此对象。")
        address = f"/channels/{quote(target, safe=':')}" + ("" if hours == "24" else f"?hours={hours}")
        whole, speaker = visitor if part is None else replace(visitor, url=address), frame.speaker(visitor)
        view: View = {"target": target, "kind": target.partition(":")[0], "hours": hours, "spans": get_args(Hours)}
        for each in makers if part is None else [part]:
            view |= makers[each](target, whole, speaker, hours)
        template = "channel.html" if part is None else f"channel_{part}.html"
        return frame.page(whole, template, order=order, part_of=_part_of(address), **view)

    return router


def _part_of(address: str) -> Callable[[Part], str]:
    """Where a part of the page comes from."""
    return lambda part: f"{address}{'&' if '?' in address else '?'}part={part}"


def _state(feed: Feed, target: Ref, visitor: Visitor, speaker: Speaker) -> View:
    state, policy = feed.channels.get(target), feed.policy.document
    holds = rules_of_approval.standing(state)
    return {
        "state": state,
        "generation": 0 if state is None else state.generation,
        "flags": flags(state),
        "reasons": reasons(state, feed.alerts.get),
        "waiting": all_waiting(*channel_view.waiting_of(state), visitor.person),
        "standing": {hold.hold_id: rules_of_approval.lifting([hold], policy) for hold in holds},
        "lifting": rules_of_approval.lifting(holds, policy),
        "overriding": rules_of_approval.overriding(state, policy),
        "whose": rules_of_approval.overridden_indicators(holds),
        "resumes": {hold.hold_id: rules_of_approval.resuming(hold, target, policy) for hold in holds},
        "policy": policy,
        "entry": _entry(feed, target),
        "beyond": board.beyond(feed.channels),
        "related": channel_view.related(target, feed.channels),
        "open_alerts": [alert for alert in channel_view.alerts_of(target, feed.alerts) if alert.status != "resolved"],
        "called": called,
        "person": lambda who: history.who(who, speaker),
        "doing": lambda what, of: action_words.doing(what, of, speaker),
    }


def _entry(feed: Feed, target: Ref) -> object:
    kind, _, name = target.partition(":")
    directory = feed.policy.directory
    entries: dict[str, Any] = {"channel": directory.channels, "product": directory.products}
    return entries.get(kind, {}).get(name)


def _charts(feed: Feed, target: Ref, speaker: Speaker, hours: Hours) -> View:
    frame = channel_view.frame_of(hours, speaker)
    holds = channel_view.bands(target, channel_view.records_of(target, feed.audit), frame, speaker)
    told = channel_view.alerts_of(target, feed.alerts)
    marks = channel_view.trips(told, None, speaker)
    charts = [
        (known.title, channel_view.chart(known, readings, holds, told, frame, speaker))
        for known in of_subject(target.partition(":")[0])
        if (readings := feed.readings.series(known.id, target, frame.since_ms))
    ]
    overview = timeline([], None, holds, marks, speaker.say("Holds and trips", "限制措施与触发"), frame)
    return {"overview": overview, "charts": charts}


def _history(feed: Feed, target: Ref, speaker: Speaker) -> View:
    records = channel_view.records_of(target, feed.audit)
    told = [history.happened(record, speaker) for record in records[: channel_view.MOST_RECORDS]]
    return {"happenings": told, "left_out": len(records) - len(told)}
