"""Incidents: alerts that belong together, their reports, and people's word on what belongs together."""

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice
from typing import Annotated, Final, Literal

from fastapi import APIRouter, Depends, Query, Response

from schemas.base import HexId, from_ms
from services.console.api.ordering_io import Asked, Authenticated, asked_by, told
from services.console.api.reading_io import Limit
from services.console.orders.desk_io import Desk
from services.console.orders.incidents import IncidentList, Merge, Split, command_of_order
from services.console.orders.orders import OrderAnswer
from services.console.state.feed_io import Feed
from services.console.state.traffic import TrafficBefore
from services.incidents.grouping import Group, Grouped
from services.incidents.incident import Incident, Status, incident_of
from services.incidents.markdown import markdown
from services.incidents.material import Material
from services.incidents.page import page
from services.incidents.regrouping import RegroupingError
from services.incidents.report import report
from services.incidents.saying import Language
from services.runtime.http.api_io import errors, refusal

Form = Literal["markdown", "html"]
_EVERYTHING: Final = 2**31
"""Of the audit that the console remembers."""
_SAFE: Final = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'"}
"""A report loads nothing and runs nothing."""


def incident_routes(feed: Feed) -> APIRouter:
    """The routes that read; who may use them is for the app to say."""
    router = APIRouter(prefix="/api/v1/incidents")

    @router.get("", summary="Alerts that belong together", responses=errors(401, 422, 503))
    async def list_incidents(
        status: Annotated[Status | None, Query(description="Only open ones, or closed ones.")] = None,
        limit: Limit = 100,
    ) -> IncidentList:
        """Each alert is in one incident, most of them alone. `cause` is a suspicion, with what speaks for it."""
        found = _incidents(feed, await feed.groups.now())
        wanted = (each for each in found if status in (None, each.status))
        return IncidentList(incidents=list(islice(wanted, limit)))

    @router.get("/{incident_id}", summary="One incident", responses=errors(401, 404, 422, 503))
    async def get_incident(incident_id: HexId) -> Incident:
        """By its id or that of any of its alerts, so that an id from before a merge leads to where it went."""
        return _incident(feed, _group(await feed.groups.now(), incident_id))

    @router.get(
        "/{incident_id}/report",
        summary="Cause, timeline, responsibility, cost and open actions",
        response_class=Response,
        responses=errors(401, 404, 422, 503)
        | {200: {"content": {kind: {"schema": {"type": "string"}} for kind in ("text/markdown", "text/html")}}},
    )
    async def get_report(
        incident_id: HexId, form: Annotated[Form, Query(alias="format")] = "markdown", language: Language = "en"
    ) -> Response:
        """A document to read, keep or print; not final while the incident is open."""
        incident = _incident(feed, _group(await feed.groups.now(), incident_id))
        document = report(material_of(feed, incident), language)
        if form == "html":
            return Response(page(document), media_type="text/html", headers=_SAFE)
        return Response(markdown(document), media_type="text/markdown")

    return router


def regrouping_routes(feed: Feed, desk: Desk, authenticated: Authenticated) -> APIRouter:
    """The routes by which people say what belongs together, and what does not."""
    router = APIRouter(prefix="/api/v1/incidents")
    operator = asked_by("operator", authenticated)

    async def give(order: Merge | Split, incident_id: str, asked: Asked) -> OrderAnswer:
        grouped = await feed.groups.now()
        group = _group(grouped, incident_id)
        try:
            before, now = feed.audit.outcome_of(asked.command_id), datetime.now(UTC)
            command = command_of_order(order, group, grouped, before, asked.person, asked.command_id, now)
        except RegroupingError as error:
            raise refusal(422, f"the order {error}") from None
        return await desk.give(command, asked.wait, asked.response)

    @router.post("/{incident_id}/merge", summary="Put incidents together", **told(OrderAnswer, 404))
    async def merge(incident_id: HexId, order: Merge, asked: Annotated[Asked, Depends(operator)]) -> OrderAnswer:
        """All alerts of the others belong to this one, whatever they share."""
        return await give(order, incident_id, asked)

    @router.post("/{incident_id}/split", summary="Take alerts out of an incident", **told(OrderAnswer, 404))
    async def split(incident_id: HexId, order: Split, asked: Annotated[Asked, Depends(operator)]) -> OrderAnswer:
        """They become an incident of their own, and no later alert puts the two together again."""
        return await give(order, incident_id, asked)

    return router


def _incidents(feed: Feed, grouped: Grouped) -> Iterator[Incident]:
    now = datetime.now(UTC)
    for group in grouped.newest_first():
        found = incident_of(group, feed.alerts.get, feed.policy.directory, now)
        if found is not None:
            yield found


def _group(grouped: Grouped, incident_id: str) -> Group:
    group = grouped.find(incident_id)
    if group is None:
        raise refusal(404, "no such incident is known")
    return group


def _incident(feed: Feed, group: Group) -> Incident:
    found = incident_of(group, feed.alerts.get, feed.policy.directory, datetime.now(UTC))
    if found is None:
        raise refusal(404, "no alert of this incident is known any more")
    return found


def material_of(feed: Feed, incident: Incident) -> Material:
    """What its report is made from."""
    alerts = [alert for each in incident.alerts if (alert := feed.alerts.get(each)) is not None]
    audit = feed.audit.newest(lambda record: record.at >= incident.opened_at, _EVERYTHING)
    since = from_ms(feed.audit.since_ms)
    states, policy = list(feed.channels.values()), feed.policy
    now, before = datetime.now(UTC), TrafficBefore(feed.tallies)
    return Material(incident, alerts, audit, states, policy.zone, now, since, policy.directory, before)
