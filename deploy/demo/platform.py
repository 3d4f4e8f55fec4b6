"""A stand-in for the platforms that carry orders out: a real HTTP server that keeps state and can be told to go wrong.

    python -m deploy.demo.platform --port 8082 --state build/platform.json

`PUT` and `GET /v1/targets/{target}` are what channel_control calls. For people and tests: `GET /_targets` all states,
`DELETE /_targets` forgets them, `GET /_calls?after=N` the calls, `POST /_control` adds a fault, `DELETE /_control` ends
all faults and lets stalled calls go on.
"""

import argparse
import asyncio
import hmac
import logging
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse
from pydantic import ValidationError
from standardwebhooks import Webhook, WebhookVerificationError
from starlette.types import Receive, Scope, Send

from deploy.demo.platform_state import Call, Fault, PlatformState
from schemas.channels import WantedState
from services.runtime.health import Health
from services.runtime.http import http_io

PORT = "TIDEGATE_DEMO_PLATFORM_PORT"
TOKEN = "TIDEGATE_DEMO_PLATFORM_TOKEN"  # noqa: S105 - the name of a variable
SECRET = "TIDEGATE_DEMO_PLATFORM_SECRET"  # noqa: S105 - likewise
DEFAULT_PORT = 8082


class Lost(Response):
    """An answer that never arrives: the connection breaks after the first line."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Promises a body and sends none, whereupon the server closes the connection."""
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"1")]})


def build_app(state: PlatformState, token: str | None = None, secret: str | None = None) -> FastAPI:
    """The server. With a token only its bearer, with a secret only who signs, may read and put targets."""
    app = FastAPI(title="Stand-in platform", docs_url=None, redoc_url=None)
    app.state.freed = asyncio.Event()

    def trusted(request: Request, body: bytes) -> bool:
        return _has_token(request, token) and _is_signed(request, body, secret)

    @app.put("/v1/targets/{target:path}")
    async def put(target: str, request: Request) -> Response:
        """Takes an order; 409 with the present state if a newer one is here."""
        return await _serve(app, state, trusted, target, request)

    @app.get("/v1/targets/{target:path}")
    async def get(target: str, request: Request) -> Response:
        """The state of a target; 404 if nothing was ever ordered."""
        return await _serve(app, state, trusted, target, request)

    @app.get("/_targets")
    async def targets() -> list[WantedState]:
        return list(state.targets.values())

    @app.delete("/_targets", status_code=204)
    async def forget() -> None:
        state.forget_all()

    @app.get("/_calls")
    async def calls(after: int = 0) -> list[dict[str, Any]]:
        return state.log(after)

    @app.post("/_control", status_code=204)
    async def control(fault: Fault) -> None:
        state.faults.append(fault)

    @app.delete("/_control", status_code=204)
    async def clear() -> None:
        state.faults.clear()
        app.state.freed.set()
        app.state.freed = asyncio.Event()

    return app


def _has_token(request: Request, token: str | None) -> bool:
    given = request.headers.get("authorization", "")
    return token is None or hmac.compare_digest(given.encode(), f"Bearer {token}".encode())


def _is_signed(request: Request, body: bytes, secret: str | None) -> bool:
    """What is signed is the body of a PUT, and the path of a GET as it was sent."""
    if secret is None:
        return True
    text = body if request.method == "PUT" else request.scope["raw_path"]
    return any(_verifies(each, text, request) for each in secret.split())


def _verifies(secret: str, text: bytes, request: Request) -> bool:
    try:
        Webhook(secret).verify(text, dict(request.headers), json_parse=False)
    except (WebhookVerificationError, ValueError):
        return False
    return True


async def _serve(
    app: FastAPI, state: PlatformState, trusted: Callable[[Request, bytes], bool], target: str, request: Request
) -> Response:
    """One call: noted, checked, gone wrong as ordered, or done."""
    call = state.begin(request.method, target, request.headers.get("idempotency-key"))
    body = await request.body()  # now, since after a stall the caller may have gone
    if not trusted(request, body):
        return _answered(call, JSONResponse({"error": "who are you?"}, 401))
    fault = state.strike(request.method, target)
    call.fault = None if fault is None else fault.kind
    if fault is not None and fault.kind == "fail":
        headers = {} if fault.retry_after is None else {"Retry-After": str(fault.retry_after)}
        return _answered(call, JSONResponse({"error": "told to fail"}, fault.status, headers))
    if fault is not None and fault.kind == "stall":
        await _stall(app.state.freed, fault.seconds)
    answer = _read(state, target) if request.method == "GET" else _put(state, call, target, body)
    if fault is not None and fault.kind == "lose":
        call.answered = 0
        return Lost()
    return _answered(call, answer)


async def _stall(freed: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await freed.wait()
    except TimeoutError:
        pass


def _read(state: PlatformState, target: str) -> Response:
    present = state.targets.get(target)
    if present is None:
        return JSONResponse({"error": "not known here"}, 404)
    return JSONResponse(present.model_dump(mode="json"))


def _put(state: PlatformState, call: Call, target: str, body: bytes) -> Response:
    try:
        wanted = WantedState.model_validate_json(body)
    except ValidationError as error:
        return JSONResponse({"error": f"not a wanted state: {error.error_count()} problems"}, 422)
    if wanted.target != target:
        return JSONResponse({"error": "the address names another target"}, 422)
    call.generation, call.status, call.factor = wanted.generation, wanted.status, wanted.factor
    if call.fault == "forget":
        return JSONResponse(wanted.model_dump(mode="json"))
    call.applied = state.put(wanted)
    return JSONResponse(state.targets[target].model_dump(mode="json"), 200 if call.applied else 409)


def _answered(call: Call, answer: Response) -> Response:
    call.answered = answer.status_code
    return answer


async def serve(host: str, port: int, state: PlatformState, token: str | None, secret: str | None) -> None:
    """Serves until SIGTERM or SIGINT."""
    health = Health()
    health.part("platform").ok()
    app = build_app(state, token, secret)
    app.router.routes.extend(http_io.routes(health))
    bound = http_io.listen(host, port, PORT)
    stop = http_io.stop_on_signals()
    async with http_io.serving(app, bound) as server:
        print(f"the stand-in platform serves on http://{host}:{server.port}", flush=True)
        await stop.wait()
        app.state.freed.set()


def _secret(variable: str) -> str | None:
    path = os.environ.get(f"{variable}_FILE")
    if not path:
        return os.environ.get(variable) or None
    try:
        return Path(path).read_text("utf-8").strip()
    except (OSError, ValueError) as error:
        raise SystemExit(f"the file that {variable}_FILE names cannot be read: {type(error).__name__}") from None


def main(arguments: list[str] | None = None) -> int:
    """0 after a clean stop, 2 for what cannot be started."""
    parser = argparse.ArgumentParser(prog="python -m deploy.demo.platform", description="A stand-in platform.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=os.environ.get(PORT) or DEFAULT_PORT, help="0: any free one")
    parser.add_argument("--state", type=Path, default=None, help="file that keeps the targets over a restart")
    options = parser.parse_args(arguments)
    state = PlatformState(options.state)
    try:
        state.load()
    except (OSError, ValueError) as error:
        print(f"--state {options.state}: cannot be read as a platform's state: {type(error).__name__}", file=sys.stderr)
        return 2
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(message)s")
    logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)  # it would call a lost answer an error
    asyncio.run(serve(options.host, options.port, state, _secret(TOKEN), _secret(SECRET)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
