"""The play of `make demo`: sends the day's events, looks at what Tidegate does, and tells both in a timeline."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
from rich.console import Console

from deploy.demo.stage import NotSeenError, Stage, require, until
from deploy.demo.story import COMPLAINED_OF, FARMED, SHANGHAI, UNSOUND, Day, at_hour

TICK_S = 0.25
STORY_S = 50.0
"""Wall seconds for the whole story, the checks aside."""

Finding = dict[str, Any]


@dataclass
class Timeline:
    """What people read, and what was missing."""

    console: Console = field(default_factory=lambda: Console(highlight=False))
    missing: list[str] = field(default_factory=list)

    def heading(self, at: datetime, what: str) -> None:
        """Something that happens out there."""
        self.console.print(f"\n[bold]{at.astimezone(SHANGHAI):%H:%M}  {what}[/bold]")

    def line(self, mark: str, what: str) -> None:
        """Something that Tidegate did."""
        self.console.print(f"       {mark} {what}")

    async def check(self, what: str, looking: Awaitable[str]) -> None:
        """Waits for a step and tells of it; a step that does not come is kept as missing."""
        try:
            self.line("[green]✓[/green]", f"{what}: {await looking}")
        except (NotSeenError, httpx.HTTPError) as error:
            self.missing.append(what)
            self.line("[red]✗[/red]", f"{what}: {error}")


class Play:
    """The story on its stage."""

    def __init__(self, stage: Stage, day: Day, timeline: Timeline) -> None:
        self._stage, self._day, self._timeline = stage, day, timeline
        self._next, self._now = 0, day.begins
        self._speed = (day.ends - day.begins).total_seconds() / STORY_S

    async def run(self) -> None:
        """Everything that happens that day, with a look at each incident."""
        midnight = at_hour(self._day.begins.replace(hour=0), 0)
        headings = iter(self._day.moments)
        for hour, scene in (
            (10, None),
            (13, self.complaints),
            (16, self.clicks),
            (24, self.rate),
            (24.5, self.midnight),
        ):
            moment = next(headings)
            self._timeline.heading(moment.at, moment.what)
            await self._play_until(midnight + timedelta(hours=hour))
            if scene is not None:
                await scene()
        await self._stage.tell_end()

    async def _play_until(self, end: datetime) -> None:
        while self._now < end:
            began = time.monotonic()
            self._now = min(end, self._now + timedelta(seconds=self._speed * TICK_S))
            if batch := self._due():
                await self._stage.send(batch)
            await self._stage.tell_time(self._now)
            await asyncio.sleep(max(0.0, TICK_S - (time.monotonic() - began)))

    def _due(self) -> list[dict[str, Any]]:
        start = self._next
        limit = self._now.astimezone(UTC).isoformat()
        while self._next < len(self._day.events) and self._day.events[self._next]["occurred_at"] < limit:
            self._next += 1
        return self._day.events[start : self._next]

    # -- the incidents

    async def complaints(self) -> None:
        """The twentieth complaint pauses the channel; an operator lets it go on."""
        target, begun = f"channel:{COMPLAINED_OF}", self._sent("complaint_opened", COMPLAINED_OF, 20)
        await self._check("on call was warned at 12 complaints", self._told("complaint_volume", "alert.opened"))
        await self._check("the 20th complaint pauses the channel", self._ordered(target, "pause", begun))
        await self._check("the platform confirms the pause", self._confirmed(target, "paused", begun))
        await self._check("on call knows that it is critical", self._told("complaint_volume", "alert.updated", begun))
        await self._check("an operator resumes the channel", self._resumed(target))
        await self._check("the platform confirms that it runs", self._confirmed(target, "running", None))

    async def clicks(self) -> None:
        """The click farm and its accounts are frozen."""
        begun = self._sent("click", FARMED, 100, address=True)
        await self._check("the address is frozen", self._frozen("actor", 1, begun))
        await self._check("so are its three accounts", self._frozen("account", 3, begun))
        await self._check("on call has the trace", self._told("click_fraud", "alert.opened", begun))

    async def rate(self) -> None:
        """First slowing waits for a person, then the pause does not."""
        target = f"channel:{UNSOUND}"
        await self._check("at 2 % slowing is proposed and waits for a person", self._proposed(target))
        await self._check("at 5 % the channel is paused", self._ordered(target, "pause", None))
        await self._check("the platform confirms the pause", self._confirmed(target, "paused", None))
        await self._check("on call was told", self._told("complaint_rate", "alert.updated"))

    async def midnight(self) -> None:
        """A day's count ends; what a guardrail stopped stays stopped."""
        await self._check("the complaints alert is resolved", self._told("complaint_volume", "alert.resolved"))
        await self._check("yet nothing resumes by itself", self._still_paused(f"channel:{UNSOUND}"))

    # -- what is looked at

    async def _check(self, what: str, looking: Awaitable[str]) -> None:
        await self._timeline.check(what, looking)

    def _sent(self, type_: str, channel: str, nth: int, *, address: bool = False) -> float:
        """When the event that must trip was sent."""
        of_it = [e for e in self._day.events if e["type"] == type_ and e["channel_id"] == channel]
        if address:
            of_it = [event for event in of_it if "account_id" in event]
        return self._stage.sent_at[of_it[nth - 1]["event_id"]]

    async def _ordered(self, target: str, command: str, begun: float | None) -> str:
        async def look() -> Finding | None:
            records = await self._stage.audit(target)
            return next((r for r in records if r["what"] == command and r["outcome"] == "done"), None)

        record = await until(look, f"{command} of {target} in the audit")
        return f"ordered by {record['who']}{_after(record['at'], begun)}"

    async def _confirmed(self, target: str, status: str, begun: float | None) -> str:
        async def look() -> Finding | None:
            state, there = await self._stage.state(target), await self._stage.on_platform(target)
            same = state and there and state["platform"]["confirmed"] == there["status"] == status
            return state if same else None

        state = await until(look, f"{target} {status} on the platform")
        return f"{status}, generation {state['generation']}{_after(state['platform']['confirmed_at'], begun)}"

    async def _told(self, indicator: str, kind: str, begun: float | None = None) -> str:
        async def look() -> Finding | None:
            return next((w for w in await self._stage.webhooks(indicator) if w["message"]["type"] == kind), None)

        webhook = await until(look, f"a webhook {kind} of {indicator}")
        words = webhook["message"]["data"]["title"]
        return f"“{words['en']}” / “{words['zh']}”{_seconds(webhook['at'], begun)}, signature verified"

    async def _resumed(self, target: str) -> str:
        state = await self._stage.state(target)
        if state is None:
            raise NotSeenError(f"{target} is unknown")
        holds = [hold["hold_id"] for hold in state["holds"]]
        order = {"target": target, "expected_generation": state["generation"], "hold_ids": holds}
        outcome = (await self._stage.order("resume", **order, note="called the platform, campaign changed"))["outcome"]
        require(outcome == "done", f"the order was answered with {outcome}")
        return f"done, {len(holds)} hold lifted"

    async def _frozen(self, kind: str, count: int, begun: float) -> str:
        async def look() -> list[Finding] | None:
            states = [s for s in await self._stage.targets(kind) if s["platform"]["confirmed"] == "frozen"]
            return states if len(states) >= count else None

        states = await until(look, f"{count} frozen {kind}s, confirmed")
        require(len(states) == count, f"{len(states)} {kind}s are frozen")
        return f"confirmed{_after(max(state['platform']['confirmed_at'] for state in states), begun)}"

    async def _proposed(self, target: str) -> str:
        async def look() -> Finding | None:
            records = await self._stage.audit(target)
            return next((r for r in records if r["what"] == "throttle" and r["outcome"] == "waiting"), None)

        record = await until(look, f"a throttle of {target} that waits")
        return f"proposed by {record['who']}"

    async def _still_paused(self, target: str) -> str:
        state = await self._stage.state(target)
        require(state is not None and state["status"] == "paused", f"{target} is {state and state['status']}")
        return "paused until a person says otherwise"


def _after(at: str, begun: float | None) -> str:
    return _seconds(datetime.fromisoformat(at).timestamp(), begun)


def _seconds(at: float, begun: float | None) -> str:
    return "" if begun is None else f", {max(0.0, at - begun):.2f} s after it was sent"
