"""`POST /api/v1/scan`, by the policy that the topic names."""

from typing import Any

import httpx
import pytest

from schemas.policy import IndicatorPolicy, Policy, PolicyRef
from schemas.topics import POLICY
from services.scanning.fingerprints import fingerprint
from tests.unit.console.world import World

SCAN = "/api/v1/scan"
PROMPTS = "\n投资有风险。历史业绩不代表未来表现。"


@pytest.fixture
async def in_force(world: World, complete: None) -> None:
    thresholds = IndicatorPolicy(thresholds={"disclosure_share": 0.2})
    policy = Policy(version=7, indicators={"content_violation": thresholds})
    await world.read(POLICY, (policy.label, policy), ("active", PolicyRef(name="default", version=7)))


@pytest.mark.usefixtures("in_force")
async def test_a_viewer_is_told_what_where_and_what_instead(client: httpx.AsyncClient) -> None:
    body = {"body": f"本产品保 本{PROMPTS}", "disclosure_share": 0.19, "reviewers": 2}
    answer = await client.post(SCAN, json=body, headers={"Authorization": "Bearer viewer"})
    told = answer.json()
    assert (answer.status_code, told["policy"], told["violated"]) == (200, "default/7", True)
    assert told["proposed"] == f"本产品非保本{PROMPTS}"
    assert told["fingerprint"] == fingerprint(f"本产品保本{PROMPTS}"), "blind to spaces"
    assert [(one["kind"], one["phrase"], one["begin"], one["end"]) for one in told["findings"]] == [
        ("phrase", "保本", 3, 6),
        ("disclosure_share", None, None, None),
    ]
    assert "at least 20.0%" in told["findings"][1]["text"]["en"]


@pytest.mark.usefixtures("in_force")
@pytest.mark.parametrize(
    "body", ['{"body": "x", "reviewers": ' + "9" * 5000 + "}", '{"body": ' + "[" * 60_000, "[" * 60_000 + "]" * 60_000]
)
async def test_what_no_reader_can_read_is_refused(client: httpx.AsyncClient, body: str) -> None:
    answer = await client.post(SCAN, content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code in (400, 422)


@pytest.mark.usefixtures("in_force")
async def test_an_innocent_text_is_clean(client: httpx.AsyncClient) -> None:
    told = (await client.post(SCAN, json={"body": f"本产品不保本{PROMPTS}"})).json()
    assert (told["violated"], told["findings"], told["proposed"]) == (False, [], f"本产品不保本{PROMPTS}")


@pytest.mark.usefixtures("in_force")
@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"body": "本" * 20_001}, "body"),
        ({}, "body"),
        ({"body": "", "disclosure_share": 15}, "disclosure_share"),
        ({"body": "", "reviewers": ["a"]}, "reviewers"),
        ({"body": "", "disclosure": 0.2}, "disclosure"),
    ],
)
async def test_a_mistake_is_named_and_the_text_not_quoted(
    client: httpx.AsyncClient, body: dict[str, Any], field: str
) -> None:
    answer = await client.post(SCAN, json=body)
    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == [field]
    assert "本本" not in answer.text


@pytest.mark.usefixtures("in_force")
async def test_the_longest_text_is_taken(client: httpx.AsyncClient) -> None:
    assert (await client.post(SCAN, json={"body": "本" * 20_000})).status_code == 200


@pytest.mark.usefixtures("complete")
async def test_without_a_policy_nothing_is_judged(client: httpx.AsyncClient) -> None:
    answer = await client.post(SCAN, json={"body": "保本"})
    assert (answer.status_code, answer.json()["detail"]) == (503, "no policy is in force")


@pytest.mark.usefixtures("in_force")
async def test_a_stranger_is_told_nothing(client: httpx.AsyncClient) -> None:
    assert (await client.post(SCAN, json={"body": ""}, headers={"Authorization": "Bearer x"})).status_code == 401
