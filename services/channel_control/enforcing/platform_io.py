"""The platforms: sends what their adapters ask for, each call within one deadline and told in few words."""

import asyncio
import importlib
import logging
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from typing import Any, Final

from schemas.channels import WantedState
from services.channel_control import metrics
from services.channel_control.adapter import Adapter, Exchange, LibraryCall, Line, Response
from services.channel_control.enforcing.addresses import DEFAULT, Address
from services.channel_control.enforcing.reachability import Sights
from services.channel_control.enforcing.reconcile import CONFLICT, FROZEN, Answer, Call, Seen, Trouble
from services.channel_control.lines.http_io import HttpLine
from services.runtime.http.outgoing import Request
from services.runtime.tracing import traces, traces_io

log = logging.getLogger(__name__)

LineMaker = Callable[[str, float], Line]
NO_PLATFORM: Final = "no_platform"
"""The kind of trouble where the directory names a platform that the list has not."""


class Platforms:
    """All of them, by name. Every call ends within the deadline, and with an answer or a Trouble."""

    def __init__(self, adapters: Mapping[str, Adapter], deadline_s: float, sights: Sights | None = None) -> None:
        self._adapters = adapters
        self._deadline_s = deadline_s
        self._sights = sights
        # Before the loop runs, which a library's import would hold up for a second or two.
        self._makers = {name: _maker(each.kind) for name, each in adapters.items() if each.library is not None}
        self._http: HttpLine | None = None
        self._lines: dict[str, Line] = {}
        self._users = 0
        self._untried = [(name, adapter.kind) for name, adapter in adapters.items() if not adapter.tried]

    async def open(self) -> None:
        """Makes ready to call, for one more user; connections are made when they are needed."""
        self._users += 1
        if self._http is not None:
            return
        while self._untried:
            name, kind = self._untried.pop()
            fields = {"platform": name, "kind": kind}
            log.warning("this adapter has not been tried against the live service yet", extra=fields)
        self._http = HttpLine(self._deadline_s)
        self._lines = {name: make(self._adapters[name].url, self._deadline_s) for name, make in self._makers.items()}

    async def close(self) -> None:
        """Gives the connections up, when the last user goes."""
        self._users = max(0, self._users - 1)
        if self._http is not None and not self._users:
            lines, self._lines, http, self._http = self._lines, {}, self._http, None
            await http.close()
            for line in lines.values():
                await line.close()

    @property
    def one_for_all(self) -> bool:
        """Whether the default serves every address, since there is no other platform."""
        return set(self._adapters) == {DEFAULT}

    def name_of(self, address: Address) -> str | None:
        """Which platform serves an address; None: none does."""
        if address.platform in self._adapters:
            return address.platform
        return DEFAULT if self.one_for_all else None

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
        with traces_io.call(f"platform {call}", platform=name) as span:
            answer = await self._answer(name, _asked(self._adapters[name], call, wanted, address, key), may_send)
            if isinstance(answer, Trouble):
                span.fail(answer.kind)
        metrics.CALL_SECONDS.observe(time.perf_counter() - began, traces.exemplar())
        if self._sights is not None:
            self._sights.heard(name, answer, time.monotonic())
        metrics.CALLS.labels(call, answer.kind if isinstance(answer, Trouble) else "ok").inc()
        metrics.PLATFORM_UP.labels(name).set(isinstance(answer, Seen) or answer.kind == CONFLICT)
        return answer

    async def _answer(self, name: str, exchange: Exchange[Answer], may_send: Callable[[], bool]) -> Answer:
        try:
            # One deadline for the whole: those of the lines are for each read, and a slow drip would meet them all.
            with closing(exchange):
                async with asyncio.timeout(self._deadline_s):
                    return await self._run(name, exchange, may_send)
        except TimeoutError:
            limit = f"{self._deadline_s:g}"
            return Trouble("timeout", f"the platform did not answer within {limit} s", zh=f"平台在 {limit} 秒内无应答")

    async def _run(self, name: str, exchange: Exchange[Answer], may_send: Callable[[], bool]) -> Answer:
        response: Any = None
        while True:
            try:
                request = exchange.send(response)
            except StopIteration as end:
                answer: Answer = end.value
                return answer
            if not may_send():
                return Trouble(FROZEN, "the process was frozen", zh="进程曾被挂起")
            response = await self._send(name, request)
            if isinstance(response, Trouble):
                return response

    async def _send(self, name: str, request: Request | LibraryCall) -> Response | Trouble:
        if self._http is None:
            raise RuntimeError("the platforms are not open")
        return await (self._http.send(request) if isinstance(request, Request) else self._lines[name].send(request))


def _maker(kind: str) -> LineMaker:
    make: LineMaker = importlib.import_module(f"services.channel_control.lines.{kind}_io").Line
    return make


def _asked(adapter: Adapter, call: Call, wanted: WantedState, address: Address, key: str) -> Exchange[Answer]:
    if call == "ask":
        return (yield from adapter.read(wanted.target, address.campaigns))
    trouble = yield from adapter.apply(wanted, address.campaigns, key)
    return Seen(None) if trouble is None else trouble  # what it kept is read back in any case
