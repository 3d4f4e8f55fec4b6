"""The pages of incidents: the list, one with its report, and the forms by which people put together and take apart."""

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Depends, Path, Query, Request, Response

from schemas.base import HexId
from services.console.api.incidents_io import Form, material_of
from services.console.orders.desk_io import Desk
from services.console.orders.incidents import Merge, Split, command_of_order
from services.console.orders.orders import command_id
from services.console.pages.alerts.alerts_io import spoken, waiting_for
from services.console.pages.alerts.inbox import row_of
from services.console.pages.frame.forms_io import fields_of, given, needed, one, order_in
from services.console.pages.frame.frame_io import Frame, PageError
from services.console.pages.frame.visitor_io import Visiting, Visitor
from services.console.state.feed_io import Feed
from services.incidents import report_words
from services.incidents.grouping import Group, Grouped
from services.incidents.incident import Incident, Status, incident_of, status_of
from services.incidents.markdown import markdown
from services.incidents.page import page as as_page
from services.incidents.regrouping import RegroupingError
from services.incidents.report import report

PAGE_ROWS: Final = 50
_OTHERS: Final = 30
"""So many other incidents are offered to be merged."""
_SAFE: Final = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox"}
"""A report loads nothing and runs nothing."""
Id = Annotated[HexId, Path()]
_REGROUPINGS: Final[dict[str, type[Merge] | type[Split]]] = {"merge": Merge, "split": Split}


def incidents_routes(frame: Frame, feed: Feed, desk: Desk, visiting: Visiting) -> APIRouter:
    """Their routes."""
    router = APIRouter(include_in_schema=False, prefix="/incidents")

    @router.get("")
    async def listing(
        visitor: Annotated[Visitor, Depends(visiting)],
        status: Status | Literal["all"] = "open",
        page: Annotated[int, Query(ge=1, le=100_000)] = 1,
    ) -> Response:
        found = _incidents(feed, await feed.groups.lately(), None if status == "all" else status)
        begin = (page - 1) * PAGE_ROWS
        rows = list(islice(found, begin, begin + PAGE_ROWS + 1))
        view: dict[str, Any] = {
            "incidents": rows[:PAGE_ROWS],
            "more": len(rows) > PAGE_ROWS,
            "page": page,
            "which": status,
        }
        return frame.page(visitor, "incidents.html", **view, **spoken(frame.speaker(visitor)))

    @router.get("/{incident_id}")
    async def show(
        incident_id: Id, visitor: Annotated[Visitor, Depends(visiting)], order: str | None = None
    ) -> Response:
        # Who has just given an order looks for what came of it.
        grouped = await (feed.groups.lately() if order is None else feed.groups.now())
        incident = _incident(feed, _group(grouped, incident_id))
        others = (each for each in _incidents(feed, grouped, "open") if each.incident_id != incident.incident_id)
        speaker = frame.speaker(visitor)
        view = _shown(feed, incident, visitor) | {"others": list(islice(others, _OTHERS))}
        return frame.page(visitor, "incident.html", order=order, **view, **spoken(speaker))

    @router.get("/{incident_id}/report")
    async def download(
        incident_id: Id,
        visitor: Annotated[Visitor, Depends(visiting)],
        form: Annotated[Form, Query(alias="format")] = "html",
    ) -> Response:
        incident = _incident(feed, _group(await feed.groups.now(), incident_id))
        document = report(material_of(feed, incident), visitor.language)
        text, kind, end = (
            (as_page(document), "text/html", "html") if form == "html" else (markdown(document), "text/markdown", "md")
        )
        name = f'attachment; filename="incident-{incident.incident_id}.{end}"'
        return Response(text, media_type=kind, headers={**_SAFE, "Content-Disposition": name})

    @router.post("/{incident_id}/{word}")
    async def regroup(
        incident_id: Id,
        word: Literal["merge", "split"],
        request: Request,
        visitor: Annotated[Visitor, Depends(visiting)],
    ) -> Response:
        fields = await fields_of(request, visitor)
        needed(visitor, "operator")
        grouped, now = await feed.groups.now(), datetime.now(UTC)
        new_id = command_id(visitor.person, one(fields, "key"), "")
        before = feed.audit.outcome_of(new_id)
        order = order_in(_REGROUPINGS[word], fields, now)
        assert isinstance(order, Merge | Split)  # noqa: S101
        try:
            group = _group(grouped, incident_id)
            command = command_of_order(order, group, grouped, before, visitor.person, new_id, now)
        except RegroupingError as error:
            raise PageError(422, f"Not possible: the order {error}.", f"无法执行：{error.told.zh}。") from None
        return await given(desk, command, fields)

    return router


def _incidents(feed: Feed, grouped: Grouped, status: Status | None) -> Iterator[Incident]:
    now = datetime.now(UTC)
    for group in grouped.newest_first():
        if status in (None, status_of(group, feed.alerts.get, now)):
            found = incident_of(group, feed.alerts.get, feed.policy.directory, now)
            if found is not None:
                yield found


def _group(grouped: Grouped, incident_id: str) -> Group:
    group = grouped.find(incident_id)
    if group is None:
        raise _unknown()
    return group


def _incident(feed: Feed, group: Group) -> Incident:
    found = incident_of(group, feed.alerts.get, feed.policy.directory, datetime.now(UTC))
    if found is None:
        raise _unknown()
    return found


def _unknown() -> PageError:
    return PageError(404, "This incident is not known, or no longer.", "没有这个事件，或已超过保存期限。")


def _shown(feed: Feed, incident: Incident, visitor: Visitor) -> dict[str, Any]:
    """What its page shows. The report's sections stand where they are looked for; that of the alerts has links."""
    material, may_act = material_of(feed, incident), visitor.person.is_at_least("operator")
    document = report(material, visitor.language)
    sections = {section.title: section for section in document.sections}
    named = {name: getattr(text, visitor.language) for name, text in _PLACED.items()}
    placed = {name: sections.pop(title) for name, title in named.items()}
    waiting = waiting_for(feed, visitor)
    rows = [
        row_of(alert, [each for each in waiting if alert.alert_id in each.alerts], may_act=may_act)
        for alert in material.alerts
    ]
    view: dict[str, Any] = {"incident": incident, "document": document, "rows": rows, "may_act": may_act}
    return view | {"cause": placed["cause"], "left": placed["left"], "rest": list(sections.values())}


_PLACED: Final = {
    "cause": report_words.CAUSE,
    "left": report_words.OPEN,
    "seen": report_words.SEEN,
    "check": report_words.CHECK,
}
"""Sections that the page places itself, or shows in another way."""
