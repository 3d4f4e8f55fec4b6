"""What people's scripts say to a version of the policy that waits: with the same rights as on the page."""

from datetime import UTC, datetime
from functools import partial
from typing import Any

import httpx
import pytest

from schemas.policy import Policy
from schemas.policy_topic import PolicyTopic
from services.console.app import build_app
from services.console.orders.policy_desk_io import PolicyAwayError
from services.console.people import Role
from services.policies.changes import Ask, Change, apply
from services.runtime.health import Health
from tests.unit.console.world import SETTINGS, World

CALM: dict[str, Any] = {"complaint_volume": {"maturity": "notify"}}


@pytest.fixture
async def waiting(world: World, complete: None) -> World:
    """default/2 waits, as another person proposed it."""
    zhao = Ask("zhao", datetime.now(UTC), "as agreed")
    for fields in ({"version": 1, "indicators": CALM}, {"version": 2}):
        wanted = Policy.model_validate(fields)
        await world.change(zhao, partial(_apply, wanted))
    return world


def _apply(wanted: Policy, topic: PolicyTopic, ask: Ask) -> Change:
    return apply(topic, wanted, ask)


async def said(world: World, role: Role, word: str, **body: str) -> httpx.Response:
    transport = httpx.ASGITransport(build_app(SETTINGS, world.feed, world, Health(), world))
    async with httpx.AsyncClient(transport=transport, base_url="http://console") as client:
        headers = {"Authorization": f"Bearer {role}"}
        if word == "list":
            return await client.get("/api/v1/policies", headers=headers)
        wanted = {"version": "default/2", "note": "because"} | body
        return await client.post(f"/api/v1/policies/{word}", json=wanted, headers=headers)


async def test_a_viewer_sees_what_waits(waiting: World) -> None:
    told = (await said(waiting, "viewer", "list")).json()
    assert (told["active"], [each["version"] for each in told["versions"]]) == ("default/1", [2, 1])
    assert told["versions"][0]["state"] == "proposed"


@pytest.mark.parametrize(("role", "word"), [("viewer", "withdraw"), ("operator", "approve"), ("operator", "reject")])
async def test_each_word_takes_its_role(waiting: World, role: Role, word: str) -> None:
    assert (await said(waiting, role, word)).status_code == 403
    assert waiting.feed.policies.records["default/2"].agreed == []


async def test_one_agrees_and_another_says_no(waiting: World) -> None:
    agreed = await said(waiting, "approver", "approve")
    assert (agreed.status_code, agreed.json()["version"]["agreed"]) == (200, ["person:an approver"])
    no = (await said(waiting, "admin", "reject")).json()
    assert (no["says"], no["version"]["state"]) == ("default/2 is rejected; default/1 stays in force", "rejected")
    again = await said(waiting, "approver", "approve")
    assert (again.status_code, again.json()["detail"]) == (409, "refused: default/2 was rejected by person:an admin")


@pytest.mark.parametrize("body", [{"note": " "}, {"version": "2"}, {"version": "default/0"}, {"more": "x"}])
async def test_a_word_that_is_not_complete_is_none(waiting: World, body: dict[str, str]) -> None:
    assert (await said(waiting, "approver", "reject", **body)).status_code == 422


async def test_without_kafka_nobody_is_told_that_it_was_taken(waiting: World, monkeypatch: pytest.MonkeyPatch) -> None:
    async def away(*_: object) -> None:
        raise PolicyAwayError

    monkeypatch.setattr(waiting, "change", away)
    answer = await said(waiting, "approver", "reject")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
