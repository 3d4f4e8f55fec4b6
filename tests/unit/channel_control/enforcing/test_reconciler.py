"""The reconciler beside a machine, with a platform and a log in memory: its reports come back to the machine."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from schemas.channels import WantedState
from services.channel_control.enforcing.addresses import Address
from services.channel_control.enforcing.no_platform import NoPlatform
from services.channel_control.enforcing.reconcile import Answer, Call, Patience, Seen, Trouble
from services.channel_control.enforcing.reconciler_io import Limits, Reconciler
from services.channel_control.machine import ControlMachine
from services.channel_control.sentences import both
from tests.unit.channel_control.orders import CHANNEL, SIGNAL, alone, hex_id, order, persons, record, unforeseen

QUICK = Limits(patience=Patience(base_s=0.001, cap_s=0.01))
Respond = Callable[[Call, WantedState], Answer | None]


class World:
    """A log, the machine on it, and a platform that `respond` may have an answer for before it does its duty."""

    def __init__(self, limits: Limits = QUICK) -> None:
        self.machine = ControlMachine(0)
        self.commands: list[dict[str, Any]] = []
        self.respond: Respond = lambda call, wanted: None
        self.calls: list[tuple[Call, str, int]] = []
        self.kept: dict[str, WantedState] = {}
        self.open_calls: dict[str, int] = {}
        self.most_at_once = 0
        self.now = 0.0
        self.platform_away: str | None = None
        self.one_for_all = True
        self.reconciler = Reconciler(self, self, limits, boot_clock=lambda: self.now)

    # the log

    async def end(self, partition: int) -> int:
        return len(self.commands)

    async def report(self, partition: int, key: bytes, value: bytes) -> None:
        self.give(json.loads(value))

    async def close(self) -> None:
        pass

    def give(self, fields: dict[str, Any]) -> None:
        self.commands.append(fields)
        self.machine.apply(record(len(self.commands) - 1, fields))
        self.reconciler.kick(0)

    # the platform

    async def open(self) -> None:
        pass

    def rests(self, address: Address) -> bool:
        return False

    def away(self, address: Address) -> str | None:
        return self.platform_away

    async def call(
        self, call: Call, wanted: WantedState, address: Address, key: str, may_send: Callable[[], bool]
    ) -> Answer:
        name = wanted.target
        self.calls.append((call, name, wanted.generation))
        self.open_calls[name] = self.open_calls.get(name, 0) + 1
        assert self.open_calls[name] == 1, "one call at a time per target"
        self.most_at_once = max(self.most_at_once, sum(self.open_calls.values()))
        await asyncio.sleep(0)
        self.open_calls[name] -= 1
        answer = self.respond(call, wanted)
        if answer is not None:
            return answer
        if call == "put":
            self.kept[name] = wanted
        return Seen(self.kept.get(name))

    async def until(self, done: Callable[[], bool]) -> None:
        async with asyncio.timeout(5):
            while not done():  # noqa: ASYNC110 - what is waited for is the state of a pure machine
                await asyncio.sleep(0.0005)

    def words(self) -> list[str]:
        return [fields["command"] for fields in self.commands]

    @property
    def settled(self) -> bool:
        return not self.machine.unsettled


async def turns(count: int = 50) -> None:
    """Lets everything happen that only waits for its turn."""
    for _ in range(count):
        await asyncio.sleep(0)


@asynccontextmanager
async def running(world: World) -> AsyncIterator[World]:
    await world.reconciler.start(0, world.machine)
    await turns()
    try:
        yield world
    finally:
        await world.reconciler.stop(0)


async def test_an_order_is_carried_out_and_its_confirmation_comes_back() -> None:
    async with running(World()) as world:
        world.give(order(1))
        await world.until(lambda: world.settled)
    assert world.calls == [("put", CHANNEL, 1), ("ask", CHANNEL, 1)]
    assert world.words() == ["pause", "confirmed"]
    assert world.machine.target(CHANNEL).confirmed == "paused"


async def test_work_left_by_a_dead_process_is_asked_about_before_it_is_repeated() -> None:
    world = World()
    world.give(order(1))
    world.kept[CHANNEL] = world.machine.target(CHANNEL).wanted()
    async with running(world):
        await world.until(lambda: world.settled)
    assert world.calls == [("ask", CHANNEL, 1)]


async def test_it_waits_for_the_machine_to_catch_up_with_its_log() -> None:
    world = World()
    world.give(order(1, **SIGNAL))
    world.give(persons(2, "resume", expected_generation=1))
    world.kept[CHANNEL] = world.machine.target(CHANNEL).wanted()
    behind = ControlMachine(0)
    behind.apply(record(0, world.commands[0]))
    world.machine = behind
    async with running(world):
        assert world.calls == [], "what it would do now may be long past"
        behind.apply(record(1, world.commands[1]))
        world.reconciler.kick(0)
        await world.until(lambda: world.settled)
    assert world.calls == [("ask", CHANNEL, 2)]


async def test_of_several_platforms_none_is_called_before_a_policy_says_which() -> None:
    world = World()
    world.one_for_all = False
    async with running(world):
        world.give(order(1))
        await world.until(lambda: "failed" in world.words())
        assert (world.calls, world.commands[-1]["note"]) == ([], "no policy says yet which platform serves it")
        world.machine.apply(alone(len(world.commands)))
        await world.until(lambda: world.settled)
    assert world.words() == ["pause", "failed", "confirmed"]


async def test_failures_are_told_once_each_and_retried_until_it_works() -> None:
    world = World()
    answers = [Trouble("timeout", "no answer")] * 3 + [Trouble("http_503", "503")] * 3
    world.respond = lambda call, wanted: answers.pop(0) if answers else None
    async with running(world):
        world.give(order(1))
        await world.until(lambda: world.settled)
    assert world.words() == ["pause", "failed", "failed", "confirmed"]
    assert [call for call, *_ in world.calls] == ["put", *["ask"] * 6, "put", "ask"]


async def test_the_newest_state_wins_and_does_not_wait_for_the_old_ones_back_off() -> None:
    world = World(Limits(patience=Patience(base_s=1000.0, cap_s=1000.0)))
    world.respond = lambda call, wanted: Trouble("unreachable", "away") if wanted.generation == 1 else None
    async with running(world):
        world.give(order(1, **SIGNAL))
        await world.until(lambda: "failed" in world.words())
        world.give(persons(2, "resume", expected_generation=1))
        await world.until(lambda: world.settled)
    assert world.kept[CHANNEL].status == "running"


async def test_a_platform_that_is_away_gets_all_orders_later_each_in_its_newest_state() -> None:
    world = World()
    away = True
    world.respond = lambda call, wanted: Trouble("unreachable", "away") if away else None
    names = [f"channel:{number}" for number in range(40)]
    async with running(world):
        for number, name in enumerate(names):
            world.give(order(number, target=name, alert_id=None, **SIGNAL))
        for number, name in enumerate(names[:10]):
            world.give(persons(100 + number, "resume", target=name, expected_generation=1))
        await world.until(lambda: len(world.calls) > 200)
        away = False
        await world.until(lambda: world.settled)
    assert {name for name, state in world.kept.items() if state.status == "running"} == set(names[:10])
    assert len(world.kept) == 40
    assert world.words().count("confirmed") == 40


async def test_only_so_many_calls_are_under_way_at_once() -> None:
    async with running(World(Limits(parallel=3, retries=1))) as world:
        for number in range(30):
            world.give(order(number, target=f"channel:{number}"))
        await world.until(lambda: world.settled)
    assert world.most_at_once == 3


async def test_a_process_that_was_frozen_calls_nobody_for_a_while() -> None:
    world = World(Limits(session_s=1000.0, patience=Patience(base_s=0.001)))
    stuck = asyncio.Event()

    def freeze(call: Call, wanted: WantedState) -> None:
        world.now += 60.0
        stuck.set()

    world.respond = freeze
    async with running(world):
        world.give(order(1))
        await stuck.wait()
        await turns()
        assert world.calls == [("put", CHANNEL, 1)], "no reading back either"
        assert world.words() == ["pause"]


async def test_a_long_time_without_orders_is_no_freeze() -> None:
    async with running(World(Limits(session_s=1000.0))) as world:
        world.now += 3600.0
        world.give(order(1))
        await world.until(lambda: world.settled)


async def test_while_a_call_is_under_way_no_second_one_begins_for_its_target() -> None:
    world = World()
    free = asyncio.Event()

    async def slow(call: Call, wanted: WantedState, address: Address, key: str, may_send: Callable[[], bool]) -> Answer:
        world.calls.append((call, wanted.target, wanted.generation))
        await free.wait()
        return Seen(wanted)

    world.call = slow  # type: ignore[method-assign]
    async with running(world):
        world.give(order(1))
        await turns()
        world.give(order(2, level=2))
        await turns()
        assert world.calls == [("put", CHANNEL, 1)]
        free.set()
        await world.until(lambda: world.settled)
    assert [generation for call, _, generation in world.calls if call == "put"] == [1, 2]


async def test_a_bug_in_one_attempt_is_told_and_the_others_go_on(caplog: Any) -> None:
    world = World()

    def broken(call: Call, wanted: WantedState) -> None:
        if wanted.target == CHANNEL:
            raise ZeroDivisionError

    world.respond = broken
    before = unforeseen("reconciler")
    async with running(world):
        world.give(order(1))
        world.give(order(2, target="channel:other"))
        await world.until(lambda: "confirmed" in world.words() and "failed" in world.words())
    assert world.machine.target("channel:other").confirmed == "paused"
    assert world.machine.target(CHANNEL).error == both("the reconciler failed; see its log", "对账程序出错，详见其日志")
    assert "unforeseen" in caplog.text
    (line,) = {(record.target, record.alert_id) for record in caplog.records if "unforeseen" in record.message}
    assert line == (CHANNEL, hex_id(0xA)), "a line about an order names its alert"
    assert unforeseen("reconciler") > before


async def test_nothing_goes_on_after_a_stop() -> None:
    world = World()
    world.respond = lambda call, wanted: Trouble("unreachable", "away")
    async with running(world):
        world.give(order(1))
        await world.until(lambda: len(world.calls) > 3)
    count = len(world.calls)
    await asyncio.sleep(0.03)
    assert len(world.calls) == count
    world.reconciler.kick(0)


async def test_without_a_platform_it_is_said_once(caplog: Any) -> None:
    companion = NoPlatform()
    for partition in range(3):
        await companion.start(partition, ControlMachine(partition))
        companion.kick(partition)
        await companion.stop(partition)
    assert len(caplog.records) == 1
    assert "TIDEGATE_CONTROL_PLATFORM_URL" in caplog.text


async def test_while_a_platform_is_away_one_order_at_a_time_looks_whether_it_is_back() -> None:
    world = World()
    world.respond = lambda call, wanted: Trouble("unreachable", "away") if world.platform_away else None
    world.platform_away = "ads"
    names = [f"channel:{number}" for number in range(20)]
    async with running(world):
        for number, name in enumerate(names):
            world.give(order(number, target=name, alert_id=None))
        await world.until(lambda: len(world.calls) > 60)
        assert world.most_at_once == 1
        assert {name for _, name, _ in world.calls} == set(names), "each has its turn"
        world.platform_away = None
        await world.until(lambda: world.settled)
        assert len(world.kept) == 20
