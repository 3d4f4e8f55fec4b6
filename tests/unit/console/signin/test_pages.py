"""Signing in with a password and out again, as a browser does it."""

import re
import time
from typing import Any

import httpx
import pytest

from services.console.signin.dangers import DANGEROUS
from services.console.state.changes import NAMES
from services.runtime.ids import derive
from tests.support.waiting import eventually
from tests.unit.console.browsing import COOKIE, PASSWORD, Form, browsing, cookie_of
from tests.unit.console.world import PAUSE, STOP, World

pytestmark = pytest.mark.usefixtures("complete")

RIGHT = {"name": "li.wei", "password": PASSWORD}


async def test_the_right_password_leads_to_where_one_was(world: World) -> None:
    async with browsing(world, None) as browser:
        answer = await browser.post("/signin", data=RIGHT | {"next": "/account"})
        page = await browser.get(answer.headers["location"])
    assert (answer.status_code, answer.headers["location"]) == (303, "/account")
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert "li.wei" not in cookie, "it is sealed"
    assert "<h1>li.wei</h1>" in page.text


@pytest.mark.parametrize("place", ["https://elsewhere", "//elsewhere", "/\\elsewhere", "/a\nb"])
async def test_signing_in_leads_nowhere_else(world: World, place: str) -> None:
    async with browsing(world, None) as browser:
        answer = await browser.post("/signin", data=RIGHT | {"next": place})
    assert (answer.status_code, answer.headers["location"]) == (303, "/")


@pytest.mark.parametrize("tried", [{"password": "no"}, {"password": ""}, {"name": "nobody"}, {"name": ""}])
async def test_whatever_is_wrong_the_answer_is_the_same(world: World, tried: dict[str, str]) -> None:
    async with browsing(world, None) as browser:
        answer = await browser.post("/signin", data=RIGHT | tried)
        assert (await browser.get("/")).status_code == 303
    assert answer.status_code == 401
    assert "Name or password is not right." in answer.text
    assert "set-cookie" not in answer.headers


async def test_who_tries_on_and_on_has_to_wait_also_with_the_right_one(world: World) -> None:
    async with browsing(world, None) as browser:
        tries = [await browser.post("/signin", data=RIGHT | {"password": "no"}) for _ in range(5)]
        answer = await browser.post("/signin", data=RIGHT)
    assert [each.status_code for each in tries] == [401] * 5
    assert answer.status_code == 429
    assert answer.headers["retry-after"] in ("1", "2")
    assert "Too many tries" in answer.text


@pytest.mark.parametrize("origin", [{"Origin": "http://elsewhere"}, {"Origin": "null"}])
async def test_another_site_signs_nobody_in_nor_gives_orders(world: World, origin: dict[str, str]) -> None:
    async with browsing(world, None) as browser:
        assert (await browser.post("/signin", data=RIGHT, headers=origin)).status_code == 403
    async with browsing(world) as browser:
        fields = Form((await browser.get("/")).text, "/signout").fields
        order = fields | {"key": "k", "back": "/", "target": "channel:a", "reason": "r"}
        assert (await browser.post("/do/pause", data=order, headers=origin)).status_code == 403
    assert world.commands == []


async def test_a_cookie_opens_no_api(world: World) -> None:
    async with browsing(world) as browser:
        assert (await browser.get("/api/v1/channels")).status_code == 401
        assert (await browser.post(PAUSE, json=STOP)).status_code == 401


async def test_a_token_opens_no_page(world: World, client: httpx.AsyncClient) -> None:
    assert (await client.get("/")).status_code == 303
    assert (await client.get("/api/v1/channels")).status_code == 200


async def test_signing_out_ends_the_session(world: World) -> None:
    async with browsing(world) as browser:
        fields = Form((await browser.get("/")).text, "/signout").fields
        kept = dict(browser.cookies)
        answer = await browser.post("/signout", data=fields)
        assert answer.headers["location"] == "/signin?out=true"
        browser.cookies.update(kept)
        assert (await browser.get("/")).status_code == 303


async def test_another_console_learns_of_it_from_the_audit(world: World) -> None:
    world.judge = {"outcome": "recorded", "who": "person:li.wei", "detail": {"session": derive("li.wei")}}
    async with browsing(world) as browser, browsing(world) as elsewhere:
        assert (await elsewhere.get("/")).status_code == 200
        await browser.post("/signout", data=Form((await browser.get("/")).text, "/signout").fields)
        await eventually(lambda: len(world.commands) == 1, "the audit is told")
        assert (await elsewhere.get("/")).status_code == 303


async def test_signing_out_everywhere_ends_all_sessions_of_that_person(world: World) -> None:
    async with browsing(world) as browser, browsing(world, "admin") as colleague:
        other = cookie_of("li.wei", session_id=derive("other"), began_s=1)
        fields = Form((await browser.get("/account")).text, "/signout/everywhere").fields
        await browser.post("/signout/everywhere", data=fields)
        browser.cookies.set(COOKIE, other)
        assert (await browser.get("/")).status_code == 303
        assert (await colleague.get("/")).status_code == 200


@pytest.mark.parametrize(
    "changed", [{"seen_s": 1}, {"began_s": 1}, {"seen_s": 9_999_999_999}, {"stamp": "of the password before"}]
)
async def test_a_session_that_is_over_lets_nobody_in(world: World, changed: dict[str, Any]) -> None:
    async with browsing(world, None) as browser:
        browser.cookies.set(COOKIE, cookie_of("li.wei", **changed))
        assert (await browser.get("/")).status_code == 303


async def test_a_session_in_use_is_renewed_but_not_by_a_page_that_fetches_itself(world: World) -> None:
    async with browsing(world, None) as browser:
        old = cookie_of("li.wei", seen_s=int(time.time()) - 600)
        browser.cookies.set(COOKIE, old)
        assert "set-cookie" not in (await browser.get("/", headers={"HX-Request": "true"})).headers
        assert "set-cookie" not in (await browser.get("/", headers={"Accept": "text/event-stream"})).headers
        assert "set-cookie" in (await browser.get("/")).headers


async def test_a_tab_that_is_left_alone_does_not_end_the_session_of_another(world: World) -> None:
    async with browsing(world) as browser:
        begun = dict(browser.cookies)
        browser.cookies.set(COOKIE, cookie_of("li.wei", seen_s=int(time.time()) - 7200))
        assert (await browser.get("/")).status_code == 303, "as its stream has it, which began long ago"
        browser.cookies.update(begun)
        assert (await browser.get("/")).status_code == 200


async def test_a_page_whose_session_is_over_is_made_to_ask_and_is_led_to_the_sign_in(world: World) -> None:
    async with browsing(world, None) as browser:
        told = (await browser.get("/live", params={"seen": world.feed.seen()})).text
    assert all(f"event: {topic}\n" in told for topic in NAMES.values())


async def test_who_came_and_left_and_who_did_not_is_told_to_the_audit(world: World) -> None:
    async with browsing(world, None) as browser:
        await browser.post("/signin", data=RIGHT | {"password": "hunter2"})
        await browser.post("/signin", data={"name": "my-pass-word", "password": "li.wei"})
        await browser.post("/signin", data=RIGHT)
        await browser.post("/signout", data=Form((await browser.get("/")).text, "/signout").fields)
        await eventually(lambda: len(world.commands) == 4, "the audit is told")
    told = [(each.command, each.target, each.issued_by) for each in world.commands]
    assert told == [
        ("sign_in_failed", "person:li.wei", "console"),
        ("sign_in_failed", "console:sign-in", "console"),
        ("sign_in", "person:li.wei", "person:li.wei"),
        ("sign_out", "person:li.wei", "person:li.wei"),
    ]
    assert world.commands[2].session == world.commands[3].session
    said = "".join(each.model_dump_json() for each in world.commands)
    assert "hunter2" not in said
    assert "my-pass-word" not in said


async def freezing(browser: httpx.AsyncClient) -> dict[str, str]:
    """A form that freezes channel:a."""
    fields = Form((await browser.get("/")).text, "/signout").fields
    return fields | {"key": "k1", "back": "/?x=1", "target": "channel:a", "reason": "fraud"}


async def test_a_dangerous_order_wants_the_targets_name(world: World) -> None:
    async with browsing(world) as browser:
        fields = await freezing(browser)
        for typed in ({}, {"confirm": ""}, {"confirm": "b"}):
            answer = await browser.post("/do/freeze", data=fields | typed)
            assert answer.status_code == 422
            assert "type a" in answer.text
        assert world.commands == []
        assert (await browser.post("/do/freeze", data=fields | {"confirm": "a"})).status_code == 303
    assert [each.command for each in world.commands] == ["freeze"]


async def test_a_dangerous_order_wants_somebody_who_has_just_proved_who_they_are(world: World) -> None:
    long_ago = int(time.time()) - 3000
    async with browsing(world, None) as browser:
        browser.cookies.set(COOKIE, cookie_of("li.wei", began_s=long_ago, proved_s=long_ago))
        fields = await freezing(browser) | {"confirm": "a"}
        answer = await browser.post("/do/freeze", data=fields)
        assert (answer.status_code, answer.headers["location"]) == (303, "/signin/again?next=%2F%3Fx%3D1")
        assert (await browser.post("/do/pause", data=fields)).status_code == 303, "what is not dangerous goes on"
        page = await browser.get("/signin/again")
        assert 'value="li.wei" readonly' in page.text
        browser.cookies.delete(COOKIE)
        browser.cookies.set(COOKIE, cookie_of("li.wei", began_s=long_ago, proved_s=long_ago))
        proved = await browser.post("/signin", data=RIGHT)
        browser.cookies.delete(COOKIE)
        browser.cookies.set(COOKIE, proved.cookies[COOKIE])
        again = await browser.post("/do/freeze", data=fields | {"key": "k2"})
        assert again.status_code == 303, "the form is of the same session"
        await eventually(lambda: len(world.commands) == 3, "the audit is told")
    (entry,) = [each for each in world.commands if each.command == "sign_in"]
    assert entry.note == "by password, as operator, once more"
    assert "freeze" in [each.command for each in world.commands]


@pytest.mark.parametrize("path", ["/", "/channels/channel:a", "/channels/content:a"])
async def test_every_form_of_a_dangerous_order_asks_for_the_name_or_who_one_is(world: World, path: str) -> None:
    long_ago = int(time.time()) - 3000
    for changed, asked in (({}, 'name="confirm"'), ({"proved_s": long_ago}, "/signin/again?next=")):
        async with browsing(world, None) as browser:
            browser.cookies.set(COOKIE, cookie_of("an admin", **changed))
            page = (await browser.get(path)).text
        words = re.findall(r'action="/do/(\w+)".*?</form>', page, re.DOTALL)
        forms = re.findall(r'action="/do/\w+".*?</form>', page, re.DOTALL)
        dangerous = [form for word, form in zip(words, forms, strict=True) if word in DANGEROUS]
        assert dangerous
        assert all(asked in form for form in dangerous)
        assert not any(asked in form for word, form in zip(words, forms, strict=True) if word not in DANGEROUS)
