"""HTTP in a running event loop: /healthz, /readyz and /metrics of every service, and the apps of those that have one.

    socket = listen(settings.http_host, settings.ingest_port, "TIDEGATE_INGEST_PORT")
    server = HttpServer(health_app(health), socket)
    await server.start()
    …
    await server.stop()

uvicorn's own `serve` would take the signal handlers and wake up ten times a second; this does neither.
"""

import asyncio
import contextlib
import logging
import signal
import socket
import sys
from collections.abc import AsyncIterator, Callable
from importlib.metadata import version
from typing import Any

import uvicorn
from prometheus_client import REGISTRY, CollectorRegistry
from prometheus_client.exposition import choose_encoder
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from services.runtime import metrics
from services.runtime.health import Health
from services.runtime.http.tls import ServerCertificate

log = logging.getLogger(__name__)

RENEW_S = 10.0
"""How often it is looked whether there is a new certificate."""
GRACE_S = 5
"""How long requests that are under way at the stop may take to end."""


def routes(health: Health, registry: CollectorRegistry = REGISTRY) -> list[BaseRoute]:
    """The three endpoints that all services have, for `app.router.routes.extend(…)`."""

    metrics.BUILD.info({"version": version("tidegate")})

    def answer(ok: bool) -> JSONResponse:
        parts = {state.name: state.reason or "ok" for state in health.states()}
        return JSONResponse({"ok": ok, "parts": parts}, status_code=200 if ok else 503)

    async def healthz(_: Request) -> Response:
        return answer(health.live())

    async def readyz(_: Request) -> Response:
        return answer(health.live() and health.ready())

    async def exposition(request: Request) -> Response:
        metrics.PART_OK.clear()
        for state in health.states():
            metrics.PART_OK.labels(state.name).set(state.live and state.ready)
        encode, content_type = choose_encoder(request.headers.get("accept", ""))
        return Response(encode(registry), headers={"content-type": content_type})

    return [Route("/healthz", healthz), Route("/readyz", readyz), Route("/metrics", exposition)]


def health_app(health: Health, registry: CollectorRegistry = REGISTRY) -> Starlette:
    """The app of a service that has no other HTTP."""
    return Starlette(routes=routes(health, registry))


def listen(host: str, port: int, setting: str) -> socket.socket:
    """A listening socket; port 0 takes any free one. Failing that, says why, naming `setting`, and exits with 2."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        bound = socket.socket(family, kind, protocol)
        try:
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            bound.bind(address)
            bound.listen(1024)
        except OSError:
            bound.close()
            raise
    except OSError as error:
        sys.stderr.write(f"cannot listen on {host}:{port} ({setting}): {error.strerror or error}\n")
        raise SystemExit(2) from None
    bound.setblocking(False)
    return bound


class HttpServer:
    """Serves an ASGI app on a listening socket, inside the running loop, until `stop`."""

    def __init__(
        self,
        app: Callable[..., Any],
        bound: socket.socket,
        *,
        limit_concurrency: int | None = None,
        certificate: ServerCertificate | None = None,
    ) -> None:
        self._socket = bound
        self._certificate = certificate
        self._renewal: asyncio.TimerHandle | None = None
        self.port: int = bound.getsockname()[1]
        config = uvicorn.Config(
            app,
            access_log=False,
            date_header=False,  # uvicorn renews it from the loop that we do without
            lifespan="on" if hasattr(app, "router") else "auto",
            limit_concurrency=limit_concurrency,
            log_config=None,
            proxy_headers=False,  # anyone may write X-Forwarded-For; by default it is believed of this machine
            server_header=False,
            timeout_graceful_shutdown=GRACE_S,
            ws="none",
        )
        self._server = uvicorn.Server(config)

    async def start(self) -> None:
        """Runs the app's startup and begins to answer."""
        config = self._server.config
        config.load()
        if self._certificate is not None:
            config.ssl = self._certificate.context
            self._renew_later(self._certificate)
        self._server.lifespan = config.lifespan_class(config)
        await self._server.startup(sockets=[self._socket])
        await self._server.on_tick(0)
        log.info("serving HTTP", extra={"host": self._socket.getsockname()[0], "port": self.port})

    async def stop(self) -> None:
        """Takes no more connections, lets requests under way end (5 s), runs the app's shutdown."""
        if self._renewal is not None:
            self._renewal.cancel()
        await self._server.shutdown(sockets=[self._socket])

    def _renew_later(self, certificate: ServerCertificate) -> None:
        """Takes up a new certificate soon after it is there; nobody is cut off."""

        def renew() -> None:
            try:
                if certificate.renew():
                    log.info("the certificate was renewed")
            except ValueError as error:
                log.error("the certificate cannot be renewed; the one before stays", extra={"problem": str(error)})
            self._renew_later(certificate)

        self._renewal = asyncio.get_running_loop().call_later(RENEW_S, renew)


@contextlib.asynccontextmanager
async def serving(app: Callable[..., Any], bound: socket.socket, **options: Any) -> AsyncIterator[HttpServer]:
    """Serves `app` for the length of a `with` block."""
    server = HttpServer(app, bound, **options)
    await server.start()
    try:
        yield server
    finally:
        await server.stop()


def stop_on_signals() -> asyncio.Event:
    """An event that SIGTERM or SIGINT sets; for the main coroutine to wait for."""
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    return stop


async def serve_app(app: Callable[..., Any], bound: socket.socket, **options: Any) -> None:
    """Serves `app` until SIGTERM or SIGINT, then ends gracefully."""
    stop = stop_on_signals()
    async with serving(app, bound, **options):
        await stop.wait()
