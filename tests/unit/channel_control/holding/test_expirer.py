"""The expirer beside a machine, with a log in memory: its reports come back to the machine."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.channel_control.holding import deadlines
from services.channel_control.holding.expirer_io import Expirer
from services.channel_control.machine import ControlMachine
from services.runtime.machines.companion_io import Companions
from services.runtime.machines.machine import Record
from tests.unit.channel_control.orders import CHANNEL, NOW_MS, hex_id, order, persons, record

AT = datetime(2026, 1, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)


class World:
    """A log whose broker and whose reader have clocks of their own, as times since AT."""

    def __init__(self) -> None:
        self.machine = ControlMachine(0)
        self.commands: list[dict[str, Any]] = []
        self.broker = self.here = timedelta(0)
        self.reported = asyncio.Event()
        self.awake = True
        self.expirer = Expirer(
            self, awake=lambda indicator, at: self.awake, now=lambda: AT + self.here, again_s=0.01, pause_s=0.001
        )

    async def end(self, partition: int) -> int:
        return len(self.commands)

    async def report(self, partition: int, key: bytes, value: bytes) -> None:
        fields = json.loads(value)
        assert (partition, key) == (0, fields["target"].encode())
        self.give(fields)
        self.reported.set()

    async def close(self) -> None:
        pass

    def give(self, fields: dict[str, Any]) -> None:
        self.commands.append(fields)
        at_ms = NOW_MS + self.broker // timedelta(milliseconds=1)
        self.machine.apply(record(len(self.commands) - 1, fields, at_ms))
        self.expirer.kick(0)

    def ask(self, number: int, **fields: Any) -> None:
        asked = {"factor": 0.5, "maturity": "approve", "event_time": None, "alert_id": hex_id(number)}
        self.give(order(number, "throttle", **asked | fields))

    def passes(self, time: timedelta) -> None:
        """On both clocks."""
        self.broker += time
        self.here += time

    def approvals(self, target: str = CHANNEL) -> list[str]:
        return [hold.approval for hold in self.machine.target(target).holds]


@asynccontextmanager
async def running(world: World) -> AsyncIterator[World]:
    await world.expirer.start(0, world.machine)
    try:
        yield world
    finally:
        await world.expirer.stop(0)


async def until(done: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not done():  # noqa: ASYNC110 - what is waited for is the state of a pure machine
            await asyncio.sleep(0.0005)


async def test_what_nobody_decides_on_expires_when_its_time_has_come() -> None:
    async with running(World()) as world:
        world.ask(1)
        world.passes(HOUR)
        world.ask(2)
        world.passes(3 * HOUR)
        await until(lambda: "expired" in world.approvals())
        assert world.approvals() == ["expired", "waiting"]
        world.passes(HOUR)
        await until(lambda: world.approvals() == ["expired", "expired"])
    assert [fields["command"] for fields in world.commands] == ["throttle", "throttle", "expired", "expired"]


async def test_deadlines_that_passed_while_no_process_ran_are_found() -> None:
    world = World()
    for number in range(1, 4):
        world.ask(number, target=f"channel:{number}")
    world.passes(5 * HOUR)
    async with running(world):
        await until(lambda: not world.machine.waiting)
    assert [world.approvals(f"channel:{number}") for number in range(1, 4)] == [["expired"]] * 3


async def test_with_a_fast_clock_it_repeats_itself_until_the_brokers_says_so_too() -> None:
    world = World()
    world.ask(1)
    world.here = 5 * HOUR
    async with running(world):
        await until(lambda: len(world.commands) > 3)
        assert world.approvals() == ["waiting"]
        assert len({fields["command_id"] for fields in world.commands[1:]}) == 1
        world.broker = 4 * HOUR
        await until(lambda: world.approvals() == ["expired"])


async def test_a_report_is_not_repeated_at_every_record() -> None:
    world = World()
    world.expirer = Expirer(
        world, awake=lambda indicator, at: True, now=lambda: AT + 5 * HOUR, again_s=1000.0, pause_s=0.0
    )
    world.ask(1)
    async with running(world):
        await asyncio.wait_for(world.reported.wait(), 5)
        for number in range(2, 50):
            world.give(order(number, "escalate"))
            await asyncio.sleep(0)
    assert [fields["command"] for fields in world.commands].count("expired") == 1


class Noted:
    """A companion that writes down what is asked of it; `stop` returns once `free` says so."""

    def __init__(self, said: list[str], free: asyncio.Barrier) -> None:
        self._said = said
        self._free = free

    async def start(self, partition: int, machine: ControlMachine) -> None:
        self._said.append(f"start {partition}")

    async def stop(self, partition: int) -> None:
        await self._free.wait()
        self._said.append(f"stop {partition}")

    def kick(self, partition: int) -> None:
        self._said.append(f"kick {partition}")


async def test_several_companions_start_and_are_kicked_and_stop_at_the_same_time() -> None:
    said: list[str] = []
    free = asyncio.Barrier(2)
    both = Companions(Noted(said, free), Noted(said, free))
    await both.start(3, ControlMachine(3))
    both.kick(3)
    await asyncio.wait_for(both.stop(3), 5)
    assert said == ["start 3", "start 3", "kick 3", "kick 3", "stop 3", "stop 3"]


def opening(world: World) -> None:
    """A hold of an indicator, whose trouble is over: its first step comes after ten minutes."""
    fields: dict[str, Any] = {"issued_by": "indicator:search_divergence", "event_time": None}
    world.give(order(1, **fields))
    world.give(order(2, "eased", **fields))


def steps(world: World) -> int:
    return [fields["command"] for fields in world.commands].count("due")


async def test_no_hold_opens_while_nobody_would_see_its_trouble_come_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deadlines, "SHUT_S", 0.001)
    world = World()
    world.awake = False
    opening(world)
    world.passes(HOUR)
    async with running(world):
        world.ask(3)
        world.passes(4 * HOUR)
        await until(lambda: "expired" in world.approvals())
        assert steps(world) == 0
        world.awake = True
        await until(lambda: steps(world) == 1)


async def test_nothing_is_asked_of_the_log_while_automation_is_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deadlines, "SHUT_S", 0.001)
    world = World()
    opening(world)
    switch = persons(9, "automation_off", target="automation:all", note="on purpose")
    world.machine.apply(Record(9, NOW_MS, b"automation", json.dumps(switch).encode()))
    world.passes(HOUR)
    async with running(world):
        world.ask(3)
        world.passes(4 * HOUR)
        await until(lambda: "expired" in world.approvals())
        assert steps(world) == 0


async def test_what_nobody_judges_any_more_by_the_policy_is_handed_to_a_person_at_once() -> None:
    world = World()
    world.awake = False
    opening(world)
    policy = {"v": 1, "policy": {"version": 2, "indicators": {"search_divergence": {"enabled": False}}}}
    world.machine.apply(Record(2, NOW_MS, b"policy", json.dumps(policy).encode()))
    world.passes(HOUR)
    async with running(world):
        await until(lambda: steps(world) == 1)
    (hold,) = world.machine.target(CHANNEL).holds
    assert hold.ramp is not None
    assert hold.ramp.state == "person"
