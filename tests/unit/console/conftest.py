"""What the tests of the console's HTTP share."""

from collections.abc import AsyncIterator

import httpx
import pytest

from schemas.topics import ALERT_STATE, AUDIT, CHANNEL_STATE, POLICY
from services.console.app import build_app
from services.console.state.feed_io import Feed
from services.runtime.health import Health
from tests.unit.console.samples import NOW
from tests.unit.console.world import SETTINGS, World


@pytest.fixture
async def world() -> World:
    return World(Feed(SETTINGS, Health(), NOW))


@pytest.fixture
async def client(world: World) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(build_app(SETTINGS, world.feed, world, Health()))
    headers = {"Authorization": "Bearer operator"}
    async with httpx.AsyncClient(transport=transport, base_url="http://console", headers=headers) as client:
        yield client


@pytest.fixture
async def complete(world: World) -> None:
    for topic in (CHANNEL_STATE, ALERT_STATE, AUDIT, POLICY):
        await world.read(topic)
