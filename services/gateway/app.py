"""The gateway's HTTP: `POST /v1/events`."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Final, Protocol

from fastapi import Depends, FastAPI, Request

from schemas.events import EVENT
from services.gateway import metrics
from services.gateway.answers import Accepted, EventsProblem, problem
from services.gateway.bodies import JSON, NDJSON
from services.gateway.checking import Outgoing, Refused, check
from services.gateway.intake_io import Intake
from services.gateway.publisher_io import BrokerAwayError
from services.gateway.senders import Sender
from services.gateway.settings import GatewaySettings
from services.runtime.api_io import ApiError, bearer, errors, new_app
from services.runtime.health import Health

RETRY_S: Final = 2
SLICE: Final = 500
"""So many events are judged before others in the loop have their turn."""

_DESCRIPTION: Final = """Takes in events and answers once the broker has acknowledged them.

An event may be sent again with the same `event_id`, within a minute, without counting twice."""

_REF: Final = "#/components/schemas/{model}"
_BODY: Final[dict[str, Any]] = {
    "required": True,
    "content": {
        JSON: {
            "schema": {
                "oneOf": [
                    {"$ref": "#/components/schemas/Event"},
                    {"type": "array", "items": {"$ref": "#/components/schemas/Event"}},
                ]
            }
        },
        NDJSON: {"schema": {"type": "string", "description": "One Event a line."}},
    },
}
_ENCODING: Final[dict[str, Any]] = {
    "name": "Content-Encoding",
    "in": "header",
    "required": False,
    "schema": {"type": "string", "enum": ["gzip", "identity"]},
}


class Publishing(Protocol):
    """What the app needs of a publisher."""

    async def publish(self, events: Sequence[Outgoing]) -> set[int]:
        """The `index` of each event that was not acknowledged. Raises BrokerAwayError."""
        ...


def build_app(settings: GatewaySettings, publisher: Publishing, health: Health) -> FastAPI:
    """The app; the publisher is run by the caller."""
    app = new_app("Tidegate gateway", _DESCRIPTION, health, models=(EventsProblem,), components=_components())
    intake = Intake(settings)
    metrics.IN_WORK_BYTES.set_function(lambda: intake.bytes_in_work)
    authenticated = bearer(settings.gateway_tokens_file)

    @app.post(
        "/v1/events",
        status_code=202,
        summary="Send one event, an array of events, or one a line",
        responses=errors(400, 401, 408, 413, 415, 429) | errors(403, 422, 503, model=EventsProblem),
        openapi_extra={"requestBody": _BODY, "parameters": [_ENCODING]},
    )
    async def post_events(request: Request, sender: Annotated[Sender, Depends(authenticated)]) -> Accepted:
        """The good events of a request are accepted even if others are not."""
        with intake.share(request) as share:
            outgoing, refused = await _judge(await intake.events(request, share), sender)
            missing = await _publish(publisher, outgoing)
        accepted = len(outgoing) - len(missing)
        for outcome, count in (("accepted", accepted), ("rejected", len(refused)), ("unacknowledged", len(missing))):
            metrics.EVENTS.labels(outcome).inc(count)
        body = problem(accepted, refused, missing)
        if body is not None:
            raise ApiError(body, {"Retry-After": str(RETRY_S)} if missing else {})
        return Accepted(accepted=accepted)

    return app


async def _judge(events: Sequence[bytes], sender: Sender) -> tuple[list[Outgoing], list[Refused]]:
    outgoing: list[Outgoing] = []
    refused: list[Refused] = []
    for first in range(0, len(events), SLICE):
        for judged in check(events[first : first + SLICE], sender, datetime.now(UTC), first):
            if isinstance(judged, Outgoing):
                outgoing.append(judged)
            else:
                refused.append(judged)
        await asyncio.sleep(0)
    return outgoing, refused


async def _publish(publisher: Publishing, outgoing: Sequence[Outgoing]) -> set[int]:
    try:
        return await publisher.publish(outgoing)
    except BrokerAwayError:
        return {event.index for event in outgoing}


def _components() -> dict[str, Any]:
    """The schemas of all events, and of any of them."""
    schema = EVENT.json_schema(ref_template=_REF)
    components: dict[str, Any] = schema.pop("$defs")
    return components | {"Event": schema}
