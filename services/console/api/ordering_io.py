"""The routes on which people order."""

import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Query, Response
from pydantic import BaseModel

from services.console.api.answers import OrderList, OrderProblem
from services.console.orders import high_risk
from services.console.orders.desk_io import Desk
from services.console.orders.high_risk import HighRisk
from services.console.orders.order_words import ORDER_WORDS, OrderWord
from services.console.orders.orders import Acknowledge, Order, OrderAnswer, Silence, command_id, command_of
from services.console.people import Person, Role
from services.console.state.feed_io import Feed
from services.runtime.http.api_io import errors, refusal

Key = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=200,
        description="Any text of your own: the same order repeated with it counts once, and another order is refused.",
    ),
]
Wait = Annotated[float, Query(ge=0, le=30, description="So many seconds to wait for the outcome.")]
Authenticated = Callable[..., Awaitable[Person]]


@dataclass(frozen=True, slots=True)
class Asked:
    """Who orders, and how they want to be answered. command_id: the same for the same person and key."""

    person: Person
    command_id: str
    wait: float
    response: Response


def order_routes(feed: Feed, desk: Desk, authenticated: Authenticated) -> APIRouter:
    """The routes that order; each says which role it takes."""
    router = APIRouter(prefix="/api/v1/orders")
    for each in ORDER_WORDS.values():
        router.add_api_route(
            "/" + each.word.replace("_", "-"),
            _giving(each, desk, asked_by(each.role, authenticated)),
            methods=["POST"],
            name=each.word,
            summary=each.summary,
            description=each.text,
            **told(OrderAnswer),
        )
    operator = asked_by("operator", authenticated)

    @router.post("/high-risk-products", summary="Stop or slow all high-risk products", **told(OrderList))
    async def order_high_risk(order: HighRisk, asked: Annotated[Asked, Depends(operator)]) -> OrderList:
        """One order for each product of the risk class high in the directory; the answer tells of each."""
        found = high_risk.commands_of(order, feed.policy.directory, asked.person, asked.command_id, datetime.now(UTC))
        if not found:
            raise refusal(422, "the directory names no product of the risk class high")
        return OrderList(orders=await desk.give_all(found, asked.wait, asked.response))

    @router.post("/acknowledge", summary="Take charge of an alert", **told(OrderAnswer, 404))
    async def acknowledge(order: Acknowledge, asked: Annotated[Asked, Depends(operator)]) -> OrderAnswer:
        """The alert then says by whom."""
        alert = feed.alerts.get(order.alert_id)
        if alert is None:
            raise refusal(404, "no such alert is known")
        about = {"target": alert.subject}
        command = command_of("acknowledge", order, asked.person, asked.command_id, datetime.now(UTC), **about)
        return await desk.give(command, asked.wait, asked.response)

    @router.post("/silence", summary="Silence an alert or a subject", **told(OrderAnswer, 404))
    async def silence(order: Silence, asked: Annotated[Asked, Depends(operator)]) -> OrderAnswer:
        """Nobody is told until then, nor called up a ladder; a newer silence of the same takes its place."""
        alert = None if order.alert_id is None else feed.alerts.get(order.alert_id)
        if order.alert_id is not None and alert is None:
            raise refusal(404, "no such alert is known")
        about = order if alert is None else order.model_copy(update={"target": alert.subject})
        command = command_of("silence", about, asked.person, asked.command_id, datetime.now(UTC))
        return await desk.give(command, asked.wait, asked.response)

    return router


def told(answer: type[BaseModel], *more: int) -> dict[str, Any]:
    """How an order's route answers."""
    known: dict[int | str, dict[str, Any]] = {200: {"model": answer, "description": "The outcome is known."}}
    refused = errors(400, 401, 403, 413, 422, *more) | errors(409, 503, model=OrderProblem)
    return {"status_code": 202, "responses": known | refused}


def at_least(role: Role, authenticated: Authenticated) -> Authenticated:
    """A dependency: the person, if they have this role or one above it."""

    async def person_of_role(person: Annotated[Person, Depends(authenticated)]) -> Person:
        if not person.is_at_least(role):
            article = "a" if person.role == "viewer" else "an"
            raise refusal(403, f"{article} {person.role} may not do this; it takes the role {role}")
        return person

    return person_of_role


def asked_by(role: Role, authenticated: Authenticated) -> Callable[..., Awaitable[Asked]]:
    """A dependency: what there is to know of an order beside its body, if the person has the role."""

    async def asked(
        person: Annotated[Person, Depends(at_least(role, authenticated))],
        response: Response,
        key: Key = None,
        wait: Wait = 0,
    ) -> Asked:
        return Asked(person, command_id(person, key, secrets.token_hex(16)), wait, response)

    return asked


def _giving(ordered: OrderWord, desk: Desk, allowed: Callable[..., Awaitable[Asked]]) -> Callable[..., Any]:
    """The endpoint of one word."""

    async def give(order: Order, asked: Annotated[Asked, Depends(allowed)]) -> OrderAnswer:
        command = command_of(ordered.word, order, asked.person, asked.command_id, datetime.now(UTC))
        return await desk.give(command, asked.wait, asked.response)

    give.__annotations__["order"] = ordered.body
    return give
