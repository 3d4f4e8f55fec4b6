"""One suite over every adapter there is, against a stand-in of its platform that fails, stalls, lies, repeats and
rate-limits."""

import asyncio
import logging
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import pytest
import yaml

from schemas.channels import TargetStatus, WantedState
from services.channel_control.adapter import Adapter
from services.channel_control.enforcing.adapters import all_kinds
from services.channel_control.enforcing.addresses import Address
from services.channel_control.enforcing.platform_io import Platforms
from services.channel_control.enforcing.platform_list import platforms_of
from services.channel_control.enforcing.reconcile import CONFLICT, FROZEN, Answer, Call, Seen, Trouble, pursue
from services.channel_control.settings import ControlSettings
from services.runtime.settings import parse
from tests.support.platforms.generic import GenericPlatform
from tests.support.platforms.google_ads import GoogleAdsPlatform
from tests.support.platforms.meta_ads import MetaAdsPlatform
from tests.support.platforms.standing import Fault, StandIn, serving

STAND_INS: Final[dict[str, type[StandIn]]] = {
    each.kind: each for each in (GenericPlatform, GoogleAdsPlatform, MetaAdsPlatform)
}
DEADLINE_S: Final = 0.5
"""Where something stalls."""
AMPLE_S: Final = 20.0
"""Where nothing does, so that a busy machine is no fault of the platform."""
TARGET: Final = "channel:search"
FAULTS: Final = (Fault("fail"), Fault("lose"), Fault("lie"), Fault("repeat"), Fault("nonsense"))


def wanted(generation: int, status: TargetStatus = "paused", factor: float = 0.0) -> WantedState:
    return WantedState(target=TARGET, status=status, factor=factor, generation=generation)


RUNNING: Final = wanted(9, "running", 1.0)


class World:
    """An adapter, built from a list of platforms as in service, and the stand-in that it calls."""

    def __init__(self, stand_in: StandIn, adapters: dict[str, Adapter]) -> None:
        self.stand_in = stand_in
        self.adapters = adapters
        self.platforms = Platforms(adapters, AMPLE_S)
        self.address = Address("there", stand_in.campaigns)
        self.told: list[Answer] = []

    async def call(self, call: Call, state: WantedState) -> Answer:
        answer = await self.platforms.call(call, state, self.address, f"key-{state.generation}")
        self.told.append(answer)
        return answer

    @asynccontextmanager
    async def in_a_hurry(self) -> AsyncIterator[None]:
        ample, self.platforms = self.platforms, Platforms(self.adapters, DEADLINE_S)
        await self.platforms.open()
        yield
        await self.platforms.close()
        self.platforms = ample

    async def bring(self, state: WantedState, *, ask_first: bool = False) -> WantedState | Trouble:
        """One attempt, as the reconciler makes it."""
        steps = pursue(state, ask_first=ask_first)
        call = next(steps)
        while True:
            try:
                call = steps.send(await self.call(call, state))
            except StopIteration as end:
                result: WantedState | Trouble = end.value
                return result

    async def settles(self, state: WantedState) -> WantedState | Trouble:
        """Attempts until the platform is reached: a connection that broke off may take the next call down with it."""
        async with asyncio.timeout(AMPLE_S):
            while isinstance(result := await self.bring(state, ask_first=True), Trouble):
                if result.kind != "unreachable":
                    break
        return result

    async def fails(self, state: WantedState, *faults: Fault, ask_first: bool = False) -> Trouble:
        """One attempt that meets these faults."""
        self.stand_in.faults = list(faults)
        result = await self.bring(state, ask_first=ask_first)
        self.stand_in.faults = []
        assert isinstance(result, Trouble)
        return result


@pytest.fixture(params=sorted(STAND_INS))
async def world(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[World]:
    stand_in = STAND_INS[request.param]()
    async with serving(stand_in) as url:
        path = tmp_path / "platforms.yaml"
        path.write_text(yaml.safe_dump({"platforms": {"there": stand_in.entry(url)}}), "utf-8")
        settings = parse(ControlSettings, {"TIDEGATE_CONTROL_PLATFORMS": str(path)})
        adapters = platforms_of(settings, stand_in.secrets, lambda: datetime.now(UTC))
        world = World(stand_in, adapters)
        await world.platforms.open()
        yield world
        await world.platforms.close()


def test_there_is_a_stand_in_for_every_kind_that_is_found() -> None:
    assert set(STAND_INS) == set(all_kinds())


async def test_nothing_is_known_of_a_target_before_its_first_order(world: World) -> None:
    assert await world.call("ask", wanted(1)) == Seen(None)


@pytest.mark.parametrize("status", ["paused", "frozen", "taken_down"])
async def test_a_stop_stops_and_is_read_back_as_what_it_was(world: World, status: TargetStatus) -> None:
    assert await world.bring(wanted(1, status)) == wanted(1, status)
    assert world.stand_in.truth() == ("paused", 0.0)


async def test_throttled_is_a_share_and_running_again_is_as_before(world: World) -> None:
    for order in (wanted(1, "throttled", 0.5), wanted(2, "throttled", 0.25), wanted(3), wanted(4, "throttled", 0.5)):
        assert await world.bring(order) == order
    assert world.stand_in.truth() == ("throttled", 0.5)
    assert await world.bring(RUNNING) == RUNNING
    assert world.stand_in.truth() == ("running", 1.0)


async def test_the_same_order_again_changes_nothing(world: World) -> None:
    for order in (wanted(1, "throttled", 0.5), wanted(2)):
        assert await world.bring(order) == order
        changes = world.stand_in.changes
        assert await world.call("put", order) == Seen(None)
        assert await world.bring(order, ask_first=True) == order
        assert world.stand_in.changes == changes


async def test_an_older_order_undoes_nothing(world: World) -> None:
    """An old worker, or a late retry."""
    assert await world.bring(wanted(5)) == wanted(5)
    answer = await world.call("put", wanted(4, "running", 1.0))
    assert isinstance(answer, Trouble)
    assert answer.kind == CONFLICT
    result = await world.bring(wanted(4, "running", 1.0))
    assert isinstance(result, Trouble)
    assert result.kind == "newer"
    assert world.stand_in.truth() == ("paused", 0.0)


@pytest.mark.parametrize("writes_only", [False, True])
async def test_a_failure_is_told_by_its_number_and_tried_again(world: World, writes_only: bool) -> None:
    trouble = await world.fails(wanted(1), Fault("fail", 503, writes_only=writes_only))
    assert trouble.kind == "http_503"
    assert trouble.text.startswith("the platform answered 503")
    assert world.stand_in.truth() == ("running", 1.0)
    assert await world.bring(wanted(1), ask_first=True) == wanted(1)


async def test_an_order_that_stalls_meets_the_deadline_and_is_asked_about(world: World) -> None:
    async with world.in_a_hurry():
        trouble = await world.fails(wanted(1, "throttled", 0.5), Fault("stall", writes_only=True))
    assert trouble == Trouble("timeout", "the platform did not answer within 0.5 s")
    assert await world.bring(wanted(1, "throttled", 0.5), ask_first=True) == wanted(1, "throttled", 0.5)
    assert world.stand_in.truth() == ("throttled", 0.5)


async def test_a_lost_answer_is_no_second_order(world: World) -> None:
    order = wanted(1, "throttled", 0.5)
    trouble = await world.fails(order, Fault("lose", writes_only=True))
    assert trouble.kind == "unreachable"
    assert await world.settles(order) == order
    assert world.stand_in.truth() == ("throttled", 0.5)
    assert world.stand_in.changes == max(1, len(world.stand_in.campaigns) if world.stand_in.kind == "meta_ads" else 1)


async def test_a_lie_is_found_out(world: World) -> None:
    trouble = await world.fails(wanted(1), Fault("lie"))
    assert trouble == Trouble("differs", "the platform took the order and shows something else")
    assert await world.bring(wanted(1), ask_first=True) == wanted(1)
    assert world.stand_in.truth() == ("paused", 0.0)


async def test_an_order_that_arrives_twice_acts_once(world: World) -> None:
    order = wanted(1, "throttled", 0.5)
    world.stand_in.faults = [Fault("repeat")]
    await world.bring(order)
    assert await world.bring(order, ask_first=True) == order
    assert world.stand_in.truth() == ("throttled", 0.5), "not a quarter"
    assert await world.bring(RUNNING) == RUNNING
    assert world.stand_in.truth() == ("running", 1.0)


async def test_too_many_calls_are_waited_out_as_long_as_the_platform_says(world: World) -> None:
    trouble = await world.fails(wanted(1), world.stand_in.rate_limit())
    assert trouble.retry_after_s == 7.0
    assert await world.bring(wanted(1), ask_first=True) == wanted(1)


@pytest.mark.parametrize("writes_only", [False, True])
async def test_what_is_no_answer_confirms_nothing(world: World, writes_only: bool) -> None:
    world.stand_in.faults = [Fault("nonsense", writes_only=writes_only)]
    result = await world.bring(wanted(1), ask_first=not writes_only)
    assert isinstance(result, Trouble)
    assert result.kind in ("bad_answer", "differs")
    assert await world.bring(wanted(1), ask_first=True) == wanted(1)


async def test_what_somebody_does_by_hand_is_seen(world: World) -> None:
    await world.bring(wanted(1))
    world.stand_in.by_hand(on=True)
    assert await world.call("ask", wanted(1)) == Seen(wanted(1, "running", 1.0))
    assert await world.bring(wanted(1), ask_first=True) == wanted(1)
    assert world.stand_in.truth() == ("paused", 0.0)
    await world.bring(RUNNING)
    world.stand_in.by_hand(on=False)
    seen = await world.call("ask", RUNNING)
    assert isinstance(seen, Seen)
    assert seen.state is not None
    assert (seen.state.status, seen.state.factor) == ("paused", 0.0)
    assert await world.bring(RUNNING, ask_first=True) == RUNNING
    assert world.stand_in.truth() == ("running", 1.0)


async def test_a_process_that_may_have_lost_its_partition_sends_nothing(world: World) -> None:
    answer = await world.platforms.call("put", wanted(1), world.address, "key", lambda: False)
    assert isinstance(answer, Trouble)
    assert answer.kind == FROZEN
    assert world.stand_in.changes == 0


async def test_a_process_that_was_frozen_between_two_requests_sends_no_more(world: World) -> None:
    """An order may need several: one that looks whether it is still the newest, and one that acts."""
    for allowed in range(10):
        answers = iter([True] * allowed)
        before = world.stand_in.changes
        answer = await world.platforms.call("put", wanted(1), world.address, "key", lambda: next(answers, False))  # noqa: B023
        if answer == Seen(None):
            break
        assert isinstance(answer, Trouble)
        assert answer.kind == FROZEN
        if world.stand_in.kind != "meta_ads":  # which has one request for each campaign
            assert world.stand_in.changes == before
    assert world.stand_in.truth() == ("paused", 0.0)


async def test_what_was_never_tried_live_is_said_once_and_the_last_user_hangs_up(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    await world.platforms.open()
    records = [*caplog.get_records("setup"), *caplog.records]
    said = [each for each in records if "has not been tried against the live service yet" in each.getMessage()]
    assert len(said) == (not all_kinds()[world.stand_in.kind].tried)
    await world.platforms.close()
    assert await world.call("ask", wanted(1)) == Seen(None)


async def test_whom_the_list_does_not_name_is_not_called(world: World) -> None:
    answer = await world.platforms.call("put", wanted(1), Address("elsewhere"), "key")
    assert answer == Trouble("no_platform", "no platform is called elsewhere")
    assert world.stand_in.changes == 0


@pytest.mark.parametrize("seed", range(3))
async def test_whatever_goes_wrong_the_newest_order_stands_and_all_comes_back(world: World, seed: int) -> None:
    """Orders, faults, hands of others and late repeats of what is long overtaken, as an old worker would send them."""
    rng = random.Random(seed)
    orders: list[WantedState] = []
    for generation in range(1, 9):
        status: TargetStatus = rng.choice(["paused", "frozen", "throttled"])
        orders.append(wanted(generation, status, 0.5 if status == "throttled" else 0.0))
        for fault in rng.choices(FAULTS, k=rng.randrange(3)):
            world.stand_in.faults = [replace(fault, writes_only=rng.random() < 0.5)]
            await world.bring(orders[-1], ask_first=rng.random() < 0.5)
        world.stand_in.faults = []
        if rng.random() < 0.5:
            assert await world.settles(orders[-1]) == orders[-1]
            await world.call("put", rng.choice(orders))
            world.stand_in.by_hand(on=rng.random() < 0.5)
            assert await world.settles(orders[-1]) == orders[-1]
            assert world.stand_in.truth()[0] == ("throttled" if status == "throttled" else "paused")
    assert await world.settles(RUNNING) == RUNNING
    assert world.stand_in.truth() == ("running", 1.0)


async def test_no_secret_shows_however_it_goes_wrong(world: World, caplog: pytest.LogCaptureFixture) -> None:
    # httpx, which would name addresses, is silenced in service; see services.runtime.logs.
    caplog.set_level(logging.DEBUG, "services")
    said: list[str] = []
    faults = [Fault(kind, 500, writes_only=kind != "fail") for kind in ("fail", "stall", "lose", "lie", "nonsense")]
    for number, fault in enumerate([*faults, world.stand_in.rate_limit()], 1):
        world.stand_in.faults = [fault]
        async with world.in_a_hurry():
            await world.bring(wanted(number, "throttled", number / 10), ask_first=True)
            said.append(repr(vars(world.platforms)))
    assert sum(isinstance(answer, Trouble) for answer in world.told) >= 4
    shown = "".join([caplog.text, repr(world.told), *said])
    secrets = [*world.stand_in.secrets.values(), getattr(world.stand_in, "access_token", "-no-such-")]
    assert [secret for secret in secrets if secret in shown] == []
