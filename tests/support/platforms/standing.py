"""What the stand-ins of all platforms have in common: they keep state, go wrong when told to, and share no code with
the adapters that are tried against them."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from services.runtime.http import http_io

Truth = tuple[Literal["running", "throttled", "paused"], float]
Handler = Callable[[Request, bytes], Awaitable[Response]]


@dataclass(frozen=True)
class Fault:
    """fail: answers `status`, does nothing. stall: does it, answers too late. lose: does it, breaks the connection.
    lie: answers a change as if it had been done. repeat: a change arrives twice. nonsense: answers something else."""

    kind: Literal["fail", "stall", "lose", "lie", "repeat", "nonsense"]
    status: int = 503
    retry_after: int | None = None
    writes_only: bool = False


class Lost(Response):
    """Promises a body and sends none, whereupon the server closes the connection."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"1")]})


class StandIn(ABC):
    """One platform, with what there is on it for one target."""

    kind: ClassVar[str]
    secrets: ClassVar[dict[str, str]]
    """By the name of an environment variable."""
    campaigns: ClassVar[tuple[str, ...]] = ()

    def __init__(self) -> None:
        self.faults: list[Fault] = []
        self.changes = 0
        """How often something was really changed."""
        self.freed = asyncio.Event()

    @abstractmethod
    def entry(self, url: str) -> dict[str, Any]:
        """What the list of platforms says of it."""

    @abstractmethod
    def routes(self) -> list[Route]:
        """Its addresses, made with `route`."""

    @abstractmethod
    def truth(self) -> Truth:
        """What really runs."""

    @abstractmethod
    def by_hand(self, *, on: bool) -> None:
        """Somebody stops it, or lets it run, on the platform's own pages."""

    def rate_limit(self) -> Fault:
        """How it says that there were too many calls, and to come back in 7 s."""
        return Fault("fail", 429, retry_after=7)

    def refusal(self, fault: Fault) -> Response:
        """How it fails."""
        headers = {} if fault.retry_after is None else {"Retry-After": str(fault.retry_after)}
        return JSONResponse({"error": "told to fail"}, fault.status, headers)

    def route(self, path: str, handler: Handler, method: str, *, writes: bool = False) -> Route:
        """An address that goes wrong as ordered."""

        async def serve(request: Request) -> Response:
            body = await request.body()
            fault = self._strike(writes)
            if fault is None or (fault.kind in ("lie", "repeat") and not writes):
                return await handler(request, body)
            return await self._wrong(fault, handler, request, body)

        return Route(path, serve, methods=[method])

    def _strike(self, writes: bool) -> Fault | None:
        for number, fault in enumerate(self.faults):
            if writes or not (fault.writes_only or fault.kind in ("lie", "repeat")):
                return self.faults.pop(number)
        return None

    async def _wrong(self, fault: Fault, handler: Handler, request: Request, body: bytes) -> Response:
        if fault.kind == "fail":
            return self.refusal(fault)
        if fault.kind == "nonsense":
            return Response("<html>an error page</html>", 200)
        if fault.kind == "lie":
            return self.pretend(body)
        answer = await handler(request, body)
        if fault.kind == "repeat":
            return await handler(request, body)
        if fault.kind == "stall":
            await self.freed.wait()
        return Lost() if fault.kind == "lose" else answer

    @asynccontextmanager
    async def front(self, url: str) -> AsyncIterator[str]:
        """Where it is called, if not by HTTP at the address of its routes."""
        yield url

    def pretend(self, body: bytes) -> Response:
        """The answer to a change that is not made."""
        return JSONResponse({"success": True})


@asynccontextmanager
async def serving(stand_in: StandIn) -> AsyncIterator[str]:
    """The stand-in on a port of its own; its address."""
    app = Starlette(routes=stand_in.routes())
    async with (
        http_io.serving(app, http_io.listen("127.0.0.1", 0, "port")) as server,
        stand_in.front(f"http://127.0.0.1:{server.port}") as url,
    ):
        yield url
        stand_in.freed.set()
