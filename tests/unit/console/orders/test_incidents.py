"""Incidents over HTTP: listed, found by old ids, reported, put together and taken apart."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from schemas.alerts import INCIDENT_LABEL, AlertState
from schemas.topics import ALERT_STATE, AUDIT, CHANNEL_STATE, POLICY
from services.console.app import build_app
from services.console.state.feed_io import Feed
from services.runtime.health import Health
from services.runtime.ids import derive
from tests.unit.console.samples import NOW
from tests.unit.console.world import SETTINGS, World
from tests.unit.incidents.samples import alert

FUND: dict[str, Any] = {"products": {"fund-a": 18}}
A, B, C = alert("a", detail=FUND), alert("b", 5, detail=FUND), alert("c", 9)
LIST = "/api/v1/incidents"


@pytest.fixture
async def world() -> World:
    """Of three alerts two are one incident."""
    world = World(Feed(SETTINGS, Health(), NOW))
    for topic in (CHANNEL_STATE, AUDIT, POLICY):
        await world.read(topic)
    await world.read(ALERT_STATE, *((each.alert_id, each) for each in (A, B, C)))
    return world


@pytest.fixture
async def client(world: World) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(build_app(SETTINGS, world.feed, world, Health()))
    headers = {"Authorization": "Bearer operator"}
    async with httpx.AsyncClient(transport=transport, base_url="http://console", headers=headers) as client:
        yield client


async def listed(client: httpx.AsyncClient, **query: str) -> list[tuple[str, list[str]]]:
    answer = await client.get(LIST, params=query)
    assert answer.status_code == 200
    return [(each["incident_id"], each["alerts"]) for each in answer.json()["incidents"]]


async def carried_out(world: World) -> None:
    """What channel_control and alerting make of the last order: each alert gets its label."""
    for key, ids in (world.commands[-1].incidents or {}).items():
        for alert_id in ids:
            known = world.feed.alerts.get(alert_id)
            assert known is not None
            update = {"labels": {INCIDENT_LABEL: key}, "seq": known.seq + 1}
            await world.read(ALERT_STATE, (alert_id, known.model_copy(update=update)))


async def test_incidents_are_listed_the_newest_first_and_found_by_the_id_of_any_alert(
    client: httpx.AsyncClient,
) -> None:
    assert await listed(client) == [(C.alert_id, [C.alert_id]), (A.alert_id, [A.alert_id, B.alert_id])]
    assert await listed(client, limit="1") == [(C.alert_id, [C.alert_id])]
    assert await listed(client, status="closed") == []
    for each in (A, B):
        one = (await client.get(f"{LIST}/{each.alert_id}")).json()
        assert (one["incident_id"], one["cause"]["thing"]) == (A.alert_id, "product:fund-a")
    assert (await client.get(f"{LIST}/{derive('z')}")).status_code == 404
    assert (await client.get(f"{LIST}/{derive('z')}/report")).status_code == 404


async def test_a_report_is_a_document_that_runs_nothing(client: httpx.AsyncClient) -> None:
    text = await client.get(f"{LIST}/{B.alert_id}/report")
    assert text.headers["Content-Type"].startswith("text/markdown")
    assert text.text.startswith("# Incident report: a in trouble")
    html = await client.get(f"{LIST}/{B.alert_id}/report", params={"format": "html", "language": "zh"})
    assert html.headers["Content-Type"].startswith("text/html")
    assert html.headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert "事件报告" in html.text


async def test_merge_and_split_are_orders_and_the_old_id_leads_on(world: World, client: httpx.AsyncClient) -> None:
    world.judge = {"outcome": "done"}
    merge = {"incident_ids": [C.alert_id], "note": "same campaign"}
    answer = await client.post(f"{LIST}/{B.alert_id}/merge", json=merge, params={"wait": 5})
    assert (answer.status_code, answer.json()["outcome"]) == (200, "done")
    (command,) = world.commands
    everything = [A.alert_id, B.alert_id, C.alert_id]
    assert (command.command, command.target) == ("merge", f"incident:{A.alert_id}")
    assert (command.incidents, command.note, command.issued_by) == (
        {A.alert_id: everything},
        "same campaign",
        "person:li.wei",
    )
    await carried_out(world)
    assert await listed(client) == [(A.alert_id, everything)]
    assert (await client.get(f"{LIST}/{C.alert_id}")).json()["incident_id"] == A.alert_id
    answer = await client.post(f"{LIST}/{A.alert_id}/split", json={"alert_ids": [C.alert_id]}, params={"wait": 5})
    assert answer.status_code == 200
    await carried_out(world)
    assert await listed(client) == [(C.alert_id, [C.alert_id]), (A.alert_id, [A.alert_id, B.alert_id])]


async def test_a_repeated_key_is_the_same_order_even_after_the_alerts_have_moved(
    world: World, client: httpx.AsyncClient
) -> None:
    world.judge = {"outcome": "done"}
    headers, path = {"Idempotency-Key": "once"}, f"{LIST}/{A.alert_id}/merge"
    body = {"incident_ids": [C.alert_id]}
    first = await client.post(path, json=body, headers=headers, params={"wait": 5})
    await carried_out(world)
    again = await client.post(path, json=body, headers=headers)
    assert (again.status_code, again.json()) == (200, first.json())
    assert len(world.commands) == 1
    other = await client.post(path, json={"incident_ids": [derive("z")]}, headers=headers)
    assert other.status_code == 422
    assert len(world.commands) == 1


@pytest.mark.parametrize(
    ("what", "body", "problem"),
    [
        ("merge", {"incident_ids": [B.alert_id]}, "names no other incident"),
        ("merge", {"incident_ids": [derive("z")]}, "not known"),
        ("split", {"alert_ids": [C.alert_id]}, "not in this incident"),
        ("split", {"alert_ids": [A.alert_id, B.alert_id]}, "without any alert"),
        ("split", {"alert_ids": []}, ""),
    ],
)
async def test_what_cannot_be_is_refused_and_not_sent(
    world: World, client: httpx.AsyncClient, what: str, body: dict[str, Any], problem: str
) -> None:
    answer = await client.post(f"{LIST}/{A.alert_id}/{what}", json=body)
    assert answer.status_code == 422
    assert problem in answer.text
    assert world.commands == []


async def test_a_viewer_may_look_and_not_order(world: World, client: httpx.AsyncClient) -> None:
    headers = {"Authorization": "Bearer viewer"}
    assert (await client.get(LIST, headers=headers)).status_code == 200
    body = {"incident_ids": [C.alert_id]}
    assert (await client.post(f"{LIST}/{A.alert_id}/merge", json=body, headers=headers)).status_code == 403
    assert world.commands == []


async def test_an_alert_that_resolves_stays_in_its_incident(world: World, client: httpx.AsyncClient) -> None:
    over: AlertState = A.model_copy(update={"status": "resolved", "resolved_at": A.opened_at, "seq": 5})
    await world.read(ALERT_STATE, (A.alert_id, over))
    assert (await listed(client, status="open"))[1] == (A.alert_id, [A.alert_id, B.alert_id])
