"""`python -m deploy.demo.receiver --port 8090`: a stand-in for whoever is called when an alert goes out.

A real receiver of Standard Webhooks: it verifies each message with the reference library and keeps what it accepted,
each `webhook-id` once. It can be told to misbehave. It needs alerting's secret as TIDEGATE_DEMO_WEBHOOK_SECRET[_FILE];
of two, any will do.

    POST /…            where messages go: any path without a leading underscore
    GET  /_messages    what was accepted, in order of arrival
    GET  /_attempts    every message that was posted, with the status that it got
    POST /_control     {"status": 503, "times": 3, "delay_s": 0.5, "retry_after": "2", "location": "…", "body": "…"}
"""

import argparse
import asyncio
import contextlib
import itertools
import json
import os
import time
from collections import deque
from dataclasses import asdict, dataclass, field
from typing import Annotated, Any, ClassVar

from fastapi import FastAPI, Request, Response
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr
from standardwebhooks import Webhook, WebhookVerificationError

from services.runtime import logs
from services.runtime.health import Health
from services.runtime.http.http_io import listen, routes, serve_app
from services.runtime.http.signing import check_secrets
from services.runtime.settings import CommonSettings, Port, load, variable

KEPT = 10_000
"""Messages and attempts remembered; a stand-in may run for weeks."""


def _usable(secret: SecretStr) -> SecretStr:
    check_secrets(secret.get_secret_value())
    return secret


class ReceiverSettings(CommonSettings):
    """What the receiver is told."""

    own_prefix: ClassVar[str] = "demo_receiver_"
    """Longer than the demo's, whose other settings are not ours to refuse."""

    demo_receiver_port: Port = 8090
    demo_webhook_secret: Annotated[SecretStr, AfterValidator(_usable)]


class Behaviour(BaseModel):
    """What becomes of the next messages, `times` times (null: until told otherwise), instead of doing its work."""

    model_config = ConfigDict(extra="forbid")

    status: int = Field(200, ge=200, le=599)
    times: int | None = Field(None, ge=0)
    delay_s: float = Field(0.0, ge=0)
    retry_after: str | None = None
    location: str | None = None
    body: str = ""


@dataclass
class Received:
    """A message that was accepted, and how often it came."""

    webhook_id: str
    at: float
    message: Any
    times: int = 1


@dataclass
class Attempt:
    """One message as posted; `status` and `answered_at` are None while it is not answered. Times in seconds."""

    webhook_id: str | None
    at: float
    verified: bool
    status: int | None = None
    answered_at: float | None = None


@dataclass
class State:
    """What the receiver remembers."""

    messages: dict[str, Received] = field(default_factory=dict)
    attempts: deque[Attempt] = field(default_factory=lambda: deque(maxlen=KEPT))
    behaviour: Behaviour = field(default_factory=lambda: Behaviour(status=200, times=0))

    def accept(self, webhook_id: str, message: Any) -> None:
        """Keep a message; a repeat is only counted."""
        known = self.messages.get(webhook_id)
        if known is not None:
            known.times += 1
            return
        self.messages[webhook_id] = Received(webhook_id, time.time(), message)
        for oldest in list(itertools.islice(self.messages, max(0, len(self.messages) - KEPT))):
            del self.messages[oldest]

    def next_behaviour(self) -> Behaviour | None:
        """What was ordered for this request, if anything."""
        ordered = self.behaviour
        if ordered.times is None:
            return ordered
        if ordered.times == 0:
            return None
        self.behaviour = ordered.model_copy(update={"times": ordered.times - 1})
        return ordered


def build_app(secret: str) -> FastAPI:
    """The receiver with nothing received yet."""
    app = FastAPI(title="Stand-in webhook receiver")
    state = State()
    webhooks = [Webhook(each) for each in secret.split()]
    health = Health()
    health.part("receiver").ok()
    app.router.routes.extend(routes(health))

    @app.get("/_messages")
    async def messages() -> list[dict[str, Any]]:
        """All accepted messages, each once."""
        return [asdict(received) for received in state.messages.values()]

    @app.get("/_attempts")
    async def attempts() -> list[dict[str, Any]]:
        """All messages that were posted."""
        return [asdict(attempt) for attempt in state.attempts]

    @app.post("/_control", status_code=204)
    async def control(behaviour: Behaviour) -> None:
        """From now on, behave like this."""
        state.behaviour = behaviour

    @app.post("/{path:path}")
    async def receive(request: Request) -> Response:
        """Verify, keep, answer 204; or whatever was ordered."""
        body = await request.body()
        message = _verified(webhooks, body, dict(request.headers))
        attempt = Attempt(request.headers.get("webhook-id"), time.time(), verified=message is not None)
        state.attempts.append(attempt)
        ordered = state.next_behaviour()
        answer = Response(status_code=204)
        if ordered is not None:
            await asyncio.sleep(ordered.delay_s)
            answer = _as_ordered(ordered)
        elif message is None:
            answer = Response(status_code=401)
        if message is not None and answer.status_code < 300:
            state.accept(attempt.webhook_id or "", message)
        attempt.status, attempt.answered_at = answer.status_code, time.time()
        return answer

    return app


def _verified(webhooks: list[Webhook], body: bytes, headers: dict[str, str]) -> Any | None:
    """The message, None if the reference library refuses it with every secret."""
    for webhook in webhooks:
        with contextlib.suppress(WebhookVerificationError, ValueError):
            webhook.verify(body, headers, json_parse=False)
            return json.loads(body)
    return None


def _as_ordered(behaviour: Behaviour) -> Response:
    named = {"retry-after": behaviour.retry_after, "location": behaviour.location}
    headers = {name: value for name, value in named.items() if value is not None}
    return Response(behaviour.body, behaviour.status, headers)


def main() -> None:
    """Serve until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, help="instead of TIDEGATE_DEMO_RECEIVER_PORT; 0 takes any free one")
    options = parser.parse_args()
    settings = load(ReceiverSettings, os.environ)
    logs.configure("receiver", settings.log_level)
    port = settings.demo_receiver_port if options.port is None else options.port
    bound = listen(settings.http_host, port, variable("demo_receiver_port"))
    asyncio.run(serve_app(build_app(settings.demo_webhook_secret.get_secret_value()), bound))


if __name__ == "__main__":
    main()
