import asyncio
import json
import os
import signal
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest
from fastapi import FastAPI, Request
from prometheus_client import CollectorRegistry, Counter

from services.runtime import metrics
from services.runtime.health import Health
from services.runtime.http.http_io import health_app, listen, routes, serve_app, serving


@pytest.fixture
def health() -> Health:
    return Health()


@asynccontextmanager
async def client(bound: socket.socket) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{bound.getsockname()[1]}") as http:
        yield http


async def test_health_and_metrics_are_served_on_any_free_port(health: Health) -> None:
    registry = CollectorRegistry()
    Counter("tidegate_probe", "Probe.", registry=registry).inc(3)
    registry.register(metrics.PART_OK)
    part = health.part("broker")
    bound = listen("127.0.0.1", 0, "TIDEGATE_X_PORT")
    async with serving(health_app(health, registry), bound) as server, client(bound) as http:
        assert server.port > 0
        ready = await http.get("/readyz")
        assert (ready.status_code, ready.json()) == (503, {"ok": False, "parts": {"broker": "starting"}})
        assert (await http.get("/healthz")).status_code == 200
        part.ok()
        ready = await http.get("/readyz")
        assert (ready.status_code, ready.json()) == (200, {"ok": True, "parts": {"broker": "ok"}})
        part.broken("fenced")
        assert (await http.get("/healthz")).json() == {"ok": False, "parts": {"broker": "fenced"}}
        text = (await http.get("/metrics")).text
        assert "tidegate_probe_total 3.0" in text
        assert 'tidegate_health_part_ok{part="broker"} 0.0' in text
    with listen("127.0.0.1", server.port, "TIDEGATE_X_PORT") as again:
        assert again.getsockname()[1] == server.port


async def test_an_app_with_a_lifespan_gets_the_endpoints_too(health: Health) -> None:
    seen: list[str] = []

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        seen.append("up")
        yield
        seen.append("down")

    app = FastAPI(lifespan=lifespan)
    app.router.routes.extend(routes(health))
    health.part("app").ok()
    bound = listen("127.0.0.1", 0, "TIDEGATE_X_PORT")
    async with serving(app, bound), client(bound) as http:
        assert seen == ["up"]
        assert (await http.get("/readyz")).status_code == 200
        assert (await http.get("/openapi.json")).json()["paths"] == {}
    assert seen == ["up", "down"]


async def test_sigterm_ends_the_server_after_the_request_under_way() -> None:
    app = FastAPI()
    begun = asyncio.Event()
    finish = asyncio.Event()

    @app.get("/slow")
    async def slow() -> str:
        begun.set()
        await finish.wait()
        return "done"

    bound = listen("127.0.0.1", 0, "TIDEGATE_X_PORT")
    server = asyncio.create_task(serve_app(app, bound))
    async with client(bound) as http:
        answer = asyncio.create_task(http.get("/slow"))
        await begun.wait()
        os.kill(os.getpid(), signal.SIGTERM)
        while bound.fileno() >= 0:  # noqa: ASYNC110 - a socket that closes tells nobody
            await asyncio.sleep(0)
        finish.set()
        assert json.loads((await answer).text) == "done"
        await asyncio.wait_for(server, 5)
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().remove_signal_handler(number)


def test_a_port_in_use_is_named_and_ends_the_start(capsys: pytest.CaptureFixture[str]) -> None:
    with listen("127.0.0.1", 0, "TIDEGATE_X_PORT") as taken:
        port = taken.getsockname()[1]
        with pytest.raises(SystemExit) as caught:
            listen("127.0.0.1", port, "TIDEGATE_X_PORT")
    assert caught.value.code == 2
    assert capsys.readouterr().err == (f"cannot listen on 127.0.0.1:{port} (TIDEGATE_X_PORT): Address already in use\n")


def test_a_host_that_is_none_of_ours_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        listen("192.0.2.1", 0, "TIDEGATE_HTTP_HOST")
    assert "cannot listen on 192.0.2.1:0 (TIDEGATE_HTTP_HOST): " in capsys.readouterr().err


async def test_an_address_in_a_header_is_not_believed() -> None:
    app = FastAPI()

    @app.get("/from")
    async def whence(request: Request) -> dict[str, str | None]:
        return {"host": request.client.host if request.client else None, "scheme": request.url.scheme}

    said = {"X-Forwarded-For": "203.0.113.9", "X-Forwarded-Proto": "https", "Forwarded": "for=203.0.113.9"}
    bound = listen("127.0.0.1", 0, "TIDEGATE_X_PORT")
    async with serving(app, bound), client(bound) as http:
        assert (await http.get("/from", headers=said)).json() == {"host": "127.0.0.1", "scheme": "http"}
