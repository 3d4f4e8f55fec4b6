"""What waits for a person's yes or no."""

from fastapi import APIRouter

from schemas.channels import ChannelState, FourEyesRequest, Hold
from services.console.api.answers import ApprovalList, PersonsRequest, Request
from services.console.api.reading_io import Limit
from services.console.state.feed_io import Feed
from services.runtime.http.api_io import errors


def approval_routes(feed: Feed) -> APIRouter:
    """The route that reads; who may use it is for the app to say."""
    router = APIRouter(prefix="/api/v1")

    @router.get("/approvals", summary="What waits for approval", responses=errors(401, 422, 503))
    async def list_approvals(limit: Limit = 100) -> ApprovalList:
        """Say yes or no with `/api/v1/orders/approve` and `/api/v1/orders/reject`; what nobody decides on expires."""
        return ApprovalList(
            approvals=[_request(feed, state, hold) for state, hold in feed.channels.waiting()[:limit]],
            requests=[_persons(state, request) for state, request in feed.channels.requests()[:limit]],
        )

    return router


def _persons(state: ChannelState, request: FourEyesRequest) -> PersonsRequest:
    holds = [hold for hold in state.holds if hold.hold_id in request.hold_ids]
    return PersonsRequest(target=state.target, generation=state.generation, request=request, holds=holds)


def _request(feed: Feed, state: ChannelState, hold: Hold) -> Request:
    alert = feed.alerts.get(hold.alert_id or "")
    return Request(
        target=state.target,
        generation=state.generation,
        hold=hold,
        alert_id=hold.alert_id,
        title=None if alert is None else alert.title,
    )
