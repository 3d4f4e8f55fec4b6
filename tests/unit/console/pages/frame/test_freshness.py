"""While Kafka is away, no page says that it is as of now."""

import re
from collections.abc import Callable, Iterator
from datetime import timedelta

import httpx
import pytest
from fastapi import FastAPI, Request

from services.console.pages.frame.freshness import Freshness
from services.console.pages.frame.live_io import live_routes
from services.console.pages.frame.visitor_io import SignInNeededError, Visitor
from services.console.signin.sessions import Standing
from services.runtime.health import Health, Part
from tests.unit.console.browsing import browsing
from tests.unit.console.samples import NOW
from tests.unit.console.world import World


@pytest.fixture
def health() -> Health:
    return Health()


@pytest.fixture
def kafka(health: Health) -> Part:
    part = health.part("kafka")
    part.ok()
    return part


def test_pages_are_as_of_now_until_kafka_is_away(health: Health, kafka: Part) -> None:
    freshness, later = Freshness(health, NOW), NOW + timedelta(minutes=1)
    assert freshness.as_of(later) == later
    kafka.wait("waiting for Kafka")
    assert freshness.as_of(later + timedelta(hours=1)) == later
    kafka.ok()
    assert freshness.as_of(later + timedelta(hours=2)) == later + timedelta(hours=2)


@pytest.mark.usefixtures("complete")
async def test_a_page_that_is_opened_meanwhile_says_that_it_is_old(world: World, health: Health, kafka: Part) -> None:
    async with browsing(world, health=health) as browser:
        fresh = (await browser.get("/")).text
        kafka.wait("waiting for Kafka")
        old = (await browser.get("/")).text
    notes = [re.search(r'<p id="not-live"[^>]*>', page) for page in (fresh, old)]
    assert [" hidden>" in note[0] for note in notes if note is not None] == [True, False]
    stamps = [re.findall(r'<time class="as-of">(.*?)</time>', page) for page in (fresh, old)]
    assert stamps[0] == stamps[1], "it tells the last moment of which all was known"


@pytest.mark.parametrize("away", [False, True])
async def test_an_open_page_hears_no_pulse_meanwhile(world: World, health: Health, kafka: Part, away: bool) -> None:
    if away:
        kafka.wait("waiting for Kafka")
    app = FastAPI()
    app.include_router(live_routes(world.feed, Freshness(health, NOW), _nobody, _once()))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://console") as client:
        told = (await client.get("/live")).text
    assert "event: channels\n" in told
    assert ("event: pulse\n" in told) != away


async def _nobody(_: Request) -> Visitor:
    raise SignInNeededError


def _once() -> Callable[[Request], Standing]:
    """Somebody who is in when first looked at, and out when looked at again."""
    standings: Iterator[Standing] = iter(("in", "out"))
    return lambda _: next(standings)
