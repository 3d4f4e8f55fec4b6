"""What the demonstration looks for, each way of looking by what a sender, an operator or a platform would see."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from itertools import groupby
from typing import Any, Literal

from deploy.demo.stage import NotSeenError, Stage, require, until
from deploy.demo.stories import Event
from deploy.demo.story import Day
from deploy.demo.timeline import Timeline

Finding = dict[str, Any]
Change = Literal["opened", "updated", "resolved"]


class Looks:
    """Everything waits until it is seen, and says what was seen; NotSeenError if it does not come."""

    def __init__(self, stage: Stage, day: Day, timeline: Timeline) -> None:
        self.day = day
        self._stage, self._timeline = stage, timeline

    async def check(self, what: str, looking: Awaitable[str]) -> None:
        """A step of the story."""
        await self._timeline.check(what, looking)

    def sent(self, wanted: Callable[[Event], bool], nth: int = 1) -> float:
        """When the nth such event was sent, usually the one that must trip."""
        return self._stage.sent_at[[event for event in self.day.events if wanted(event)][nth - 1]["event_id"]]

    # -- orders and what comes of them

    async def ordered(self, target: str, command: str, begun: float | None = None, outcome: str = "done") -> str:
        """An order in the audit, with what was made of it: `done`, `waiting` or, of a call to people, `recorded`."""

        async def look() -> Finding | None:
            records = await self._stage.audit(target)
            return next((r for r in records if r["what"] == command and r["outcome"] == outcome), None)

        record = await until(look, f"{command} of {target} in the audit: {outcome}")
        return f"ordered by {record['who']}{_after(record['at'], begun)}"

    async def confirmed(self, target: str, status: str, begun: float | None = None) -> str:
        """A target's status, the same in the console and on the platform."""

        async def look() -> Finding | None:
            state, there = await self._stage.state(target), await self._stage.on_platform(target)
            same = state and there and state["platform"]["confirmed"] == there["status"] == status
            return state if same else None

        state = await until(look, f"{target} {status} on the platform")
        return f"{status}, generation {state['generation']}{_after(state['platform']['confirmed_at'], begun)}"

    async def held(self, kind: str, indicator: str, status: str, count: int, begun: float | None = None) -> str:
        """Exactly so many targets of a kind held by an indicator, all confirmed by the platform."""

        async def look() -> list[Finding] | None:
            states = [
                state
                for state in await self._stage.targets(kind)
                if state["platform"]["confirmed"] == status
                and any(hold["indicator"] == indicator for hold in state["holds"])
            ]
            return states if len(states) >= count else None

        states = await until(look, f"{count} targets {kind} {status}, confirmed")
        require(len(states) == count, f"{len(states)} targets {kind} are {status}")
        return f"{count} confirmed{_after(max(state['platform']['confirmed_at'] for state in states), begun)}"

    async def opened(self, target: str, share: float) -> str:
        """A step of a ramp: the platform was ordered to let so much through, and each time before it a little less."""

        async def look() -> list[float] | None:
            calls = await self._stage.orders_to_platform(target)
            factors = [factor for factor, _ in groupby(call["factor"] for call in calls)]
            return factors[: factors.index(share) + 1] if share in factors else None

        path = await until(look, f"{target} opened to {share:.0%}")
        require(path == sorted(set(path)), f"the platform was ordered {path}")
        return " → ".join(f"{each:.0%}" for each in path)

    async def lifted(self, target: str) -> str:
        """Nothing holds a target any more, and it was no person who lifted the last hold."""

        async def look() -> Finding | None:
            state = await self._stage.state(target)
            return state if state is not None and not state["holds"] else None

        state = await until(look, f"{target} without a hold")
        last = (await self._stage.audit(target))[0]
        require(last["who"] == "reconciler", f"the last word was of {last['who']}")
        return f"{state['status']}, generation {state['generation']}"

    async def still(self, target: str, status: str) -> str:
        """A target as it stands."""
        state = await self._stage.state(target)
        require(state is not None and state["status"] == status, f"{target} is {state and state['status']}")
        return f"{target} is {status}"

    async def stopped(self, channels: Sequence[str], count: int) -> str:
        """So many of these channels, whichever came first, are paused and confirmed; the others run."""

        async def look() -> list[str] | None:
            states = [await self._stage.state(f"channel:{name}") for name in channels]
            paused = [s["target"] for s in states if s and s["status"] == s["platform"]["confirmed"] == "paused"]
            return paused if len(paused) >= count else None

        paused = await until(look, f"{count} of {', '.join(channels)} paused")
        require(len(paused) == count, f"paused are {paused}")
        return ", ".join(paused)

    async def held_back(self, channels: Sequence[str], count: int) -> str:
        """For so many of these channels an indicator's pause waits for two people by the governor's word."""

        async def look() -> set[str] | None:
            waiting = await self._held_back(channels)
            return set(waiting) if len(waiting) >= count else None

        waiting = await until(look, f"{count} of {', '.join(channels)} held back")
        require(len(waiting) == count, f"held back are {waiting}")
        running = [await self.still(target, "running") for target in sorted(waiting)]
        return ", ".join(running)

    async def _held_back(self, channels: Sequence[str]) -> dict[str, Finding]:
        """By target, its request."""
        targets = {f"channel:{name}" for name in channels}
        requests = [each for each in await self._stage.approvals() if each["target"] in targets]
        return {each["target"]: each for each in requests if each["hold"]["claim"] == "declined"}

    async def agreed(self, channels: Sequence[str]) -> str:
        """An approver and an admin say yes to one of what the governor held back, and it acts."""
        target = min(await self._held_back(channels))
        for role, expected in (("approver", "waiting"), ("admin", "done")):
            request = (await self._held_back(channels))[target]
            seen = {"target": target, "expected_generation": request["generation"]}
            hold_ids = [request["hold"]["hold_id"]]
            answer = await self._stage.order("approve", role, **seen, hold_ids=hold_ids, note="the complaints are real")
            require(answer["outcome"] == expected, f"the {role} was answered with {answer['outcome']}")
        return await self.confirmed(target, "paused")

    async def no_orders(self, target: str) -> str:
        """A target of which no indicator ordered anything."""
        records = await self._stage.audit(target)
        orders = [record["what"] for record in records if record["who"].startswith("indicator:")]
        require(not orders, f"ordered: {orders}")
        return "the audit has no order"

    # -- people

    async def told(
        self, indicator: str, change: Change, subject: str | None = None, begun: float | None = None, level: int = 0
    ) -> str:
        """A webhook of an indicator, about a subject where one is named, from a level on."""

        def fits(message: Finding) -> bool:
            data = message["data"]
            about = subject in (None, data["subject"])
            return about and message["type"] == f"alert.{change}" and data["level"] >= level

        async def look() -> Finding | None:
            return next((w for w in await self._stage.webhooks(indicator) if fits(w["message"])), None)

        webhook = await until(look, f"a webhook {change} of {indicator}")
        words = webhook["message"]["data"]["title"]
        return f"“{words['en']}” / “{words['zh']}”{_seconds(webhook['at'], begun)}, signature verified"

    async def told_once(self, indicator: str, subject: str) -> str:
        """People are told of one alert of an indicator, however much it is about."""
        title = await self.told(indicator, "opened", subject)
        alerts = {webhook["message"]["data"]["alert_id"] for webhook in await self._stage.webhooks(indicator)}
        require(len(alerts) == 1, f"told of {len(alerts)} alerts")
        alert = await self._stage.alert(alerts.pop())
        return f"{title}. {alert['summary']['en']}"

    async def told_only(self, indicator: str, changes: set[Change]) -> str:
        """People were told of nothing but these changes."""
        kinds = [webhook["message"]["type"].removeprefix("alert.") for webhook in await self._stage.webhooks(indicator)]
        require(set(kinds) <= changes, f"told: {kinds}")
        return f"told were {', '.join(kinds)}"

    async def acknowledged(self, indicator: str, subject: str) -> str:
        """Whoever has the last message presses the button behind its link; the alert then has a name on it."""
        messages = [webhook["message"] for webhook in await self._stage.webhooks(indicator)]
        message = [each for each in messages if each["data"]["subject"] == subject][-1]
        asked, given = await self._stage.press(message["links"]["acknowledge"])
        require("<form" in asked, "the page has no button")
        require("<form" not in given, "the button is still there")

        async def look() -> Finding | None:
            alert = await self._stage.alert(message["data"]["alert_id"])
            return alert if alert["acknowledged_by"] else None

        alert = await until(look, f"the alert of {indicator} acknowledged")
        return f"acknowledged by {alert['acknowledged_by']}"

    async def resumed(self, target: str) -> str:
        """An operator asks to lift all holds, and two others agree."""
        state = await self._stage.state(target)
        if state is None:
            raise NotSeenError(f"{target} is unknown")
        holds = [hold["hold_id"] for hold in state["holds"]]
        order = {"target": target, "expected_generation": state["generation"], "hold_ids": holds}
        answer = await self._stage.order("resume", **order, note="called the platform, campaign changed")
        for role, expected in (("approver", "waiting"), ("admin", "done")):
            require(answer["outcome"] == "waiting", f"the order was answered with {answer['outcome']}")
            audit = answer["audit"]
            seen = {"target": target, "expected_generation": audit["generation"]}
            answer = await self._stage.order(
                "approve", role, **seen, hold_ids=[audit["detail"]["request"]["request_id"]]
            )
            require(answer["outcome"] == expected, f"the approval was answered with {answer['outcome']}")
        return f"done, {len(holds)} hold lifted, two people agreed"

    async def decided(self, word: Literal["approve", "reject"], target: str, indicator: str, note: str) -> str:
        """An approver says yes or no to what an indicator asked for."""

        async def look() -> Finding | None:
            requests = (each for each in await self._stage.approvals() if each["target"] == target)
            return next((each for each in requests if each["hold"]["indicator"] == indicator), None)

        request = await until(look, f"{target} in the list of what waits")
        hold, seen = request["hold"], {"target": target, "expected_generation": request["generation"]}
        answer = await self._stage.order(word, "approver", **seen, hold_ids=[hold["hold_id"]], note=note)
        require(answer["outcome"] == "done", f"the order was answered with {answer['outcome']}")
        return f"{hold['kind']} of {target}, “{note}”"

    async def nothing_else(self, subjects: dict[str, set[str]]) -> str:
        """All that people were told is of these indicators and, of those that name any, about these subjects."""
        received = [webhook["message"]["data"] for webhook in await self._stage.webhooks()]
        found = {(data["indicator"], data["subject"]) for data in received}
        wrong = sorted(
            (indicator, subject)
            for indicator, subject in found
            if indicator not in subjects or (subjects[indicator] and subject not in subjects[indicator])
        )
        require(not wrong, f"told besides: {wrong}")
        return f"{len(received)} messages of {len({indicator for indicator, _ in found})} indicators"


def _after(at: str, begun: float | None) -> str:
    return _seconds(datetime.fromisoformat(at).timestamp(), begun)


def _seconds(at: float, begun: float | None) -> str:
    return "" if begun is None else f", {max(0.0, at - begun):.2f} s after it was sent"
