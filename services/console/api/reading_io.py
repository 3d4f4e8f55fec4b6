"""What there is to see: channels with their holds, alerts, the audit."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Path, Query

from schemas.alerts import AlertState, Status
from schemas.audit import AuditRecord
from schemas.base import HexId, Ref, Severity, from_ms
from schemas.channels import ChannelState
from services.console.api.answers import AlertList, AuditList, ChannelList, Kind
from services.console.state.directory import DirectoryAnswer, unnamed
from services.console.state.feed_io import Feed
from services.console.state.silences import SilenceList
from services.runtime.http.api_io import errors, refusal

Limit = Annotated[int, Query(ge=1, le=1000, description="At most so many.")]


def reading_routes(feed: Feed) -> APIRouter:
    """The routes that read; who may use them is for the app to say."""
    router = APIRouter(prefix="/api/v1")

    @router.get("/channels", summary="Targets and the holds on them", responses=errors(401, 422, 503))
    async def list_channels(
        kind: Annotated[Kind, Query(description="The part of the target before the colon.")] = "channel",
        after: Annotated[str, Query(max_length=420, description="Only names behind this one.")] = "",
        limit: Limit = 500,
    ) -> ChannelList:
        """Of each target that ever had a hold; one that is not listed runs."""
        found = feed.channels.of_kind(kind, after, limit + 1)
        more = len(found) > limit
        return ChannelList(channels=found[:limit], next=found[limit - 1].target if more else None)

    @router.get("/channels/{target:path}", summary="One target", responses=errors(401, 404, 422, 503))
    async def get_channel(target: Annotated[Ref, Path(description="As in `channel:douyin`.")]) -> ChannelState:
        """404 where no hold ever stood: it runs."""
        state = feed.channels.get(target)
        if state is None:
            raise refusal(404, "no hold ever stood on this target, so it runs")
        return state

    @router.get("/audit", summary="What was ordered, decided and done", responses=errors(401, 422, 503))
    async def list_audit(
        target: Annotated[Ref | None, Query(description="Only of this target.")] = None,
        command_id: Annotated[HexId | None, Query(description="Only of this order.")] = None,
        limit: Limit = 100,
    ) -> AuditList:
        """The newest records, back to `since`."""

        def wanted(record: AuditRecord) -> bool:
            return target in (None, record.target) and command_id in (None, record.command_id)

        return AuditList(audit=feed.audit.newest(wanted, limit), since=from_ms(feed.audit.since_ms))

    @router.get("/alerts", summary="What people should know", responses=errors(401, 422, 503))
    async def list_alerts(
        status: Annotated[Status | None, Query()] = None,
        severity: Annotated[Severity | None, Query()] = None,
        subject: Annotated[Ref | None, Query(description="Only about this subject.")] = None,
        limit: Limit = 100,
    ) -> AlertList:
        """Open ones and those that were resolved lately, unless only one `status` is asked for."""

        def wanted(alert: AlertState) -> bool:
            return (
                status in (None, alert.status)
                and severity in (None, alert.severity)
                and subject in (None, alert.subject)
            )

        return AlertList(alerts=feed.alerts.newest(wanted, limit))

    @router.get("/alerts/{alert_id}", summary="One alert", responses=errors(401, 404, 422, 503))
    async def get_alert(alert_id: HexId) -> AlertState:
        """With its evidence and what was done."""
        alert = feed.alerts.get(alert_id)
        if alert is None:
            raise refusal(404, "no such alert is known")
        return alert

    return router


def directory_routes(feed: Feed) -> APIRouter:
    """What things are called, and of what nobody is told."""
    router = APIRouter(prefix="/api/v1")

    @router.get("/directory", summary="What channels and products are called", responses=errors(401, 503))
    async def get_directory() -> DirectoryAnswer:
        """By the policy in force; and ids that were met and that nobody has named in it."""
        directory = feed.policy.directory
        return DirectoryAnswer(
            policy=feed.policy.label,
            channels=directory.channels,
            products=directory.products,
            unnamed=unnamed(directory, feed.channels, feed.alerts),
        )

    @router.get("/silences", summary="Of what nobody is told", responses=errors(401, 503))
    async def list_silences() -> SilenceList:
        """People's silences and those of the policy, until they are over."""
        return feed.silences.standing(datetime.now(UTC), feed.policy.silences)

    return router
