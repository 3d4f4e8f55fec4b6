"""The gateway's HTTP: `POST /v1/events`, and the door for complaints where it is open."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Final

from fastapi import Depends, FastAPI, Request

from schemas.events import EVENT
from services.gateway import metrics
from services.gateway.answers import Accepted, EventsProblem, problem
from services.gateway.bodies import JSON, NDJSON
from services.gateway.checking import Refused, check
from services.gateway.door.door_io import Door
from services.gateway.door.filing import NewComplaint
from services.gateway.door.promise import Promise
from services.gateway.door.routes_io import door_routes
from services.gateway.intake_io import Intake
from services.gateway.publishing import Publishing
from services.gateway.senders import Sender
from services.gateway.settings import GatewaySettings
from services.runtime.health import Health
from services.runtime.http.api_io import ApiError, bearer, errors, new_app
from services.runtime.kafka.publisher_io import BrokerAwayError
from services.runtime.machines.machine import Output
from services.runtime.tracing import traces, traces_io

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


def build_app(
    settings: GatewaySettings,
    publisher: Publishing,
    health: Health,
    promised: Callable[[], Promise | None] | None = None,
) -> FastAPI:
    """The app; the publisher is run by the caller. `promised`: by when complaints are answered."""
    models = (EventsProblem, NewComplaint)
    app = new_app("Tidegate gateway", _DESCRIPTION, health, models=models, components=_components())
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
        sent = request.headers.get(traces.HEADER)
        with traces_io.request("POST /v1/events", sent) as span, intake.share(request) as share:
            sound, refused = await _judge(await intake.events(request, share), sender)
            missing = await _publish(publisher, sound)
            accepted = len(sound) - len(missing)
            span.note(accepted=accepted, rejected=len(refused), unacknowledged=len(missing))
        for outcome, count in (("accepted", accepted), ("rejected", len(refused)), ("unacknowledged", len(missing))):
            metrics.EVENTS.labels(outcome).inc(count)
        body = problem(accepted, refused, missing)
        if body is not None:
            raise ApiError(body, {"Retry-After": str(RETRY_S)} if missing else {})
        return Accepted(accepted=accepted)

    if settings.door_key is not None and promised is not None:
        door = Door(settings, settings.door_key, publisher, promised)
        app.include_router(door_routes(door, settings.gateway_tokens_file, intake.small_body))
    return app


async def _judge(events: Sequence[bytes], sender: Sender) -> tuple[dict[int, Output], list[Refused]]:
    """What to send, by its place in the request, and what not."""
    sound: dict[int, Output] = {}
    refused: list[Refused] = []
    for first in range(0, len(events), SLICE):
        judged = check(events[first : first + SLICE], sender, datetime.now(UTC), first)
        for index, one in enumerate(judged, first):
            if isinstance(one, Refused):
                refused.append(one)
            else:
                sound[index] = one
        await asyncio.sleep(0)
    return sound, refused


async def _publish(publisher: Publishing, sound: Mapping[int, Output]) -> list[int]:
    """The places in the request of what was not acknowledged."""
    places = list(sound)
    try:
        missing = await publisher.publish(list(sound.values()))
    except BrokerAwayError:
        return places
    return [places[one] for one in missing]


def _components() -> dict[str, Any]:
    """The schemas of all events, and of any of them."""
    schema = EVENT.json_schema(ref_template=_REF)
    components: dict[str, Any] = schema.pop("$defs")
    return components | {"Event": schema}
