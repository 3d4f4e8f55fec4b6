"""The pages on which people read, change and agree to policies."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from html import unescape
from typing import Any

import httpx
import pytest

from schemas.policy import Policy
from schemas.topics import CHANNEL_STATE
from services.console.pages.policy import policy as views
from services.console.pages.policy.policy import still
from services.console.people import Role
from services.policies.changes import Ask, apply
from services.policies.reading import parse_policy
from services.policies.text import text_of
from tests.unit.console.browsing import Form, browsing
from tests.unit.console.samples import person
from tests.unit.console.targets import state
from tests.unit.console.world import World

CALM: dict[str, Any] = {"complaint_volume": {"maturity": "notify"}}
OTHERS = {"first": "zhao", "second": "qian", "third": "sun"}


def policy(version: int, **fields: Any) -> Policy:
    return Policy.model_validate({"version": version, **fields})


async def put_in_force(world: World, wanted: Policy, name: str = "zhao", note: str = "as agreed") -> None:
    await world.change(Ask(name, datetime.now(UTC), note), lambda topic, ask: apply(topic, wanted, ask))


@pytest.fixture
async def in_force(world: World, complete: None) -> World:
    await put_in_force(world, policy(1, indicators=CALM))
    return world


@asynccontextmanager
async def looking(world: World, role: Role = "operator", language: str = "en") -> AsyncIterator[httpx.AsyncClient]:
    async with browsing(world, role, language) as client:
        yield client


async def post(client: httpx.AsyncClient, page: str, action: str, **fields: str) -> httpx.Response:
    """Gives a form of a page."""
    hidden = Form((await client.get(page)).text, action).fields
    return await client.post(action, data=hidden | fields)


async def test_the_policy_is_read_in_words(in_force: World) -> None:
    async with looking(in_force, "viewer") as client:
        page = (await client.get("/policy")).text
    assert "In force: default/1" in page
    assert "zhao" in page
    assert "as agreed" in page
    assert "Complaints of a day" in page
    assert "At most so many count per account or address." in page
    async with looking(in_force, "viewer", "zh") as client:
        page = (await client.get("/policy")).text
    assert "生效中：default/1" in page
    assert "当日投诉量" in page


async def test_what_nobody_has_named_is_told_as_the_document_wants_it(in_force: World) -> None:
    async with looking(in_force, "viewer") as client:
        assert "Without a name" not in (await client.get("/policy")).text
    met = [f"channel:c-{number:03}" for number in range(views.MAX_UNNAMED + 2)]
    await in_force.read(CHANNEL_STATE, *((each, state(each, "running")) for each in (*met, "promotion:007@c-000")))
    async with looking(in_force, "viewer") as client:
        page = (await client.get("/policy")).text
        assert "尚未命名" in (await client.get("/policy", headers={"Accept-Language": "zh"})).text
    card = page.partition('id="unnamed"')[2].partition("</details>")[0]
    assert f">{len(met) + 1}</span>" in card
    pasted = unescape(card.partition("<pre>")[2].partition("</pre>")[0])
    named = parse_policy(f"name: default\nversion: 2\n{pasted}", "pasted")
    assert set(named.directory.channels) == {each.partition(":")[2] for each in met[: views.MAX_UNNAMED]}
    assert named.directory.products["007"].name.en == "007"


async def test_without_a_policy_the_page_says_so(world: World, complete: None) -> None:
    async with looking(world) as client:
        assert "No policy is in force" in (await client.get("/policy")).text
        assert (await client.get("/policy/edit")).status_code == 200
        assert (await client.get("/policy/version?label=default/9")).status_code == 404
        assert (await client.get("/policy/diff?a=default/9&b=x/1")).status_code == 404


async def test_all_problems_are_told_with_their_lines_in_both_languages(in_force: World) -> None:
    text = "version: 2\ntresholds: 1\nindicators:\n  complaint_volume: {thresholds: {complaints: 0}}"
    for language, words in (
        ("en", ["2 to mend", "line 2", "is not known", "line 4", "greater than or equal to 1"]),
        ("zh", ["需修正 2 处", "第 2 行", "未知的名称", "第 4 行", "应不小于 1"]),
    ):
        async with looking(in_force, language=language) as client:
            told = (await post(client, "/policy/edit", "/policy/edit", document=text, do="check")).text
            fields = Form((await client.get("/policy/edit")).text, "/policy/edit").fields
            part = (await client.post("/policy/check", data=fields | {"document": text})).text
        for page in (told, part):
            assert all(each in page for each in words)
        assert "<html" not in part


async def test_what_differs_is_told_and_what_needs_others_is_marked(in_force: World) -> None:
    text = text_of(policy(2, max_silence="1h"))
    async with looking(in_force) as client:
        fields = Form((await client.get("/policy/edit")).text, "/policy/edit").fields
        part = (await client.post("/policy/check", data=fields | {"document": text})).text
    assert "waits until 2 others agree" in part
    assert "max_silence" in part
    assert part.count("others must agree") == 1, "only the row of the pause is marked"
    assert "“pause” by itself" in part


async def test_a_figure_is_set_without_touching_the_rest(in_force: World) -> None:
    text = "version: 2  # the second\nindicators: {complaint_volume: {maturity: notify}}  # calm\n"
    fields = {"document": text, "do": "put", "figure": "complaint_volume.thresholds.complaints", "value": "30"}
    async with looking(in_force) as client:
        page = (await post(client, "/policy/edit", "/policy/edit", **fields, subject="douyin")).text
        assert "# the second" in page
        assert "overrides: {&#34;channel:douyin&#34;: {thresholds: {complaints: 30}}}}}  # calm" in page
        assert "is valid" in page
        wrong = await post(client, "/policy/edit", "/policy/edit", **fields | {"value": "[", "subject": ""})
        assert (wrong.status_code, "Not set" in wrong.text) == (422, True)
        taken = await post(client, "/policy/edit", "/policy/edit", **fields | {"document": "version: 1"})
        assert "version: 2" in taken.text, "a number that is taken is raised"


async def test_one_proposes_and_others_agree(in_force: World) -> None:
    text = text_of(policy(2))
    async with looking(in_force) as client:
        unexplained = await post(client, "/policy/edit", "/policy/edit", document=text)
        assert unexplained.status_code == 200
        fields = Form((await client.get("/policy/edit")).text, "/policy/edit").fields | {"document": text}
        assert (await client.post("/policy/propose", data=fields)).status_code == 422
        answer = await client.post("/policy/propose", data=fields | {"reason": "calm enough"})
        assert (answer.status_code, answer.headers["location"]) == (303, "/policy?about=default/2")
        page = (await client.get("/policy?about=default/2")).text
        assert "default/2 waits for the agreement of others." in page
        assert "You proposed it" in page
        refused = await client.post("/policy/approve", data=fields | {"label": "default/2", "reason": "mine"})
        assert refused.status_code == 403
    assert in_force.feed.policies.active == "default/1"
    async with looking(in_force, "approver") as client:
        answer = await post(client, "/policy", "/policy/approve", reason="agreed")
        assert answer.status_code == 303
        assert "You have agreed" in (await client.get("/policy")).text
    assert in_force.feed.policies.records["default/2"].agreed == ["person:an approver"]
    async with looking(in_force, "admin", "zh") as client:
        await post(client, "/policy", "/policy/approve", reason="同意")
        assert "default/2 已生效" in (await client.get("/policy?about=default/2")).text
    assert in_force.feed.policies.active == "default/2"


async def test_another_person_says_no_and_the_page_tells_why(in_force: World) -> None:
    await put_in_force(in_force, policy(2))
    async with looking(in_force) as client:
        page = (await client.get("/policy")).text
        assert ("/policy/reject" in page, "/policy/withdraw" in page) == (False, False)
        fields = Form(page, "/policy/rollback").fields if "/policy/rollback" in page else {}
        csrf = fields.get("csrf") or Form((await client.get("/policy/edit")).text, "/policy/edit").fields["csrf"]
        said = {"csrf": csrf, "label": "default/2", "reason": "mine"}
        assert (await client.post("/policy/reject", data=said)).status_code == 403
        taken = await client.post("/policy/withdraw", data=said)
        assert (taken.status_code, "only person:zhao" in taken.text) == (409, True)
    async with looking(in_force, "approver") as client:
        fields = Form((await client.get("/policy")).text, "/policy/reject").fields
        assert (await client.post("/policy/reject", data=fields)).status_code == 422, "a no has a reason"
        answer = await client.post("/policy/reject", data=fields | {"reason": "too soon"})
        assert answer.headers["location"] == "/policy?about=default/2"
        page = (await client.get("/policy?about=default/2")).text
    assert "default/2 was rejected." in page
    assert "rejected by an approver" in page
    assert "“too soon”" in page
    assert "Waits for approval" not in page
    assert in_force.feed.policies.active == "default/1"


async def test_whoever_proposed_takes_it_back(in_force: World) -> None:
    await put_in_force(in_force, policy(2), "li.wei")
    async with looking(in_force, language="zh") as client:
        page = (await client.get("/policy")).text
        assert "/policy/reject" not in page
        answer = await post(client, "/policy", "/policy/withdraw", reason="写错了")
        assert answer.status_code == 303
        assert "default/2 已撤回" in (await client.get("/policy?about=default/2")).text
    assert in_force.feed.policies.records["default/2"].state == "withdrawn"


async def test_who_is_asked_to_agree_is_told_that_not_all_differences_are_shown(
    in_force: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(views, "MAX_ROWS", 0)
    async with looking(in_force) as client:
        fields = Form((await client.get("/policy/edit")).text, "/policy/edit").fields | {"document": text_of(policy(2))}
        await client.post("/policy/propose", data=fields | {"reason": "calm enough"})
        page = (await client.get("/policy")).text
        assert "more that are not shown here" in page
        assert (await client.get("/policy/version?label=default/2")).status_code == 200


async def test_nobody_agrees_to_what_they_proposed_whatever_their_role(in_force: World) -> None:
    await put_in_force(in_force, policy(2), person("admin", "an admin").name)
    async with looking(in_force, "admin") as client:
        page = (await client.get("/policy")).text
        assert "/policy/approve" not in page
        fields = Form(page, "/policy/rollback").fields if "/policy/rollback" in page else {}
        csrf = fields.get("csrf") or Form((await client.get("/policy/edit")).text, "/policy/edit").fields["csrf"]
        answer = await client.post("/policy/approve", data={"csrf": csrf, "label": "default/2", "reason": "mine"})
        assert (answer.status_code, "takes another person" in answer.text) == (409, True)


async def test_an_old_content_comes_back_as_a_new_version(in_force: World) -> None:
    await put_in_force(in_force, policy(2, indicators=CALM, max_silence="1h"))
    async with looking(in_force) as client:
        assert "max_silence" in (await client.get("/policy/diff?a=default/1&b=default/2")).text
        assert "max_silence: 1h" in (await client.get("/policy/version?label=default/2")).text
        answer = await post(client, "/policy", "/policy/rollback", reason="too short")
        assert answer.headers["location"] == "/policy?about=default/3"
        page = (await client.get("/policy?about=default/3")).text
    assert "default/3 is in force." in page
    assert "the content of version 1" in page
    assert in_force.feed.policies.records["default/3"].by == "person:li.wei"


@pytest.mark.parametrize(
    "action",
    ["/policy/propose", "/policy/approve", "/policy/reject", "/policy/withdraw", "/policy/rollback", "/policy/edit"],
)
async def test_a_form_from_elsewhere_changes_nothing(in_force: World, action: str) -> None:
    async with looking(in_force, "admin") as client:
        answer = await client.post(action, data={"document": "version: 2", "label": "default/1", "reason": "x"})
    assert answer.status_code == 403
    assert list(in_force.feed.policies.documents) == ["default/1"]


@pytest.mark.parametrize("action", ["/policy/propose", "/policy/rollback"])
async def test_a_viewer_changes_nothing(in_force: World, action: str) -> None:
    async with looking(in_force, "viewer") as client:
        page = (await client.get("/policy/edit")).text
        fields = Form(page, "/policy/edit").fields | {"document": "version: 2", "label": "default/1", "reason": "x"}
        assert "/policy/propose" not in page
        assert (await client.post(action, data=fields)).status_code == 403
    assert list(in_force.feed.policies.documents) == ["default/1"]


def test_the_document_of_a_version_says_the_same() -> None:
    wanted = policy(4, indicators=CALM, max_silence="1h")
    assert parse_policy(text_of(wanted), "p") == wanted


async def test_a_document_that_is_too_long_is_not_cut(in_force: World) -> None:
    async with looking(in_force) as client:
        fields = Form((await client.get("/policy/edit")).text, "/policy/edit").fields | {"document": "长" * 40_000}
        answer = await client.post("/policy/edit", files={name: (None, value) for name, value in fields.items()})
    assert (answer.status_code, "tidegate policy apply" in answer.text) == (413, True)


async def test_a_document_in_two_languages_fits_as_a_browser_sends_it(in_force: World) -> None:
    text = "version: 2\n# " + "长" * 30_000
    async with looking(in_force) as client:
        fields = Form((await client.get("/policy/edit")).text, "/policy/edit").fields | {"document": text}
        answer = await client.post("/policy/check", files={name: (None, value) for name, value in fields.items()})
    assert (answer.status_code, "is valid" in answer.text) == (200, True)


async def test_a_long_history_is_shown_when_it_is_asked_for(in_force: World) -> None:
    for version in range(2, 36):
        await put_in_force(in_force, policy(version, indicators=CALM, max_silence=f"{version}h"))
    async with looking(in_force) as client:
        newest, whole = [(await client.get(place)).text for place in ("/policy", "/policy?all=true")]
    assert ("All 35 versions" in newest, newest.count("<article")) == (True, 30)
    assert ("All 35 versions" in whole, whole.count("<article")) == (False, 35)


async def test_a_thread_looks_at_what_does_not_change_meanwhile(in_force: World) -> None:
    looked_at = still(in_force.feed.policies)
    await put_in_force(in_force, policy(2, indicators=CALM))
    assert (looked_at.active, list(looked_at.documents), list(looked_at.records)) == (
        "default/1",
        ["default/1"],
        ["default/1"],
    )
