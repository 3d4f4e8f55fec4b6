"""Watcher and reconciler beside one machine: what somebody changes on the platform is found, and put right or told."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from schemas.channels import WantedState
from services.channel_control.enforcing.addresses import Address
from services.channel_control.enforcing.reconcile import Answer, Call, Seen, Trouble
from services.channel_control.enforcing.watcher_io import Watcher
from tests.unit.channel_control.enforcing.test_reconciler import World, running
from tests.unit.channel_control.orders import CHANNEL, SIGNAL, order, persons, unforeseen

RUNNING = {"status": "running", "factor": 1.0}


class Watched(World):
    """The same world, with a watcher on a second line to the platform. keys: of all that was put."""

    def __init__(self) -> None:
        super().__init__()
        self.watcher = Watcher(Line(self), self, 0.02, 1000.0)
        self.readings = 0
        self.rests_now = False
        self.keys: list[str] = []

    def give(self, fields: dict[str, object]) -> None:
        super().give(fields)
        self.watcher.kick(0)

    async def call(
        self, call: Call, wanted: WantedState, address: Address, key: str, may_send: Callable[[], bool]
    ) -> Answer:
        if call == "put":
            self.keys.append(key)
        return await super().call(call, wanted, address, key, may_send)

    def by_hand(self, **state: object) -> None:
        self.kept[CHANNEL] = self.kept[CHANNEL].model_copy(update=state)


class Line:
    """Answers readings, and counts them."""

    def __init__(self, world: Watched) -> None:
        self.world = world

    async def open(self) -> None:
        pass

    async def close(self) -> None:
        pass

    def away(self, address: Address) -> str | None:
        return None

    def rests(self, address: Address) -> bool:
        return self.world.rests_now

    async def call(
        self, call: Call, wanted: WantedState, address: Address, key: str, may_send: Callable[[], bool]
    ) -> Answer:
        assert call == "ask", "it only reads"
        self.world.readings += 1
        await asyncio.sleep(0)
        return self.world.respond(call, wanted) or Seen(self.world.kept.get(wanted.target))


@asynccontextmanager
async def watching(world: Watched) -> AsyncIterator[Watched]:
    async with running(world):
        await world.watcher.start(0, world.machine)
        try:
            yield world
        finally:
            await world.watcher.stop(0)


async def paused(world: Watched) -> None:
    world.give(order(1, **SIGNAL))
    await world.until(lambda: world.settled)


async def test_a_hold_that_was_lifted_by_hand_is_put_again() -> None:
    async with watching(Watched()) as world:
        await paused(world)
        world.by_hand(**RUNNING)
        await world.until(lambda: world.words().count("confirmed") == 2)
        assert world.words() == ["pause", "confirmed", "drifted", "confirmed"]
        assert (world.kept[CHANNEL].status, world.kept[CHANNEL].generation) == ("paused", 1)
        assert world.machine.target(CHANNEL).drift is None
        assert len(set(world.keys)) == len(world.keys) == 2, "a platform that goes by the key alone would not act"


async def put_right(world: Watched) -> None:
    before = len(world.words())
    world.by_hand(**RUNNING)
    await world.until(lambda: len(world.words()) == before + 2)


async def test_it_is_put_right_each_time() -> None:
    async with watching(Watched()) as world:
        await paused(world)
        for _ in range(3):
            await put_right(world)
        assert world.words().count("drifted") == 3


async def test_a_stop_by_hand_is_told_once_and_left_until_it_is_over() -> None:
    async with watching(Watched()) as world:
        await paused(world)
        world.give(persons(2, "resume", expected_generation=1))
        await world.until(lambda: world.settled)
        world.by_hand(status="paused", factor=0.0)
        await world.until(lambda: "drifted" in world.words())
        seen = world.readings
        await world.until(lambda: world.readings > seen + 3)
        assert world.words().count("drifted") == 1
        assert world.kept[CHANNEL].status == "paused"
        world.by_hand(**RUNNING)
        await world.until(lambda: world.machine.target(CHANNEL).drift is None)
        assert world.words()[-2:] == ["drifted", "confirmed"]


async def test_a_platform_that_forgets_all_is_told_all_again() -> None:
    async with watching(Watched()) as world:
        await paused(world)
        world.kept.clear()
        await world.until(lambda: CHANNEL in world.kept)
        assert world.kept[CHANNEL].status == "paused"


async def test_what_cannot_be_read_is_no_drift() -> None:
    async with watching(Watched()) as world:
        await paused(world)
        world.respond = lambda call, wanted: Trouble("timeout", "no answer")
        seen = world.readings
        await world.until(lambda: world.readings > seen + 3)
        assert world.words() == ["pause", "confirmed"]


async def test_a_platform_that_wants_to_be_left_alone_is_not_read() -> None:
    async with watching(Watched()) as world:
        await paused(world)
        world.rests_now = True
        await asyncio.sleep(0.01)
        seen = world.readings
        await asyncio.sleep(0.08)
        assert world.readings <= seen + 1, "one may have been under way"
        world.rests_now = False
        await world.until(lambda: world.readings > seen + 2)


async def test_an_answer_from_before_a_newer_order_is_dropped() -> None:
    world = Watched()

    def resumed_meanwhile(call: Call, wanted: WantedState) -> None:
        if world.settled and wanted.generation == 1:
            world.respond = lambda call, wanted: None
            world.by_hand(**RUNNING)
            world.give(order(2, level=2))

    async with watching(world):
        await paused(world)
        world.respond = resumed_meanwhile
        await world.until(lambda: world.machine.target(CHANNEL).confirmed_generation == 2)
        assert "drifted" not in world.words()


async def test_nothing_is_read_that_was_never_held() -> None:
    async with watching(Watched()) as world:
        world.give(order(1, maturity="approve"))
        await asyncio.sleep(0.06)
        assert world.readings == 0


async def test_a_bug_in_one_reading_is_logged_and_the_others_go_on(caplog: pytest.LogCaptureFixture) -> None:
    async with watching(Watched()) as world:
        await paused(world)

        def broken(call: Call, wanted: WantedState) -> None:
            world.respond = lambda call, wanted: None
            raise ZeroDivisionError

        world.respond = broken
        seen, before = world.readings, unforeseen("watcher")
        await world.until(lambda: world.readings > seen + 2)
        assert "unforeseen" in caplog.text
        assert unforeseen("watcher") == before + 1
