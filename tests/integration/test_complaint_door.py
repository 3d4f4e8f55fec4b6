"""The door for complaints: a gateway as a process, real HTTP, a real broker; what is typed goes to one topic only."""

import json
import re
import time
import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest

from deploy.embedded.broker import Broker
from schemas.policy import Policy, PolicyRef
from schemas.topics import POLICY, RAW_TOPICS
from services.gateway.door import form_note
from services.runtime.kafka.kafka_io import ensure_topics, producer
from services.runtime.machines.machine import Output
from services.runtime.settings import CommonSettings
from tests.integration.http_service import HttpService, running, until, until_ready
from tests.integration.test_gateway import environ_of, everything
from tests.support.machines import send

KEY = "0123456789abcdef" * 2
SECRETS = ("13800138000", "they lied to me")
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.fixture
async def settings(broker: Broker) -> CommonSettings:
    settings = CommonSettings(kafka=broker.bootstrap, prefix=f"{uuid.uuid4().hex[:8]}.", partitions=2)
    await ensure_topics(settings)
    await put_in_force(settings, 1, hours=9.0, basis="working")
    return settings


async def put_in_force(settings: CommonSettings, version: int, **thresholds: Any) -> None:
    document = {
        "version": version,
        "directory": {"channels": {"douyin": {"name": {"en": "Douyin", "zh": "抖音"}}}},
        "indicators": {"complaint_sla": {"thresholds": thresholds}},
    }
    policy = Policy.model_validate(document)
    async with producer(settings) as to:
        await send(
            settings,
            to,
            Output(POLICY, policy.label.encode(), policy.model_dump_json().encode()),
            Output(POLICY, b"active", PolicyRef(name=policy.name, version=version).model_dump_json().encode()),
        )


@pytest.fixture
async def service(settings: CommonSettings, tmp_path: Path) -> AsyncIterator[HttpService]:
    environ = environ_of(settings, tmp_path) | {
        "TIDEGATE_GATEWAY_DOOR_KEY": KEY,
        "TIDEGATE_GATEWAY_DOOR_INSTITUTION": '{"name": {"en": "Demo Bank", "zh": "演示银行"}, "phone": "95555"}',
        "TIDEGATE_GATEWAY_DOOR_PER_ADDRESS": "3",
        "TIDEGATE_GATEWAY_PROXIES": '["127.0.0.0/8"]',
    }
    with running("gateway", environ, tmp_path / "log") as service:
        yield service


@pytest.fixture
async def client(service: HttpService) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=service.url, timeout=30, trust_env=False) as client:
        await until_ready(client)
        yield client


async def complain(client: httpx.AsyncClient, note: str, address: str = "8.8.8.8", **fields: str) -> httpx.Response:
    body = urlencode({"note": note, "lang": "en", "text": SECRETS[1], "contact": SECRETS[0], **fields})
    return await client.post("/v1/complaints", content=body, headers=FORM | {"X-Forwarded-For": address})


def note_in(page: str) -> str:
    found = re.search(r'name="note" value="([^"]+)"', page)
    assert found is not None
    return found[1]


def day_in(page: str) -> str:
    """The day that is promised."""
    return str(re.findall(r'datetime="(\d{4}-\d\d-\d\d)', page)[0])


async def complaints(settings: CommonSettings) -> list[dict[str, Any]]:
    return [json.loads(record.value or b"") for record in await everything(settings, "complaint-events")]


async def test_a_customer_fills_in_the_form_and_it_is_on_the_topic(
    client: httpx.AsyncClient, settings: CommonSettings, service: HttpService
) -> None:
    page = await client.get("/complaints?lang=en")
    assert (page.status_code, "Douyin" in page.text) == (200, True)
    note = note_in(page.text)
    just_issued = form_note.issue(KEY.encode(), "n", time.time() + 60)  # so it still is, however slow this machine is
    assert "very quick" in (await complain(client, just_issued)).text

    async def received() -> bool:
        return (await complain(client, note, channel="douyin")).status_code == 202

    await until(received)
    answer = await complain(client, note, channel="douyin")
    sent = await complaints(settings)
    assert [each["complaint_id"] for each in sent] == [re.findall(r'class="number">([^<]+)<', answer.text)[0]]
    assert {(each["ip"], each["text"], each["contact"]) for each in sent} == {("8.8.8.8", SECRETS[1], SECRETS[0])}
    told = [answer.text, service.log(), (await client.get("/metrics")).text]
    for topic in set(RAW_TOPICS) - {"complaint-events"}:
        told += [str(record) for record in await everything(settings, topic)]
    assert [secret for secret in SECRETS for text in told if secret in text] == []


async def test_a_flood_is_bounded_for_one_address_and_not_for_the_next(
    client: httpx.AsyncClient, settings: CommonSettings
) -> None:
    note = form_note.issue(KEY.encode(), "n", time.time() - 60)
    statuses = [(await complain(client, note, text=f"number {count}")).status_code for count in range(5)]
    assert statuses == [202, 202, 202, 429, 429]
    assert (await complain(client, note, "9.9.9.9", text="number 6")).status_code == 202
    assert len(await complaints(settings)) == 4


async def test_a_new_policy_changes_what_is_promised(client: httpx.AsyncClient, settings: CommonSettings) -> None:
    before = (await client.get("/complaints?lang=en")).text
    await put_in_force(settings, 2, hours=400.0)

    async def promised_anew() -> bool:
        return day_in((await client.get("/complaints?lang=en")).text) != day_in(before)

    await until(promised_anew)


async def test_an_app_hands_on_a_complaint(client: httpx.AsyncClient, settings: CommonSettings) -> None:
    given = {"channel_id": "app", "account_id": "a-1"}
    answer = await client.post("/v1/complaints", json=given, headers={"Authorization": "Bearer all"})
    assert answer.status_code == 202
    (event,) = await complaints(settings)
    assert (event["complaint_id"], event["account_id"]) == (answer.json()["complaint_id"], "a-1")
    assert (await client.post("/v1/complaints", json=given)).status_code == 401
