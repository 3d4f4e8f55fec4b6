"""The console's answers, on views that are filled by hand and a publisher that does as it is told."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from aiokafka.errors import KafkaError
from pydantic import BaseModel

from schemas.base import to_ms
from schemas.channels import Hold
from schemas.commands import Command
from schemas.policy import Policy, PolicyRef
from schemas.topics import ALERT_STATE, AUDIT, CHANNEL_STATE, POLICY, TOPICS
from services.console import orders
from services.console.app import build_app
from services.console.feed_io import Feed
from services.console.orders import Stop, command_of
from services.console.settings import ConsoleSettings
from services.runtime import kafka_io
from services.runtime.health import Health
from services.runtime.ids import derive
from services.runtime.kafka_io import Batch, Received
from services.runtime.machine import Output
from services.runtime.publisher_io import BrokerAwayError
from services.runtime.tokens import Tokens
from tests.unit.console.samples import NOW, alert, asked, audit, channel, person, waiting

PAUSE = "/api/v1/orders/pause"
STOP = {"target": "channel:a", "note": "n"}


class World:
    """What the topics hold and what becomes of an order. `judge`: writes the audit of each order at once."""

    def __init__(self, feed: Feed) -> None:
        self.feed = feed
        self.commands: list[Command] = []
        self.partitions: list[int | None] = []
        self.away = self.lost = False
        self.judge: dict[str, Any] | None = None
        self._offset = 0

    async def read(self, topic: str, *messages: tuple[str, BaseModel], caught_up: bool = True) -> None:
        """As if these had been read from a topic."""
        records = [self._record(topic, key, message) for key, message in messages]
        await self.feed.take(topic, Batch(records, caught_up))

    def _record(self, topic: str, key: str, message: BaseModel) -> Received:
        self._offset += 1
        value = message.model_dump_json(by_alias=True).encode()
        return Received(topic, 0, self._offset, self._offset, key.encode(), value)

    async def publish(self, messages: Sequence[Output]) -> set[int]:
        if self.away:
            raise BrokerAwayError
        for message in messages:
            command = Command.model_validate_json(message.value or b"")
            key = b"automation" if command.target == "automation:all" else command.target.encode()
            assert (message.topic, message.key) == ("channel-commands", key)
            self.commands.append(command)
            self.partitions.append(message.partition)
            if self.judge is not None:
                told: dict[str, Any] = {"what": command.command, "target": command.target}
                told |= {
                    "command_id": command.command_id,
                    "detail": {"fingerprint": command.fingerprint(), "incidents": command.incidents},
                }
                await self.read(AUDIT, (command.target, audit(command.command_id, **told | self.judge)))
        return {0} if self.lost else set()


SETTINGS = ConsoleSettings.model_construct(
    console_tokens_file=Tokens(
        [person("operator"), *(person(role, f"an {role}") for role in ("viewer", "approver", "admin"))]
    ),
    console_resolved_alerts=10,
    console_audit_records=100,
    console_audit_days=31,
)


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
    expected = dict.fromkeys((CHANNEL_STATE, ALERT_STATE, POLICY)) | {AUDIT: to_ms(NOW) - 31 * 86_400_000}
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
async def test_an_order_is_written_and_its_outcome_awaited(world: World, client: httpx.AsyncClient) -> None:
    world.judge = {"outcome": "done", "generation": 1}
    answer = await client.post(PAUSE, json={"target": "channel:a", "note": "n"}, params={"wait": 5})
    told = answer.json()
    assert (answer.status_code, told["outcome"], told["audit"]["generation"]) == (200, "done", 1)
    (command,) = world.commands
    assert (told["command_id"], command.issued_by, command.note) == (command.command_id, "person:li.wei", "n")
    listed = (await client.get("/api/v1/audit", params={"command_id": command.command_id})).json()["audit"]
    assert [one["command_id"] for one in listed] == [command.command_id]


@pytest.mark.usefixtures("complete")
async def test_an_order_without_an_outcome_yet_says_so(world: World, client: httpx.AsyncClient) -> None:
    answer = await client.post(PAUSE, json=STOP, params={"wait": 0.01})
    assert (answer.status_code, answer.json()["outcome"]) == (202, None)


@pytest.mark.usefixtures("complete")
async def test_a_refused_order_is_a_conflict(world: World, client: httpx.AsyncClient) -> None:
    world.judge = {"outcome": "refused", "why": "the target has changed"}
    order = {"target": "channel:a", "expected_generation": 1}
    answer = await client.post("/api/v1/orders/resume", json=order, params={"wait": 5})
    told = answer.json()
    assert (answer.status_code, told["detail"]) == (409, "refused: the target has changed")
    assert told["order"]["command_id"] == world.commands[0].command_id


@pytest.mark.usefixtures("complete")
async def test_the_same_key_is_the_same_order(world: World, client: httpx.AsyncClient) -> None:
    world.judge = {"outcome": "done"}
    key = {"Idempotency-Key": "the first"}
    first = await client.post(PAUSE, json=STOP, headers=key, params={"wait": 5})
    again = await client.post(PAUSE, json=STOP, headers=key)
    assert (again.status_code, again.json()) == (200, first.json())
    assert len(world.commands) == 1


RESUME = "/api/v1/orders/resume"
FIRST = {"target": "channel:a", "expected_generation": 3, "hold_ids": [derive("x"), derive("y")], "note": "n"}


@pytest.mark.usefixtures("complete")
@pytest.mark.parametrize("judged", [True, False])
@pytest.mark.parametrize(
    "other",
    [
        {"target": "channel:b"},
        {"expected_generation": 4},
        {"hold_ids": [derive("x")]},
        {"hold_ids": None},
        {"note": "m"},
    ],
)
async def test_the_same_key_with_another_body_is_refused(
    world: World, client: httpx.AsyncClient, other: dict[str, Any], judged: bool
) -> None:
    """Whether it is known already what came of the first order, or not yet."""
    world.judge = {"outcome": "done"} if judged else None
    key = {"Idempotency-Key": "the first"}
    await client.post(RESUME, json=FIRST, headers=key)
    refused = await client.post(RESUME, json=FIRST | other, headers=key)
    assert (refused.status_code, refused.json()["detail"]) == (422, "this Idempotency-Key was used for another order")
    assert (await client.post(PAUSE, json=STOP, headers=key)).status_code == 422
    assert (await client.post(RESUME, json=FIRST, headers=key)).status_code == (200 if judged else 202)
    assert {command.note for command in world.commands} == {"n"}


@pytest.mark.usefixtures("complete")
async def test_another_order_under_the_same_key_is_noticed_where_a_second_console_took_the_first(
    world: World, client: httpx.AsyncClient
) -> None:
    """This one learns of it only from the audit, when its own order is under way."""
    other = Stop(target="channel:a", note="of the other console")
    id_ = orders.command_id(person("operator"), "the first", "")
    first = command_of("pause", other, person("operator"), id_, NOW)
    world.judge = {"outcome": "done", "detail": {"fingerprint": first.fingerprint()}}
    answer = await client.post(PAUSE, json=STOP, headers={"Idempotency-Key": "the first"})
    assert answer.status_code == 422


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
@pytest.mark.parametrize("word", ["approve", "reject"])
async def test_what_waits_is_approved_or_rejected(world: World, client: httpx.AsyncClient, word: str) -> None:
    url = f"/api/v1/orders/{word}"
    order = {"target": "channel:a", "expected_generation": 3, "hold_ids": [derive("hold")]}
    client.headers["Authorization"] = "Bearer approver"
    assert (await client.post(url, json=order)).status_code == 202
    (command,) = world.commands
    assert (command.command, command.expected_generation, command.hold_ids) == (word, 3, [derive("hold")])
    world.judge = {"outcome": "refused", "why": "the throttle has expired"}
    answer = await client.post(url, json=order, params={"wait": 5})
    assert (answer.status_code, answer.json()["detail"]) == (409, "refused: the throttle has expired")
    assert (await client.post(url, json=order | {"hold_ids": None})).status_code == 422
    for role, status in (("viewer", 403), ("operator", 403), ("admin", 409)):
        client.headers["Authorization"] = f"Bearer {role}"
        assert (await client.post(url, json=order, params={"wait": 5})).status_code == status
    assert (await client.get("/api/v1/approvals")).status_code == 200


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


UNTIL = "2026-03-02T18:00:00+08:00"


@pytest.mark.usefixtures("complete")
@pytest.mark.parametrize(
    ("path", "body", "said"),
    [
        ("pause", STOP, {"command": "pause"}),
        ("throttle", STOP | {"factor": 0.25}, {"command": "throttle", "factor": 0.25}),
        ("freeze", STOP | {"target": "account:00ff"}, {"command": "freeze", "target": "account:00ff"}),
        ("take-down", STOP | {"target": "content:7"}, {"command": "take_down", "target": "content:7"}),
        (
            "override",
            STOP | {"expected_generation": 0, "indicators": ["cac_spike"]},
            {"command": "override", "expected_generation": 0, "indicators": ["cac_spike"]},
        ),
    ],
)
async def test_people_stop_and_keep_running_until_a_time_because_of_something(
    world: World, client: httpx.AsyncClient, path: str, body: dict[str, Any], said: dict[str, Any]
) -> None:
    url = f"/api/v1/orders/{path}"
    for without in ({"note": None}, {"note": " "}, {"target": "brand:all"}, {"target": "promotion:p"}):
        assert (await client.post(url, json=body | without)).status_code == 422
    assert (await client.post(url, json=body | {"expires_at": UNTIL})).status_code == 202
    (command,) = world.commands
    told = command.model_dump(mode="json")
    assert {name: told[name] for name in said} == said
    assert (told["expires_at"], told["note"], told["issued_by"]) == ("2026-03-02T10:00:00Z", "n", "person:li.wei")


@pytest.mark.usefixtures("complete")
async def test_an_override_without_an_end_is_none(client: httpx.AsyncClient) -> None:
    order = STOP | {"expected_generation": 0}
    assert (await client.post("/api/v1/orders/override", json=order)).status_code == 422


@pytest.mark.usefixtures("complete")
async def test_an_override_is_withdrawn_by_its_id(world: World, client: httpx.AsyncClient) -> None:
    order = {"target": "channel:a", "expected_generation": 3, "hold_ids": [derive("override")]}
    assert (await client.post("/api/v1/orders/withdraw", json=order)).status_code == 202
    assert [(one.command, one.hold_ids) for one in world.commands] == [("withdraw", [derive("override")])]


@pytest.mark.usefixtures("complete")
async def test_an_admin_switches_automation_on_every_partition(world: World, client: httpx.AsyncClient) -> None:
    url, order, key = "/api/v1/orders/automation-off", {"note": "the feeds are wrong"}, {"Idempotency-Key": "off"}
    for role in ("viewer", "operator", "approver"):
        client.headers["Authorization"] = f"Bearer {role}"
        assert (await client.post(url, json=order)).status_code == 403
    client.headers["Authorization"] = "Bearer admin"
    assert (await client.post(url, json={})).status_code == 422
    world.judge, world.lost = {"outcome": "done"}, True
    assert (await client.post(url, json=order, headers=key)).status_code == 503
    world.lost = False
    answer = await client.post(url, json=order, headers=key)
    assert (answer.status_code, answer.json()["target"]) == (200, "automation:all")
    all_partitions = list(range(TOPICS["channel-commands"].partitions(SETTINGS.partitions)))
    assert world.partitions == all_partitions * 2, "one that was not reached at first is told again"
    (command,) = {one.command_id: one for one in world.commands}.values()
    assert (command.command, command.issued_by, command.note) == (
        "automation_off",
        "person:an admin",
        "the feeds are wrong",
    )


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


HIGH_RISK = "/api/v1/orders/high-risk-products"


@pytest.fixture
async def products(world: World) -> None:
    names = {"steady": "low", "wild": "high", "bold": "high"}
    entries = {name: {"name": {"en": name, "zh": name}, "risk": risk} for name, risk in names.items()}
    policy = Policy.model_validate({"version": 2, "directory": {"products": entries}})
    ref = PolicyRef(name=policy.name, version=policy.version)
    await world.read(POLICY, (policy.label, policy), ("active", ref))


@pytest.mark.usefixtures("complete", "products")
async def test_one_order_stops_all_high_risk_products(world: World, client: httpx.AsyncClient) -> None:
    world.judge = {"outcome": "done"}
    order = {"command": "throttle", "factor": 0.5, "note": "the market falls", "expires_at": UNTIL}
    key = {"Idempotency-Key": "the fall"}
    answer = await client.post(HIGH_RISK, json=order, params={"wait": 5}, headers=key)
    told = answer.json()["orders"]
    assert answer.status_code == 200
    assert [(one["target"], one["outcome"]) for one in told] == [("product:bold", "done"), ("product:wild", "done")]
    assert [(one.command, one.factor, one.note) for one in world.commands] == [
        ("throttle", 0.5, "the market falls")
    ] * 2
    again = await client.post(HIGH_RISK, json=order, headers=key)
    assert (again.json()["orders"], len(world.commands)) == (told, 2)
    other = await client.post(HIGH_RISK, json=order | {"factor": 0.2}, headers=key)
    assert (other.status_code, len(world.commands)) == (422, 2)


@pytest.mark.usefixtures("complete", "products")
async def test_of_each_high_risk_product_it_is_told_what_came_of_it(world: World, client: httpx.AsyncClient) -> None:
    order = {"command": "pause", "note": "the market falls"}
    world.judge = {"outcome": "refused", "why": "not now"}
    answer = await client.post(HIGH_RISK, json=order, params={"wait": 5})
    assert [(one["outcome"], one["audit"]["why"]) for one in answer.json()["orders"]] == [("refused", "not now")] * 2
    world.judge, world.lost = None, True
    assert (await client.post(HIGH_RISK, json=order)).status_code == 503
    assert (await client.post(HIGH_RISK, json=order | {"factor": 0.5})).status_code == 422
    assert (await client.post(HIGH_RISK, json=order | {"command": "throttle"})).status_code == 422
    client.headers["Authorization"] = "Bearer viewer"
    assert (await client.post(HIGH_RISK, json=order)).status_code == 403


@pytest.mark.usefixtures("complete")
async def test_without_high_risk_products_there_is_nothing_to_stop(client: httpx.AsyncClient) -> None:
    answer = await client.post(HIGH_RISK, json={"command": "pause", "note": "x"})
    assert (answer.status_code, answer.json()["detail"]) == (
        422,
        "the directory names no product of the risk class high",
    )


@pytest.mark.usefixtures("complete")
async def test_an_acknowledgement_needs_an_alert(world: World, client: httpx.AsyncClient) -> None:
    url, known = "/api/v1/orders/acknowledge", alert("a", subject="actor:x")
    assert (await client.post(url, json={"alert_id": known.alert_id})).status_code == 404
    await world.read(ALERT_STATE, (known.alert_id, known))
    assert (await client.post(url, json={"alert_id": known.alert_id})).status_code == 202
    assert [(one.target, one.alert_id) for one in world.commands] == [("actor:x", known.alert_id)]


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
async def test_an_order_that_kafka_did_not_take_says_so(world: World, client: httpx.AsyncClient) -> None:
    world.away = True
    answer = await client.post(PAUSE, json=STOP)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "2")
    assert "was not given" in answer.json()["detail"]
    world.away, world.lost = False, True
    answer = await client.post(PAUSE, json=STOP)
    assert (answer.status_code, answer.json()["order"]["command_id"]) == (503, world.commands[0].command_id)
    assert "may still be carried out" in answer.json()["detail"]


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
