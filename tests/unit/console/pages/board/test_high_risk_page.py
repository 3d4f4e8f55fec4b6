"""The page on which people stop or slow all high-risk products at once."""

import time
from collections.abc import AsyncIterator

import httpx
import pytest

from schemas.policy import Policy, PolicyRef
from schemas.topics import POLICY
from tests.unit.console.browsing import COOKIE, NAMES, Form, browsing, cookie_of
from tests.unit.console.world import World

PAGE = "/high-risk"
SAID = {"reason": "the market falls", "command": "pause", "percent": "50", "minutes": "60", "confirm": "high-risk"}


@pytest.fixture
async def products(world: World, complete: None) -> World:
    names = {"steady": "low", "wild": "high", "bold": "high"}
    entries = {name: {"name": {"en": name.title(), "zh": name}, "risk": risk} for name, risk in names.items()}
    policy = Policy.model_validate({"version": 2, "directory": {"products": entries}})
    await world.read(POLICY, (policy.label, policy), ("active", PolicyRef(name=policy.name, version=policy.version)))
    world.judge = {"outcome": "done"}
    return world


@pytest.fixture
async def client(products: World) -> AsyncIterator[httpx.AsyncClient]:
    async with browsing(products) as client:
        yield client


async def given(client: httpx.AsyncClient, **changed: str) -> httpx.Response:
    return await client.post(PAGE, data=Form((await client.get(PAGE)).text, PAGE).fields | SAID | changed)


async def test_one_form_stops_all_of_them_and_tells_of_each(products: World, client: httpx.AsyncClient) -> None:
    page = (await client.get(PAGE)).text
    assert "Steady" not in page
    assert "To unfreeze takes 2 other people" in page
    answer = await given(client)
    assert answer.status_code == 303
    assert [(one.command, one.target, one.factor, one.issued_by) for one in products.commands] == [
        ("pause", "product:bold", None, "person:li.wei"),
        ("pause", "product:wild", None, "person:li.wei"),
    ]
    assert all(one.expires_at is not None and one.note == "the market falls" for one in products.commands)
    told = (await client.get(answer.headers["location"])).text
    assert told.count("Done.") == 2
    assert "/high-risk" in (await client.get("/?part=beside")).text, "the board leads there"


async def test_they_are_slowed_to_a_share(products: World, client: httpx.AsyncClient) -> None:
    await given(client, command="throttle", percent="20", minutes="")
    assert {(one.command, one.factor, one.expires_at) for one in products.commands} == {("throttle", 0.2, None)}


async def test_pressed_twice_it_counts_once(products: World, client: httpx.AsyncClient) -> None:
    fields = Form((await client.get(PAGE)).text, PAGE).fields | SAID
    places = {(await client.post(PAGE, data=fields)).headers["location"] for _ in range(2)}
    assert (len(places), len(products.commands)) == (1, 2)


async def test_a_refusal_is_told_beside_its_product(products: World, client: httpx.AsyncClient) -> None:
    products.judge = {"outcome": "refused", "why": "not now"}
    told = (await client.get((await given(client)).headers["location"])).text
    assert (told.count("Refused."), told.count("not now")) == (2, 2)


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({"confirm": "wild"}, 422),
        ({"confirm": " "}, 422),
        ({"reason": " "}, 422),
        ({"command": "resume"}, 422),
        ({"csrf": "x"}, 403),
    ],
)
async def test_what_is_not_meant_stops_nothing(
    products: World, client: httpx.AsyncClient, changed: dict[str, str], status: int
) -> None:
    assert (await given(client, **changed)).status_code == status
    assert products.commands == []


async def test_it_takes_an_operator_who_has_just_proved_who_they_are(products: World) -> None:
    async with browsing(products, "viewer", "zh") as client:
        page = (await client.get(PAGE)).text
        assert "需要“操作”角色" in page
        csrf = Form((await client.get("/account")).text, "/signout").fields["csrf"]
        assert (await client.post(PAGE, data=SAID | {"csrf": csrf})).status_code == 403
    async with browsing(products) as client:
        client.cookies.set(COOKIE, cookie_of(NAMES["operator"], proved_s=int(time.time()) - 3600))
        assert "You signed in a while ago" in (await client.get(PAGE)).text
        assert (await given(client)).headers["location"] == "/signin/again?next=%2Fhigh-risk"
    assert products.commands == []


async def test_without_kafka_nobody_is_told_that_it_was_given(products: World, client: httpx.AsyncClient) -> None:
    products.away = True
    assert (await given(client)).status_code == 503


async def test_without_high_risk_products_the_page_says_what_to_do(world: World, complete: None) -> None:
    async with browsing(world) as client:
        assert "names no product of the risk class high" in (await client.get(PAGE)).text
