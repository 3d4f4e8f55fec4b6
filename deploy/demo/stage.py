"""A running system and the ways to it: what a sender, an operator, a platform and a person on call would use."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any, TypeVar

import httpx

from deploy.demo.stories import Event
from deploy.launcher.secrets import ROLES
from deploy.launcher.system import System
from services.cli.replay.replay_io import tell_end, tell_time
from services.runtime.kafka.kafka_io import producer
from services.runtime.settings import CommonSettings

PATIENCE_S = 30.0
T = TypeVar("T")


class NotSeenError(Exception):
    """Something that must happen did not, in time."""


class Stage:
    """Everything over real HTTP, save for the time of the `events` clock, which goes to Kafka."""

    def __init__(self, system: System, settings: CommonSettings) -> None:
        self._settings = settings
        self._kafka: Any = None
        self._gateway = _client(system.url("gateway"), system.secrets.token("demo"))
        self._console = _client(system.url("console"), system.secrets.token("operator"))
        self._tokens = {role: system.secrets.token(role) for role in ROLES}
        self._platform = _client(system.url("platform"))
        self._receiver = _client(system.url("receiver"))
        self.sent_at: dict[str, float] = {}
        """By event id, when its request began (seconds since the epoch)."""

    async def __aenter__(self) -> Stage:
        self._kafka = producer(self._settings)
        await self._kafka.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._kafka.stop()
        for client in (self._gateway, self._console, self._platform, self._receiver):
            await client.aclose()

    async def send(self, events: list[Event]) -> None:
        """Hands events to the gateway; raises httpx.HTTPStatusError if it refuses."""
        now = time.time()
        self.sent_at |= {event["event_id"]: now for event in events}
        body = "\n".join(json.dumps(event) for event in events)
        answer = await self._gateway.post("/v1/events", content=body, headers={"Content-Type": "application/x-ndjson"})
        answer.raise_for_status()

    async def tell_time(self, at: datetime) -> None:
        """How far the story has come."""
        await tell_time(self._kafka, self._settings, at)

    async def tell_end(self) -> None:
        """Nothing more comes."""
        await tell_end(self._kafka, self._settings)

    async def state(self, target: str) -> dict[str, Any] | None:
        """A target's state as the console shows it."""
        answer = await self._console.get(f"/api/v1/channels/{target}")
        return None if answer.status_code == 404 else _json(answer)

    async def targets(self, kind: str) -> list[dict[str, Any]]:
        """All targets of a kind."""
        found: list[dict[str, Any]] = _json(await self._console.get("/api/v1/channels", params={"kind": kind}))[
            "channels"
        ]
        return found

    async def audit(self, target: str) -> list[dict[str, Any]]:
        """What the audit holds of a target, the newest first."""
        found: list[dict[str, Any]] = _json(
            await self._console.get("/api/v1/audit", params={"target": target, "limit": 500})
        )["audit"]
        return found

    async def approvals(self) -> list[dict[str, Any]]:
        """What waits for a yes or no."""
        found: list[dict[str, Any]] = _json(await self._console.get("/api/v1/approvals"))["approvals"]
        return found

    async def order(self, word: str, role: str = "operator", **body: Any) -> dict[str, Any]:
        """An order of someone in this role, with what came of it."""
        headers = {"Authorization": f"Bearer {self._tokens[role]}"}
        answer = await self._console.post(f"/api/v1/orders/{word}", params={"wait": 10}, json=body, headers=headers)
        found: dict[str, Any] = _json(answer)
        return found

    async def on_platform(self, target: str) -> dict[str, Any] | None:
        """A target as the platform has it."""
        states: list[dict[str, Any]] = _json(await self._platform.get("/_targets"))
        return next((state for state in states if state["target"] == target), None)

    async def orders_to_platform(self, target: str) -> list[dict[str, Any]]:
        """What the platform was told to do with a target and did, in order."""
        calls: list[dict[str, Any]] = _json(await self._platform.get("/_calls"))
        return [call for call in calls if call["target"] == target and call["applied"]]

    async def press(self, link: str) -> tuple[str, str]:
        """Whoever has a message follows its link and presses the button: what the two pages say."""
        async with httpx.AsyncClient(timeout=30) as anyone:
            return _page(await anyone.get(link)), _page(await anyone.post(link))

    async def alert(self, alert_id: str) -> dict[str, Any]:
        """An alert as the console shows it."""
        found: dict[str, Any] = _json(await self._console.get(f"/api/v1/alerts/{alert_id}"))
        return found

    async def webhooks(self, indicator: str | None = None) -> list[dict[str, Any]]:
        """What the receiver was told of each alert (of an indicator), all verified by the reference library."""
        received: list[dict[str, Any]] = _json(await self._receiver.get("/_messages"))
        told = [{**each, "message": one} for each in received for one in _one_by_one(each["message"])]
        return [each for each in told if indicator in (None, each["message"]["data"]["indicator"])]


def _one_by_one(message: dict[str, Any]) -> list[dict[str, Any]]:
    """A message that tells of several alerts, as if there were one for each."""
    if "group" not in message:
        return [message]
    links = message.get("links")
    return [{"type": line["change"], "data": line, "links": links} for line in message["group"]["alerts"]]


def _client(url: str, token: str | None = None) -> httpx.AsyncClient:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return httpx.AsyncClient(base_url=url, headers=headers, timeout=30)


def _page(answer: httpx.Response) -> str:
    answer.raise_for_status()
    return answer.text


def _json(answer: httpx.Response) -> Any:
    answer.raise_for_status()
    return answer.json()


async def until(look: Callable[[], Awaitable[T | None]], what: str, patience_s: float = PATIENCE_S) -> T:
    """The first thing that `look` finds; NotSeenError that names `what` when the patience is over."""
    deadline = time.monotonic() + patience_s
    while time.monotonic() < deadline:
        if found := await look():
            return found
        await asyncio.sleep(0.05)
    raise NotSeenError(f"not within {patience_s:.0f} s: {what}")


def require(holds: object, otherwise: str) -> None:
    """Raises NotSeenError that says `otherwise` unless it holds."""
    if not holds:
        raise NotSeenError(otherwise)
