"""Orders of people: what is written, what is answered, and who may give which."""

from typing import Any

import httpx
import pytest

from schemas.policy import Policy, PolicyRef
from schemas.topics import ALERT_STATE, POLICY, TOPICS
from services.console.orders import orders
from services.console.orders.orders import Stop, command_of
from services.runtime.ids import derive
from tests.unit.console.samples import NOW, alert, person
from tests.unit.console.world import PAUSE, SETTINGS, STOP, World


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
async def test_an_order_that_kafka_did_not_take_says_so(world: World, client: httpx.AsyncClient) -> None:
    world.away = True
    answer = await client.post(PAUSE, json=STOP)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "2")
    assert "was not given" in answer.json()["detail"]
    world.away, world.lost = False, True
    answer = await client.post(PAUSE, json=STOP)
    assert (answer.status_code, answer.json()["order"]["command_id"]) == (503, world.commands[0].command_id)
    assert "may still be carried out" in answer.json()["detail"]
