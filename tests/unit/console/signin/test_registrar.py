"""Whoever has signed out is out everywhere, also where Kafka was away just then."""

import asyncio
import logging
from collections.abc import Sequence

import pytest

from services.console.app import build_app
from services.console.orders.desk_io import Desk
from services.console.signin import registrar_io
from services.console.signin.registrar_io import Registrar
from services.runtime.health import Health
from services.runtime.ids import derive
from services.runtime.kafka.publisher_io import BrokerAwayError
from services.runtime.machines.machine import Output
from tests.support.waiting import eventually
from tests.unit.console.browsing import Form, browsing
from tests.unit.console.world import SETTINGS, World

LI = SETTINGS.users().named("li.wei")
assert LI is not None
SESSION = LI.session(derive("li.wei"), 1_800_000_000)


@pytest.fixture(autouse=True)
def _hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, seconds in (("AGAIN_S", 0.01), ("PATIENCE_S", 0.5), ("LAST_S", 1.0)):
        monkeypatch.setattr(registrar_io, name, seconds)


@pytest.fixture
def registrar(world: World) -> Registrar:
    return Registrar(Desk(world.feed, world, 1))


async def test_what_kafka_has_not_is_sent_again_until_it_has(world: World, registrar: Registrar) -> None:
    world.away = True
    registrar.came(SESSION, again=False)
    registrar.left(SESSION)
    assert not await registrar.left_everywhere(SESSION)
    world.away = False
    await eventually(lambda: len(world.commands) == 3, "all is told")
    assert {each.command for each in world.commands} == {"sign_in", "sign_out"}
    assert await registrar.left_everywhere(SESSION)


async def test_what_may_have_arrived_is_sent_again_as_the_same(world: World, registrar: Registrar) -> None:
    world.lost = True
    assert not await registrar.left_everywhere(SESSION)
    world.lost = False
    await registrar.end()
    assert len(world.commands) > 1
    assert len({each.command_id for each in world.commands}) == 1
    sent = len(world.commands)
    assert await registrar.left_everywhere(SESSION)
    assert len(world.commands) == sent + 1, "what was acknowledged is sent no more"


async def test_the_end_waits_for_kafka_and_says_what_is_lost(
    world: World, registrar: Registrar, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.ERROR)
    world.away = True
    registrar.left(SESSION)
    ending = asyncio.create_task(registrar.end())
    await asyncio.sleep(0)
    world.away = False
    await ending
    assert [each.command for each in world.commands] == ["sign_out"]
    assert caplog.records == []
    world.away = True
    registrar.left(SESSION)
    await registrar.end()
    assert [each.message for each in caplog.records] == ["an entry is not in the audit"]


async def test_what_a_partition_does_not_take_holds_up_nobody_else(
    world: World, registrar: Registrar, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish = world.publish

    async def stuck(messages: Sequence[Output]) -> set[int]:
        if messages[0].key == b"console:sign-in":
            raise BrokerAwayError
        return await publish(messages)

    monkeypatch.setattr(registrar_io, "AGAIN_S", 60)
    monkeypatch.setattr(world, "publish", stuck)
    registrar.failed(None, "password")
    registrar.came(SESSION, again=False)
    registrar.left(SESSION)
    await eventually(lambda: len(world.commands) == 2, "the others are told")
    assert [each.command for each in world.commands] == ["sign_in", "sign_out"]
    await registrar.end()


async def test_where_too_many_wait_those_who_left_are_the_last_to_be_forgotten(
    world: World, registrar: Registrar, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registrar_io, "CAPACITY", 2)
    world.away = True
    registrar.left(SESSION)
    for _ in range(3):
        registrar.came(SESSION, again=False)
    registrar.left(SESSION)
    world.away = False
    await registrar.end()
    assert [each.command for each in world.commands] == ["sign_out", "sign_out"]


@pytest.mark.usefixtures("complete")
@pytest.mark.parametrize(
    ("language", "said"), [("en", "Other consoles do not know of it yet"), ("zh", "其他控制台尚不知晓")]
)
async def test_who_signs_out_everywhere_is_told_whether_other_consoles_know(
    world: World, language: str, said: str
) -> None:
    for away in (True, False):
        async with browsing(world, language=language) as browser:
            fields = Form((await browser.get("/account")).text, "/signout/everywhere").fields
            world.away = away
            answer = await browser.post("/signout/everywhere", data=fields)
            page = (await browser.get(answer.headers["location"])).text
            assert (await browser.get("/")).status_code == 303, "here they are out in any case"
        assert (said in page) == away
        world.feed.signed_out = type(world.feed.signed_out)()


async def test_the_console_ends_only_after_it_has_told(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    ended = asyncio.Event()

    async def end(_: Registrar) -> None:
        ended.set()

    monkeypatch.setattr(Registrar, "end", end)
    app = build_app(SETTINGS, world.feed, world, Health())
    async with app.router.lifespan_context(app):
        assert not ended.is_set()
    assert ended.is_set()
