"""One alert for a platform that is away, whatever waits and in whichever partition; resolved when nothing does."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from schemas.topics import ALERTS, AUDIT
from services.channel_control.enforcing.lookout_io import AGAIN_S, Lookout
from services.channel_control.enforcing.reachability import Sights
from services.channel_control.enforcing.reconcile import Seen, Trouble
from services.channel_control.machine import ControlMachine
from services.runtime.machines.machine import Output
from services.runtime.murmur import partition_of
from tests.unit.channel_control.enforcing.test_drift import Log
from tests.unit.channel_control.orders import confirmed, order, persons, record, said

TARGET = "platform:ads"
DOWN = Trouble("http_503", "the platform answered 503")


def report(number: int, word: str, partition: int, *targets: str, count: int | None = None) -> dict[str, Any]:
    waiting = {
        "partition": partition,
        "count": len(targets) if count is None else count,
        "targets": list(targets),
        "reason": "the platform answered 503" if targets else "",
    }
    return persons(number, word, target=TARGET, issued_by="reconciler", waiting=waiting)


def alert_of(outputs: list[Output]) -> dict[str, Any]:
    (fact,) = said(outputs, ALERTS)
    return fact


def test_what_is_not_in_force_is_said_at_once() -> None:
    outputs = Log().give(report(1, "away", 0, "channel:a paused", "channel:b throttled"))
    fact = alert_of(outputs)
    assert (fact["status"], fact["severity"], fact["indicator"], fact["subject"]) == (
        "open", "critical", "platform_away", TARGET,
    )  # fmt: skip
    assert fact["title"]["en"] == "The platform ads does not do what it is told: 2 not in force"
    assert "Since 2026-01-01 00:00:00 UTC: the platform answered 503." in fact["summary"]["en"]
    assert "channel:a paused, channel:b throttled." in fact["summary"]["en"]
    assert "2 项要求未生效" in fact["title"]["zh"]
    (audit,) = said(outputs, AUDIT)
    assert (audit["what"], audit["target"], audit["outcome"]) == ("away", TARGET, "failed")


def test_all_partitions_share_one_alert_that_ends_with_the_last() -> None:
    log = Log()
    opened = alert_of(log.give(report(1, "away", 0, "channel:a paused")))
    more = alert_of(log.give(report(2, "away", 1, *(f"channel:{n} paused" for n in range(10)), count=25)))
    assert (more["alert_id"], more["status"]) == (opened["alert_id"], "updated")
    assert more["title"]["en"].endswith("26 not in force")
    assert more["summary"]["en"].count("paused") == 10
    assert "and 16 more" in more["summary"]["en"]
    still = alert_of(log.give(report(3, "back", 0)))
    assert (still["status"], still["title"]["en"][-15:]) == ("updated", "25 not in force")
    over = alert_of(log.give(report(4, "back", 1)))
    assert (over["alert_id"], over["status"]) == (opened["alert_id"], "resolved")
    again = alert_of(log.give(report(5, "away", 0, "channel:a paused")))
    assert (again["status"], again["alert_id"] == opened["alert_id"]) == ("open", False)


def test_what_is_known_is_not_told_again() -> None:
    log = Log()
    assert log.give(report(1, "back", 0)) == []
    log.give(report(2, "away", 0, "channel:a paused"))
    assert log.give(report(3, "away", 0, "channel:a paused")) == []


def test_an_outage_outlives_a_restart() -> None:
    log = Log()
    opened = alert_of(log.give(report(1, "away", 0, "channel:a paused")))
    kept = {key: value for key, value in log.machine.changed() if value is not None}
    log.machine = ControlMachine(0)
    log.machine.load(kept.items())
    assert alert_of(log.give(report(2, "back", 0)))["alert_id"] == opened["alert_id"]
    assert (f"outage/{TARGET}".encode(), None) in list(log.machine.changed())


@pytest.mark.parametrize("who", ["person:li", "indicator:x"])
def test_only_the_lookout_says_so(who: str) -> None:
    outputs = Log().give(report(1, "away", 0, "channel:a paused") | {"issued_by": who})
    assert said(outputs, AUDIT)[0]["outcome"] == "refused"


class World:
    """A machine, what was heard of two platforms, and a lookout whose reports go to `reports`."""

    def __init__(self) -> None:
        self.machine = ControlMachine(0, 3)
        self.sights = Sights(0.0)
        self.reports: list[dict[str, Any]] = []
        self.places: list[int] = []
        self.now = 0.0
        self.count = 0
        self.lookout = Lookout(
            self.sights, ("ads", "own"), lambda address: "ads", self, 3, clock=lambda: self.now, beat_s=0.001
        )

    async def end(self, partition: int) -> int:
        return 0

    async def report(self, partition: int, key: bytes, value: bytes) -> None:
        assert key == json.loads(value)["target"].encode()
        self.places.append(partition)
        self.reports.append(json.loads(value))

    async def close(self) -> None:
        pass

    def pause(self, name: str) -> None:
        self.count += 1
        self.machine.apply(record(self.count, order(self.count, target=name)))
        self.lookout.kick(0)

    def settle(self, name: str) -> None:
        self.count += 1
        seen = self.machine.target(name).wanted().model_dump()
        self.machine.apply(record(self.count, confirmed(self.count, 1, "paused", 0.0, target=name, observed=seen)))
        self.lookout.kick(0)

    def of(self, platform: str) -> list[tuple[str, int]]:
        """What was said of one platform."""
        said_ = [each for each in self.reports if each["target"] == f"platform:{platform}"]
        return [(each["command"], each["waiting"]["count"]) for each in said_]

    async def until_said(self, *words: tuple[str, int]) -> None:
        """Of the platform ads, and nothing else."""
        async with asyncio.timeout(5):
            while self.of("ads") != list(words):
                assert len(self.of("ads")) <= len(words)
                await asyncio.sleep(0.0005)


@asynccontextmanager
async def looking(world: World) -> AsyncIterator[World]:
    await world.lookout.start(0, world.machine)
    try:
        yield world
    finally:
        await world.lookout.stop(0)


def ours() -> list[str]:
    """Channels of the partition that the machine has."""
    names = (f"channel:{number}" for number in range(100))
    return [name for name in names if partition_of(name.encode(), 3) == 0]


async def test_an_outage_is_said_where_all_partitions_say_it_and_taken_back() -> None:
    world = World()
    one, two, *_ = ours()
    world.pause(one)
    world.pause(two)
    world.sights.heard("ads", DOWN, 0.0)
    async with looking(world):
        await world.until_said(("away", 2))
        assert world.reports[0]["waiting"]["targets"] == [f"{one} paused", f"{two} paused"]
        world.settle(one)
        world.sights.heard("ads", Seen(None), 1.0)
        await world.until_said(("away", 2), ("back", 0))
    assert world.places == [partition_of(each["target"].encode(), 3) for each in world.reports]
    assert len({each["command_id"] for each in world.reports}) == len(world.reports)


async def test_an_answer_between_two_looks_makes_two_outages_of_one() -> None:
    world = World()
    world.sights.heard("ads", DOWN, 0.0)
    world.pause(ours()[0])
    async with looking(world):
        await world.until_said(("away", 1))
        world.now = 1.0
        world.sights.heard("ads", Seen(None), 0.5)
        world.sights.heard("ads", DOWN, 0.6)
        await world.until_said(("away", 1), ("back", 0), ("away", 1))


async def test_what_waits_is_told_anew_but_not_with_every_order() -> None:
    world = World()
    first, *others = ours()[:5]
    world.sights.heard("ads", DOWN, 0.0)
    world.pause(first)
    async with looking(world):
        await world.until_said(("away", 1))
        for name in others:
            world.pause(name)
        await asyncio.sleep(0.01)
        assert world.of("ads") == [("away", 1)]
        world.now = AGAIN_S
        await world.until_said(("away", 1), ("away", 5))


async def test_a_lookout_that_begins_takes_nothing_back_before_the_platform_has_answered() -> None:
    world = World()
    world.pause(ours()[0])
    async with looking(world):
        await asyncio.sleep(0.01)
        assert (world.of("ads"), world.of("own")) == ([], [("back", 0)]), "nothing waits for the other one"
        world.sights.heard("ads", Seen(None), 0.0)
        await world.until_said(("back", 0))
