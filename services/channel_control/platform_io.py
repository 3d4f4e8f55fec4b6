"""The platforms over HTTP: sends what their adapters ask for, each call within one deadline and told in few words."""

import asyncio
import logging
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import closing
from typing import Any, Final

import httpx

from schemas.channels import WantedState
from services.channel_control import metrics
from services.channel_control.adapter import Adapter, Exchange, Request, Response
from services.channel_control.addresses import DEFAULT, Address
from services.channel_control.reachability import Sights
from services.channel_control.reconcile import CONFLICT, FROZEN, Answer, Call, Seen, Trouble

log = logging.getLogger(__name__)

MAX_ANSWER_BYTES: Final = 256 * 1024
NO_PLATFORM: Final = "no_platform"
"""The kind of trouble where the directory names a platform that the list has not."""


class Platforms:
    """One client for all of them, by name. Every call ends within the deadline, and with an answer or a Trouble."""

    def __init__(self, adapters: Mapping[str, Adapter], deadline_s: float, sights: Sights | None = None) -> None:
        self._adapters = adapters
        self._deadline_s = deadline_s
        self._sights = sights
        self._client: httpx.AsyncClient | None = None
        self._users = 0
        self._untried = [(name, adapter.kind) for name, adapter in adapters.items() if not adapter.tried]

    async def open(self) -> None:
        """Makes ready to call, for one more user; connections are made when they are needed."""
        self._users += 1
        if self._client is not None:
            return
        while self._untried:
            name, kind = self._untried.pop()
            fields = {"platform": name, "kind": kind}
            log.warning("this adapter has not been tried against the live service yet", extra=fields)
        self._client = httpx.AsyncClient(
            timeout=self._deadline_s,
            follow_redirects=False,
            trust_env=False,
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=20),
        )

    async def close(self) -> None:
        """Gives the connections up, when the last user goes."""
        self._users = max(0, self._users - 1)
        if self._client is not None and not self._users:
            await self._client.aclose()
            self._client = None

    def name_of(self, address: Address) -> str | None:
        """Which platform serves an address; None: none does. The default alone serves all."""
        if address.platform in self._adapters:
            return address.platform
        return DEFAULT if set(self._adapters) == {DEFAULT} else None

    def away(self, address: Address) -> str | None:
        """The platform that serves an address, if it is away."""
        name = self.name_of(address)
        if name is None or self._sights is None or not self._sights.is_away(name, time.monotonic()):
            return None
        return name

    def rests(self, address: Address) -> bool:
        """Whether the platform that serves an address has asked to be left alone: no time for what can wait."""
        name = self.name_of(address)
        return name is not None and self._sights is not None and self._sights.rests(name, time.monotonic())

    async def call(
        self, call: Call, wanted: WantedState, address: Address, key: str, may_send: Callable[[], bool] = lambda: True
    ) -> Answer:
        """Asks for the target, or puts what is wanted of it under an idempotency key. `may_send` is asked before each
        request of the call."""
        name = self.name_of(address)
        if name is None:
            return Trouble(
                NO_PLATFORM, f"no platform is called {address.platform}", zh=f"没有名为 {address.platform} 的平台"
            )
        began = time.perf_counter()
        answer = await self._answer(_asked(self._adapters[name], call, wanted, address, key), may_send)
        metrics.CALL_SECONDS.observe(time.perf_counter() - began)
        if self._sights is not None:
            self._sights.heard(name, answer, time.monotonic())
        metrics.CALLS.labels(call, answer.kind if isinstance(answer, Trouble) else "ok").inc()
        metrics.PLATFORM_UP.labels(name).set(isinstance(answer, Seen) or answer.kind == CONFLICT)
        return answer

    async def _answer(self, exchange: Exchange[Answer], may_send: Callable[[], bool]) -> Answer:
        try:
            # One deadline for the whole: httpx's own are for each read, and a slow drip would meet them all.
            with closing(exchange):
                async with asyncio.timeout(self._deadline_s):
                    return await self._run(exchange, may_send)
        except TimeoutError:
            limit = f"{self._deadline_s:g}"
            return Trouble("timeout", f"the platform did not answer within {limit} s", zh=f"平台在 {limit} 秒内无应答")
        except httpx.TransportError as error:
            name = type(error).__name__
            return Trouble("unreachable", f"the platform cannot be reached ({name})", zh=f"无法连接平台（{name}）")
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError) as error:
            name = type(error).__name__
            return Trouble(
                "bad_answer", f"the platform's answer cannot be understood ({name})", zh=f"无法理解平台的答复（{name}）"
            )

    async def _run(self, exchange: Generator[Request, Response, Answer], may_send: Callable[[], bool]) -> Answer:
        response: Any = None
        while True:
            try:
                request = exchange.send(response)
            except StopIteration as end:
                answer: Answer = end.value
                return answer
            if not may_send():
                return Trouble(FROZEN, "the process was frozen", zh="进程曾被挂起")
            response = await self._send(request)

    async def _send(self, request: Request) -> Response:
        if self._client is None:
            raise RuntimeError("the platforms' client is not open")
        ready = self._client.build_request(
            request.method, request.url, content=request.body or None, headers=dict(request.headers)
        )
        response = await self._client.send(ready, stream=True)
        try:
            body = bytearray()
            async for chunk in response.aiter_bytes():
                body += chunk
                if len(body) > MAX_ANSWER_BYTES:
                    break
            return Response(response.status_code, response.headers, bytes(body))
        finally:
            await response.aclose()


def _asked(adapter: Adapter, call: Call, wanted: WantedState, address: Address, key: str) -> Exchange[Answer]:
    if call == "ask":
        return (yield from adapter.read(wanted.target, address.campaigns))
    trouble = yield from adapter.apply(wanted, address.campaigns, key)
    return Seen(None) if trouble is None else trouble  # what it kept is read back in any case
