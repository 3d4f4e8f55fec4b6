"""Runs the drill of an outage: plays the platform, and gives the orders by the console's API."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from socket import socket
from typing import Any, Final

import httpx
from pydantic import ValidationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from schemas.channels import ChannelState, WantedState
from services.cli.drill.course import Course
from services.cli.drill.outage import ELSEWHERE, UNTIL_CLEAR, UNTIL_TOLD, Outage, PlayedPlatform
from services.cli.drill.watch_io import Watch, watching
from services.cli.settings import CliSettings
from services.runtime.http import http_io

OUTCOME_S: Final = 30
"""How long the console waits for what came of an order."""
LET_GO_S: Final = 90.0
"""How much longer the platform is played for letting go: it outlives the longest usual pause between two attempts."""
SETTLED_S: Final = 2.0
"""By then an outage is over, and told, that was there before: nobody has played the platform since the last drill."""
_NOTE: Final = "a drill of an outage; nothing is wrong"


async def run(
    outage: Outage, within_s: float, settings: CliSettings, console: httpx.AsyncClient, bound: socket
) -> Course:
    """bound: where the platform is played. Raises httpx.HTTPError where the console does not take an order."""
    platform = PlayedPlatform(outage.target)
    async with (
        http_io.serving(app_of(platform), bound),
        watching(outage.drill(within_s), settings) as watch,
        _let_go(outage, platform, console, watch),
    ):
        await _order(console, "throttle", target=outage.target, factor=0.5)
        await watch.until(["there"])
        if platform.kept is None:
            watch.course.notes.append(ELSEWHERE)
            return watch.course
        await asyncio.sleep(SETTLED_S)
        platform.away = True
        watch.note("away")
        await _order(console, "pause", target=outage.target)
        await watch.until(UNTIL_TOLD)
        platform.away = False
        watch.note("back")
        await watch.until(UNTIL_CLEAR)
    return watch.course


@asynccontextmanager
async def _let_go(
    outage: Outage, platform: PlayedPlatform, console: httpx.AsyncClient, watch: Watch
) -> AsyncIterator[None]:
    """However it ends, the channel runs again, and the platform has confirmed it."""
    try:
        yield
    finally:
        platform.away = False
        answer = await console.get(f"/api/v1/channels/{outage.target}")
        if answer.status_code != 404:  # else nothing ever stood
            answer.raise_for_status()
            generation = ChannelState.model_validate_json(answer.content).generation
            await _order(console, "resume", target=outage.target, expected_generation=generation)
            await watch.until(["let go"], LET_GO_S)


async def _order(console: httpx.AsyncClient, word: str, **order: Any) -> None:
    answer = await console.post(f"/api/v1/orders/{word}", params={"wait": OUTCOME_S}, json={**order, "note": _NOTE})
    answer.raise_for_status()


def app_of(platform: PlayedPlatform) -> Starlette:
    """The generic platform's protocol."""

    async def put(request: Request) -> Response:
        try:
            wanted = WantedState.model_validate_json(await request.body())
        except ValidationError:
            return Response(status_code=422)
        return Response(status_code=platform.put(wanted))

    async def get(request: Request) -> Response:
        status, kept = platform.get(request.path_params["target"])
        return Response(status_code=status) if kept is None else JSONResponse(kept.model_dump(mode="json"), status)

    path = "/v1/targets/{target:path}"
    return Starlette(routes=[Route(path, put, methods=["PUT"]), Route(path, get, methods=["GET"])])
