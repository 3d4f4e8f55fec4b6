"""Whether automation acts."""

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter
from pydantic import BaseModel, Field

from schemas.automation import TARGET
from services.console.state.feed_io import Feed
from services.runtime.http.api_io import errors


class AutomationAnswer(BaseModel):
    """Off: whatever would act asks a person instead."""

    automation: Literal["on", "off"]
    since: Annotated[datetime | None, Field(description="null while it is on.")] = None
    by: str | None = None
    reason: str | None = None


def automation_routes(feed: Feed) -> APIRouter:
    """The route that reads; who may use it is for the app to say."""
    router = APIRouter(prefix="/api/v1")

    @router.get("/automation", summary="Whether automation is off", responses=errors(401, 503))
    async def get_automation() -> AutomationAnswer:
        """Switch it with `/api/v1/orders/automation-off` and `-on`; maintenance windows are in the policy."""
        state = feed.channels.get(TARGET)
        if state is None or not state.holds:
            return AutomationAnswer(automation="on")
        hold = state.holds[0]
        return AutomationAnswer(automation="off", since=hold.since, by=hold.by, reason=hold.reason)

    return router
