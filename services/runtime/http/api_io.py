"""What the HTTP APIs of ours have in common: errors as problem details, bearer tokens, an honest OpenAPI document.

app = new_app("Tidegate gateway", "…", health)

@app.post("/v1/events", responses=errors(401, 429))
async def post_events(sender: Annotated[Sender, Depends(bearer(tokens))]) -> Accepted: ...
"""

import asyncio
import socket
import sys
import time
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from typing import Annotated, Any

from fastapi import FastAPI, Request, Security
from fastapi.exceptions import RequestValidationError
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from fastapi.telemetry import TelemetryConfig
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from schemas.problems import ProblemDetails, from_details
from services.runtime import metrics
from services.runtime.health import Health
from services.runtime.http.http_io import routes, serving, stop_on_signals
from services.runtime.http.tls import ServerCertificate
from services.runtime.http.tokens import Owner, Tokens
from services.runtime.kafka.kafka_io import TopicMismatchError, TopicRefusedError

API_VERSION = "1"
"""The major version of the contract; fields may be added within it."""

GIVE_UP_S = 2.0
PROBLEM_TYPE = "application/problem+json"
_REF = "#/components/schemas/{model}"
_OURS_ALONE: TelemetryConfig = {"tracing": False, "metrics": False, "logs": False, "auto_configure": False}
"""FastAPI's own telemetry would export paths, queries and the words of errors."""


class ApiError(Exception):
    """Raised anywhere under a request: becomes its answer. `body` may be a subclass with more to say. `zh`: its detail
    in Chinese, where a page may show it."""

    def __init__(self, body: ProblemDetails, headers: Mapping[str, str] | None = None, zh: str = "") -> None:
        super().__init__(body.detail)
        self.body, self.zh = body, zh
        self.headers = dict(headers or {})


def refusal(status: int, detail: str, *, retry_after_s: int | None = None, zh: str = "") -> ApiError:
    """An error with nothing more to say than its status and one sentence for people."""
    headers = {} if retry_after_s is None else {"Retry-After": str(retry_after_s)}
    return ApiError(ProblemDetails.of(status, detail), headers, zh)


def answer(error: ApiError) -> Response:
    """The HTTP answer to an error."""
    return Response(error.body.model_dump_json(), error.body.status, error.headers, PROBLEM_TYPE)


def new_app(
    title: str,
    description: str,
    health: Health,
    *,
    models: Sequence[type[BaseModel]] = (),
    components: Mapping[str, Any] | None = None,
    max_body_bytes: int | None = None,
) -> FastAPI:
    """An app with /healthz, /readyz, /metrics and /openapi.json, whose errors are problem details.

    models, components: what its OpenAPI document refers to besides, as models and as schemas. max_body_bytes: of any
    request; without it the endpoints see to that themselves. There are no pages of documentation: they would load
    scripts from elsewhere.
    """
    app = FastAPI(
        title=title,
        description=description,
        version=API_VERSION,
        docs_url=None,
        redoc_url=None,
        max_body_size=max_body_bytes,
        telemetry=_OURS_ALONE,
    )
    app.router.routes.extend(routes(health))
    app.add_exception_handler(ApiError, _told)  # type: ignore[arg-type]
    app.add_exception_handler(HTTPException, _of_the_router)  # type: ignore[arg-type]
    app.add_exception_handler(RequestValidationError, _bad_request)  # type: ignore[arg-type]
    app.add_exception_handler(Exception, _unexpected)
    app.add_middleware(_Measured)
    _describe_components(app, (ProblemDetails, *models), components or {})
    return app


async def _told(_: Request, error: ApiError) -> Response:
    return answer(error)


async def _of_the_router(_: Request, error: HTTPException) -> Response:
    return answer(ApiError(ProblemDetails.of(error.status_code, str(error.detail)), error.headers))


async def _bad_request(_: Request, error: RequestValidationError) -> Response:
    """FastAPI's own answer would quote what was sent."""
    found = from_details(error.errors(), skip=1)
    return answer(ApiError(ProblemDetails.of(422, "the request is not valid", errors=found)))


async def _unexpected(_: Request, error: Exception) -> Response:
    """The traceback is logged by the server; the sender gets none of it."""
    return answer(refusal(500, "an error of ours; it has been logged"))


def bearer(tokens: Tokens[Owner]) -> Callable[[HTTPAuthorizationCredentials | None], Awaitable[Owner]]:
    """A dependency: the owner of the request's bearer token; without a good one the answer is 401."""
    scheme = HTTPBearer(auto_error=False, scheme_name="token", description="A token from the service's token file.")

    async def owner(credentials: Annotated[HTTPAuthorizationCredentials | None, Security(scheme)]) -> Owner:
        # The server decodes headers as Latin-1, so this gives back the bytes that were sent.
        found = None if credentials is None else tokens.owner_of(credentials.credentials.encode("latin-1"))
        if found is None:
            error = refusal(401, "a bearer token is required" if credentials is None else "the token is not known")
            error.headers["WWW-Authenticate"] = "Bearer"
            raise error
        return found

    return owner


async def serve(
    app: FastAPI,
    bound: socket.socket,
    *workers: Coroutine[Any, Any, None],
    give_up: Callable[[], None],
    certificate: ServerCertificate | None = None,
) -> None:
    """Serves until SIGTERM or SIGINT, with the workers beside it. When one of them fails it ends with that error.

    give_up: called two seconds after the end has begun, so that requests which wait for a broker end in time.
    """
    stop = stop_on_signals()
    tasks = [asyncio.create_task(worker) for worker in workers]
    stopped = asyncio.create_task(stop.wait())
    async with serving(app, bound, certificate=certificate):
        await asyncio.wait((stopped, *tasks), return_when=asyncio.FIRST_COMPLETED)
        late = asyncio.get_running_loop().call_later(GIVE_UP_S, give_up)
    late.cancel()
    for task in (stopped, *tasks):
        task.cancel()
    for result in await asyncio.gather(*tasks, return_exceptions=True):
        if isinstance(result, Exception):
            raise result


def run(service: Coroutine[Any, Any, None]) -> int:
    """Runs a service to its end. The exit code: 2 where the topics have to be mended first."""
    try:
        asyncio.run(service)
    except (TopicMismatchError, TopicRefusedError) as error:
        sys.stderr.write(f"the topics are not as they must be:\n{error}\n")
        return 2
    return 0


_MEANINGS: Mapping[int, str] = {
    400: "The body cannot be read.",
    401: "No bearer token, or one that nobody has.",
    403: "The token's owner may not do this.",
    404: "There is no such thing.",
    408: "The body did not arrive in time.",
    409: "The order was refused.",
    413: "Too large.",
    415: "A content type or encoding that is not accepted.",
    422: "The request can be read, but is not valid.",
    429: "Too much at once; try again after `Retry-After` seconds.",
    503: "Kafka does not answer, or this process is still starting; try again after `Retry-After` seconds.",
}


def errors(*statuses: int, model: type[ProblemDetails] = ProblemDetails) -> dict[int | str, dict[str, Any]]:
    """The `responses` of an endpoint for these statuses; `model` has to be one of the app's models."""
    return {status: _documented(status, model) for status in statuses}


def _documented(status: int, model: type[ProblemDetails]) -> dict[str, Any]:
    schema = {"$ref": _REF.format(model=model.__name__)}
    documented: dict[str, Any] = {"description": _MEANINGS[status], "content": {PROBLEM_TYPE: {"schema": schema}}}
    if status in (429, 503):
        documented["headers"] = {"Retry-After": {"schema": {"type": "integer"}, "description": "Seconds."}}
    return documented


def _describe_components(app: FastAPI, models: Sequence[type[BaseModel]], more: Mapping[str, Any]) -> None:
    generate = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            schemas = generate().setdefault("components", {}).setdefault("schemas", {})
            _, found = models_json_schema([(model, "serialization") for model in models], ref_template=_REF)
            for name, schema in {**found.get("$defs", {}), **more}.items():
                schemas.setdefault(name, schema)
        return generate()

    app.openapi = openapi  # type: ignore[method-assign]


class _Measured:
    """Counts and times all requests, by the template of their route."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, status = time.perf_counter(), 500

        async def noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, noting)
        finally:
            route = getattr(scope.get("route"), "path", "other")
            metrics.HTTP_SECONDS.labels(route, status).observe(time.perf_counter() - began)
