"""The page on which people stop or slow all high-risk products at once, and see what came of it for each."""

from datetime import UTC, datetime
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import RedirectResponse

from schemas.base import HexId
from schemas.commands import Command
from services.console.orders.desk_io import Desk
from services.console.orders.high_risk import HighRisk, commands_of, id_for
from services.console.orders.orders import command_id
from services.console.pages.frame.forms import Fields
from services.console.pages.frame.forms_io import (
    WAIT_S,
    as_before,
    confirmed,
    fields_of,
    needed,
    not_given,
    one,
    order_in,
)
from services.console.pages.frame.frame_io import Frame, PageError
from services.console.pages.frame.outcomes import told_of
from services.console.pages.frame.visitor_io import Visiting, Visitor
from services.console.state.feed_io import Feed
from services.runtime.http.api_io import ApiError

PLACE = "/high-risk"
WORD = "high_risk_products"


def high_risk_routes(frame: Frame, feed: Feed, desk: Desk, visiting: Visiting) -> APIRouter:
    """Its routes."""
    router = APIRouter(include_in_schema=False)
    latest = dict[str, Command]()

    @router.get(PLACE)
    async def show(
        visitor: Annotated[Visitor, Depends(visiting)], given: Annotated[HexId | None, Query()] = None
    ) -> Response:
        """given: the order whose outcome is told beside each product."""
        targets = [f"product:{name}" for name in feed.policy.directory.high_risk()]
        outcomes = {
            target: told_of(feed.audit.outcome_of(id_for(given, target))) for target in targets if given is not None
        }
        states = {target: feed.channels.get(target) for target in targets}
        four_eyes = feed.policy.document.four_eyes
        return frame.page(
            visitor, "high_risk.html", states=states, outcomes=outcomes, given=given, four_eyes=four_eyes, word=WORD
        )

    @router.post(PLACE)
    async def give(request: Request, visitor: Annotated[Visitor, Depends(visiting)]) -> Response:
        fields = await fields_of(request, visitor)
        needed(visitor, "operator")
        if not visitor.is_fresh:
            return RedirectResponse(f"/signin/again?{urlencode({'next': PLACE})}", 303)
        confirmed(WORD, "", fields)
        now, new_id = datetime.now(UTC), command_id(visitor.person, one(fields, "key"), "")
        found = commands_of(_order(fields, now), feed.policy.directory, visitor.person, new_id, now)
        if not found:
            raise PageError(422, "The directory names no product of the risk class high.", "策略名录中没有高风险产品。")
        try:
            await desk.give_all([as_before(each, latest) for each in found], WAIT_S, Response())
        except ApiError as error:
            raise not_given(error) from None
        return RedirectResponse(f"{PLACE}?given={new_id}", 303)

    return router


def _order(fields: Fields, now: datetime) -> HighRisk:
    slows = one(fields, "command") == "throttle"
    said = {name: values for name, values in fields.items() if slows or name != "percent"}
    return HighRisk.model_validate(order_in(HighRisk, said, now))
