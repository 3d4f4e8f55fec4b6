"""What the console shows and to whom, on views that are filled by hand."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from aiokafka.errors import KafkaError

from schemas.base import to_ms
from schemas.channels import Hold
from schemas.policy import Policy, PolicyRef
from schemas.topics import ALERT_STATE, AUDIT, CHANNEL_STATE, DEAD_LETTERS, POLICY, READINGS
from services.runtime.ids import derive
from services.runtime.kafka import kafka_io
from services.runtime.kafka.kafka_io import Batch
from tests.unit.console.samples import NOW, alert, asked, audit, channel, waiting
from tests.unit.console.world import PAUSE, STOP, World


async def test_until_all_is_read_nothing_is_shown_and_nothing_ordered(world: World, client: httpx.AsyncClient) -> None:
    for topic in (CHANNEL_STATE, ALERT_STATE, POLICY):
        await world.read(topic)
    await world.read(AUDIT, ("channel:a", audit("a")), caught_up=False)
    for answer in (await client.get("/api/v1/audit"), await client.post(PAUSE, json=STOP)):
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "2")
    await world.read(AUDIT)
    assert (await client.get("/api/v1/audit")).status_code == 200
    assert world.commands == []


async def test_while_a_topic_is_read_again_nothing_old_is_shown(
    world: World, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Kafka fails once; then the console is in the middle of the old states that the topic begins with."""
    alerts = [alert("a", "resolved"), alert("a")]
    failed, broken, shown, again = set[str](), asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def follow(_: object, topic: str, **__: object) -> AsyncIterator[Batch]:
        if topic in failed:
            await world.read(ALERT_STATE, (alerts[1].alert_id, alerts[1]), caught_up=False)
            broken.set()
            await shown.wait()
        yield Batch([], caught_up=True)
        if topic in failed:
            again.set()
        elif topic == ALERT_STATE:
            failed.add(topic)
            await world.read(topic, (alerts[0].alert_id, alerts[0]))
            raise KafkaError
        await asyncio.Event().wait()

    async def at_once(*_: object) -> None:
        pass

    for name, fake in (("follow", follow), ("wait_for_broker", at_once), ("ensure_topics", at_once)):
        monkeypatch.setattr(kafka_io, name, fake)
    async with asyncio.timeout(10), asyncio.TaskGroup() as tasks:
        running = tasks.create_task(world.feed.run())
        await broken.wait()
        answer = await client.get("/api/v1/alerts")
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "2")
        assert (await client.post(PAUSE, json=STOP)).status_code == 503
        await world.read(ALERT_STATE, (alerts[0].alert_id, alerts[0]), caught_up=False)
        shown.set()
        await again.wait()
        answer = await client.get("/api/v1/alerts")
        assert [one["status"] for one in answer.json()["alerts"]] == ["resolved"]
        running.cancel()


@pytest.mark.usefixtures("complete")
async def test_channels_are_listed_page_by_page(world: World, client: httpx.AsyncClient) -> None:
    names = ["channel:a", "channel:b", "channel:c/d?e", "promotion:p@a"]
    await world.read(CHANNEL_STATE, *((name, channel(name)) for name in names))
    first = (await client.get("/api/v1/channels", params={"limit": 2})).json()
    assert ([one["target"] for one in first["channels"]], first["next"]) == (names[:2], "channel:b")
    rest = (await client.get("/api/v1/channels", params={"limit": 2, "after": first["next"]})).json()
    assert ([one["target"] for one in rest["channels"]], rest["next"]) == (names[2:3], None)
    other = (await client.get("/api/v1/channels", params={"kind": "promotion"})).json()
    assert [one["target"] for one in other["channels"]] == names[3:]
    for name in names:
        one = await client.get(f"/api/v1/channels/{quote(name, safe='')}")
        assert (one.status_code, one.json()["target"]) == (200, name)
    assert (await client.get("/api/v1/channels/channel:z")).status_code == 404


@pytest.mark.usefixtures("complete")
async def test_alerts_are_found_by_state_and_subject(world: World, client: httpx.AsyncClient) -> None:
    alerts = [alert("a"), alert("b", "resolved", 1, subject="actor:x"), alert("c", minutes=2, severity="warning")]
    await world.read(ALERT_STATE, *((one.alert_id, one) for one in alerts))

    async def found(**query: str) -> list[str]:
        answer = await client.get("/api/v1/alerts", params=query)
        return [one["alert_id"] for one in answer.json()["alerts"]]

    assert await found() == [derive(name) for name in "cba"]
    assert await found(status="open", severity="critical") == [derive("a")]
    assert await found(subject="actor:x") == [derive("b")]
    assert (await client.get(f"/api/v1/alerts/{derive('b')}")).json()["subject"] == "actor:x"


@pytest.mark.usefixtures("complete")
async def test_the_audit_says_from_when_on_it_is_shown(world: World, client: httpx.AsyncClient) -> None:
    assert (await client.get("/api/v1/audit")).json() == {"audit": [], "since": "2026-01-30T09:30:00Z"}


async def test_the_audit_is_read_from_that_day_on_and_the_states_from_the_beginning(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    days = {AUDIT: 31, READINGS: 8, DEAD_LETTERS: 7}
    since = {topic: to_ms(NOW) - number * 86_400_000 for topic, number in days.items()}
    expected = dict.fromkeys((CHANNEL_STATE, ALERT_STATE, POLICY)) | since
    asked: dict[str, int | None] = {}
    done = asyncio.Event()

    async def follow(_: object, topic: str, *, since_ms: int | None) -> AsyncIterator[Batch]:
        asked[topic] = since_ms
        if len(asked) == len(expected):
            done.set()
        yield Batch([], caught_up=True)
        await asyncio.Event().wait()

    async def at_once(*_: object) -> None:
        pass

    for name, fake in (("follow", follow), ("wait_for_broker", at_once), ("ensure_topics", at_once)):
        monkeypatch.setattr(kafka_io, name, fake)
    async with asyncio.timeout(10), asyncio.TaskGroup() as tasks:
        running = tasks.create_task(world.feed.run())
        await done.wait()
        running.cancel()
    assert asked == expected


@pytest.mark.usefixtures("complete")
async def test_what_waits_is_listed_the_most_urgent_first(world: World, client: httpx.AsyncClient) -> None:
    first, second, third = waiting("a", 1), waiting("b", 2), waiting("c", 3)
    granted = waiting("d", approval="granted")
    states = [channel("channel:x", 3, third, granted), channel("account:y", 1, first), channel("channel:z", 7, second)]
    await world.read(CHANNEL_STATE, *((state.target, state) for state in states))
    known = alert("a", title={"en": "2.5% complaints", "zh": "投诉率 2.5%"})
    await world.read(ALERT_STATE, (known.alert_id, known))
    found = (await client.get("/api/v1/approvals")).json()["approvals"]
    assert [(one["target"], one["generation"]) for one in found] == [
        ("account:y", 1),
        ("channel:z", 7),
        ("channel:x", 3),
    ]
    hold = found[0]["hold"]
    assert (hold["hold_id"], hold["since"], hold["decide_by"], hold["reason"]) == (
        first.hold_id,
        "2026-03-02T09:31:00Z",
        "2026-03-02T13:31:00Z",
        "2.5% complaints per purchase",
    )
    assert (found[0]["alert_id"], found[0]["title"]["zh"]) == (known.alert_id, "投诉率 2.5%")
    assert (found[1]["alert_id"], found[1]["title"]) == (derive("b"), None)
    assert len((await client.get("/api/v1/approvals", params={"limit": 2})).json()["approvals"]) == 2


@pytest.mark.usefixtures("complete")
async def test_what_people_asked_for_and_others_have_to_agree_to_is_listed(
    world: World, client: httpx.AsyncClient
) -> None:
    first, second = waiting("a", approval="none"), waiting("b", approval="none")
    one = channel("channel:x", 3, first, second).model_copy(update={"requests": [asked("late", 9, first)]})
    other = channel("channel:y", 7, second).model_copy(update={"requests": [asked("early", 1, second)]})
    await world.read(CHANNEL_STATE, *((state.target, state) for state in (one, other)))
    found = (await client.get("/api/v1/approvals")).json()
    assert found["approvals"] == []
    assert [(each["target"], each["generation"]) for each in found["requests"]] == [("channel:y", 7), ("channel:x", 3)]
    late = found["requests"][1]
    assert (late["request"]["request_id"], late["request"]["by"]) == (derive("request", "late"), "person:li.wei")
    assert [hold["hold_id"] for hold in late["holds"]] == [first.hold_id]


@pytest.mark.usefixtures("complete")
async def test_whether_automation_is_off_is_shown(world: World, client: httpx.AsyncClient) -> None:
    on: dict[str, Any] = {"automation": "on", "since": None, "by": None, "reason": None}
    assert (await client.get("/api/v1/automation")).json() == on
    hold = Hold(hold_id=derive("off"), kind="pause", since=NOW, by="person:chen", reason="the feeds are wrong")
    await world.read(CHANNEL_STATE, ("automation:all", channel("automation:all", 1, hold)))
    told = {"automation": "off", "since": "2026-03-02T09:30:00Z", "by": "person:chen", "reason": "the feeds are wrong"}
    assert (await client.get("/api/v1/automation")).json() == told
    await world.read(CHANNEL_STATE, ("automation:all", channel("automation:all", 2)))
    assert (await client.get("/api/v1/automation")).json() == on


@pytest.mark.usefixtures("complete")
async def test_a_viewer_reads_but_gives_no_orders(world: World, client: httpx.AsyncClient) -> None:
    client.headers["Authorization"] = "Bearer viewer"
    assert (await client.get("/api/v1/channels")).status_code == 200
    assert (await client.post(PAUSE, json=STOP)).status_code == 403
    assert world.commands == []


@pytest.mark.usefixtures("complete")
@pytest.mark.parametrize("header", ["", "Bearer nobody", "Basic b3BlcmF0b3I6"])
async def test_without_a_good_token_there_is_nothing(world: World, client: httpx.AsyncClient, header: str) -> None:
    client.headers["Authorization"] = header
    for answer in (
        await client.get("/api/v1/channels"),
        await client.get("/api/v1/audit?limit=x"),
        await client.post(PAUSE, json=STOP),
    ):
        assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, "Bearer")
    assert world.commands == []


@pytest.mark.usefixtures("complete")
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"null",
        b"[" * 50_000,
        b"\xff",
        b'{"target": "13800138000"}',
        b'{"target": "channel:a", "note": "\\ud800"}',
        b'{"target": "channel:\\ud800"}',
        b'{"target": "channel:a", "note": "\\u0000"}',
        b'{"target": "channel:a", "factor": NaN}',
        b'{"target": "channel:a", "x": ' + b"9" * 5000 + b"}",
    ],
)
async def test_an_odd_body_is_refused_without_being_quoted(
    world: World, client: httpx.AsyncClient, body: bytes
) -> None:
    answer = await client.post(PAUSE, content=body, headers={"Content-Type": "application/json"})
    assert (answer.status_code in (400, 422), answer.headers["Content-Type"]) == (True, "application/problem+json")
    assert "13800138000" not in answer.text
    assert world.commands == []


@pytest.mark.usefixtures("complete")
async def test_a_huge_body_is_not_read_to_its_end(client: httpx.AsyncClient) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(200):
            yield b" " * 1024
        raise AssertionError("read past the limit")

    assert (await client.post(PAUSE, content=chunks(), headers={"Authorization": ""})).status_code == 413


@pytest.mark.usefixtures("complete")
async def test_the_directory_tells_names_and_who_has_none(world: World, client: httpx.AsyncClient) -> None:
    assert (await client.get("/api/v1/directory")).json() == {
        "policy": None,
        "channels": {},
        "products": {},
        "unnamed": {"channels": [], "products": []},
    }
    name = {"en": "Douyin", "zh": "抖音"}
    policy = Policy.model_validate({"version": 2, "directory": {"channels": {"douyin": {"name": name}}}})
    ref = PolicyRef(name=policy.name, version=policy.version)
    await world.read(POLICY, (policy.label, policy), ("active", ref))
    targets = ["channel:douyin", "channel:weibo", "promotion:fund@1@zhihu", "actor:00"]
    await world.read(CHANNEL_STATE, *((target, channel(target)) for target in targets))
    told = [alert("a", subject="product:gold"), alert("b", subject="channel:douyin")]
    await world.read(ALERT_STATE, *((each.alert_id, each) for each in told))
    found = (await client.get("/api/v1/directory")).json()
    assert found["policy"] == "default/2"
    assert {key: entry["name"] for key, entry in found["channels"].items()} == {"douyin": name}
    assert found["unnamed"] == {"channels": ["weibo", "zhihu"], "products": ["fund@1", "gold"]}


async def test_the_openapi_document_is_complete(client: httpx.AsyncClient) -> None:
    document = (await client.get("/openapi.json")).json()
    assert set(document["paths"]) == {
        "/api/v1/channels",
        "/api/v1/channels/{target}",
        "/api/v1/approvals",
        "/api/v1/directory",
        "/api/v1/figures",
        "/api/v1/policies",
        "/api/v1/policies/approve",
        "/api/v1/policies/reject",
        "/api/v1/policies/withdraw",
        "/api/v1/readings/{indicator}",
        "/api/v1/audit",
        "/api/v1/alerts",
        "/api/v1/alerts/{alert_id}",
        "/api/v1/silences",
        "/api/v1/incidents",
        "/api/v1/incidents/{incident_id}",
        "/api/v1/incidents/{incident_id}/report",
        "/api/v1/incidents/{incident_id}/merge",
        "/api/v1/incidents/{incident_id}/split",
        "/api/v1/orders/pause",
        "/api/v1/orders/throttle",
        "/api/v1/orders/freeze",
        "/api/v1/orders/take-down",
        "/api/v1/orders/override",
        "/api/v1/orders/withdraw",
        "/api/v1/orders/high-risk-products",
        "/api/v1/orders/automation-off",
        "/api/v1/orders/automation-on",
        "/api/v1/automation",
        "/api/v1/orders/resume",
        "/api/v1/orders/approve",
        "/api/v1/orders/reject",
        "/api/v1/orders/acknowledge",
        "/api/v1/orders/silence",
        "/api/v1/scan",
    }
    components = document["components"]["schemas"]
    references = {part.split('"')[0] for part in json.dumps(document).split('"#/components/schemas/')[1:]}
    assert references <= set(components)
    assert "HTTPValidationError" not in components
    for name, path in document["paths"].items():
        good = {"text/markdown", "text/html"} if name.endswith("/report") else {"application/json"}
        for operation in path.values():
            assert operation["security"] == [{"token": []}]
            mistaken = {"422"} if operation.keys() & {"parameters", "requestBody"} else set()
            assert {"401", "503"} | mistaken <= set(operation["responses"])
            for status, response in operation["responses"].items():
                types = set(response["content"])
                assert types == (good if status.startswith("2") else {"application/problem+json"})
