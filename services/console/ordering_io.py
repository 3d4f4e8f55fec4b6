"""People's orders: written to `channel-commands`, their outcome read back from the audit."""

import logging
import secrets
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Protocol

from fastapi import APIRouter, Depends, Header, Query, Response

from schemas.commands import Command
from schemas.topics import CHANNEL_COMMANDS
from services.console import metrics, orders
from services.console.answers import OrderProblem
from services.console.feed_io import Feed
from services.console.orders import Acknowledge, Answer, Given, OrderAnswer, Pause, Resume
from services.console.people import Person
from services.runtime.api_io import ApiError, errors, refusal
from services.runtime.machine import Output
from services.runtime.publisher_io import BrokerAwayError

log = logging.getLogger(__name__)

RETRY_S = 2

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


class Publishing(Protocol):
    """What the app needs of a publisher."""

    async def publish(self, messages: Sequence[Output]) -> set[int]:
        """The place of each message that was not acknowledged. Raises BrokerAwayError."""
        ...


def order_routes(feed: Feed, publisher: Publishing, authenticated: Callable[..., Awaitable[Person]]) -> APIRouter:
    """The routes that order, for operators only."""

    async def operator(person: Annotated[Person, Depends(authenticated)]) -> Person:
        if not person.may_order:
            raise refusal(403, "a viewer may not give orders")
        return person

    desk = _Desk(feed, publisher)
    router = APIRouter(prefix="/api/v1/orders")
    told: dict[str, Any] = {
        "status_code": 202,
        "responses": {200: {"model": OrderAnswer, "description": "The outcome is known."}}
        | errors(400, 401, 403, 413, 422)
        | errors(409, 503, model=OrderProblem),
    }

    @router.post("/pause", summary="Stop a target", **told)
    async def pause(
        order: Pause, person: Annotated[Person, Depends(operator)], response: Response, key: Key = None, wait: Wait = 0
    ) -> OrderAnswer:
        """Until it is resumed."""
        command = orders.pause(order, person, _new_id(person, key), datetime.now(UTC))
        return await desk.give(command, wait, response)

    @router.post("/resume", summary="Lift holds", **told)
    async def resume(
        order: Resume, person: Annotated[Person, Depends(operator)], response: Response, key: Key = None, wait: Wait = 0
    ) -> OrderAnswer:
        """Refused if another hold has landed since the generation that the person saw."""
        command = orders.resume(order, person, _new_id(person, key), datetime.now(UTC))
        return await desk.give(command, wait, response)

    @router.post("/approve", summary="Approve what waits", **told)
    async def approve(
        order: Answer, person: Annotated[Person, Depends(operator)], response: Response, key: Key = None, wait: Wait = 0
    ) -> OrderAnswer:
        """It acts from then on, until it is lifted."""
        command = orders.answer("approve", order, person, _new_id(person, key), datetime.now(UTC))
        return await desk.give(command, wait, response)

    @router.post("/reject", summary="Reject what waits", **told)
    async def reject(
        order: Answer, person: Annotated[Person, Depends(operator)], response: Response, key: Key = None, wait: Wait = 0
    ) -> OrderAnswer:
        """It never acts; only a higher level of its alert asks again."""
        command = orders.answer("reject", order, person, _new_id(person, key), datetime.now(UTC))
        return await desk.give(command, wait, response)

    acknowledging = told | {"responses": told["responses"] | errors(404)}

    @router.post("/acknowledge", summary="Take charge of an alert", **acknowledging)
    async def acknowledge(
        order: Acknowledge,
        person: Annotated[Person, Depends(operator)],
        response: Response,
        key: Key = None,
        wait: Wait = 0,
    ) -> OrderAnswer:
        """The alert then says by whom."""
        alert = feed.alerts.get(order.alert_id)
        if alert is None:
            raise refusal(404, "no such alert is known")
        command = orders.acknowledge(order, alert, person, _new_id(person, key), datetime.now(UTC))
        return await desk.give(command, wait, response)

    return router


def _new_id(person: Person, key: str | None) -> str:
    return orders.command_id(person, key, secrets.token_hex(16))


class _Desk:
    """Takes orders in."""

    def __init__(self, feed: Feed, publisher: Publishing) -> None:
        self._feed = feed
        self._publisher = publisher
        self._given = Given()

    async def give(self, command: Command, wait: float, response: Response) -> OrderAnswer:
        """Sends the order unless the audit knows it already; says what came of it."""
        is_other, known = self._given.is_other(command), self._feed.audit.outcome_of(command.command_id)
        if known is None and not is_other:
            await _send(command, self._publisher)
            await self._feed.wait_for_outcome(command.command_id, wait)
            known = self._feed.audit.outcome_of(command.command_id)
        if is_other or (known is not None and orders.differs(command, known)):
            raise refusal(422, "this Idempotency-Key was used for another order")
        answer = orders.answer_of(command, known)
        if known is not None and known.outcome == "refused":
            raise ApiError(OrderProblem.of(409, f"refused: {known.why or 'no reason was given'}", order=answer))
        response.status_code = 202 if known is None else 200
        return answer


async def _send(command: Command, publisher: Publishing) -> None:
    value = command.model_dump_json(by_alias=True).encode()
    try:
        missing = await publisher.publish([Output(CHANNEL_COMMANDS, command.target.encode(), value)])
    except BrokerAwayError:
        problem = "Kafka does not answer; the order was not given"
    else:
        problem = "Kafka has not acknowledged the order in time; it may still be carried out" if missing else ""
    metrics.ORDERS.labels(command.command, "no" if problem else "yes").inc()
    log.info(
        "order",
        extra={
            "command": command.command,
            "command_id": command.command_id,
            "target": command.target,
            "by": command.issued_by,
            "problem": problem,
        },
    )
    if problem:
        body = OrderProblem.of(503, problem, order=orders.answer_of(command, None))
        raise ApiError(body, {"Retry-After": str(RETRY_S)})
