"""The gateway as a process, over real HTTP, on a real broker."""

import asyncio
import contextlib
import gzip
import json
import uuid
from collections.abc import AsyncIterator, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
import pytest
from aiokafka import AIOKafkaProducer

from deploy.embedded.broker import Broker
from schemas.topics import RAW_TOPICS
from services.runtime.kafka.kafka_io import Received, ensure_topics, follow
from services.runtime.settings import CommonSettings
from tests.integration.http_service import HttpService, ends_badly, running, until, until_ready

EVENTS = "/v1/events"
TOKENS = f"""
- {{name: all, sha256: {sha256(b"all").hexdigest()}, channels: "*", types: "*"}}
- {{name: some, sha256: {sha256(b"some").hexdigest()}, channels: [douyin], types: [click]}}
"""


def click(event_id: str, channel: str = "douyin", **fields: Any) -> bytes:
    event = {"type": "click", "event_id": event_id, "occurred_at": "2026-03-02T09:29:00+08:00", "channel_id": channel}
    return json.dumps(event | fields).encode()


def environ_of(settings: CommonSettings, folder: Path) -> dict[str, str]:
    (folder / "tokens.yml").write_text(TOKENS)
    return {
        "TIDEGATE_KAFKA": settings.kafka,
        "TIDEGATE_PREFIX": settings.prefix,
        "TIDEGATE_PARTITIONS": str(settings.partitions),
        "TIDEGATE_GATEWAY_PORT": "0",
        "TIDEGATE_GATEWAY_TOKENS_FILE": str(folder / "tokens.yml"),
    }


@pytest.fixture(scope="module")
def settings(broker: Broker) -> CommonSettings:
    return CommonSettings(kafka=broker.bootstrap, prefix=f"{uuid.uuid4().hex[:8]}.", partitions=3)


@pytest.fixture(scope="module")
def service(settings: CommonSettings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[HttpService]:
    folder = tmp_path_factory.mktemp("gateway")
    with running("gateway", environ_of(settings, folder), folder / "log") as service:
        yield service


@pytest.fixture
def url(service: HttpService) -> str:
    return service.url


@pytest.fixture
async def client(url: str) -> AsyncIterator[httpx.AsyncClient]:
    headers = {"Authorization": "Bearer all", "Content-Type": "application/json"}
    async with httpx.AsyncClient(base_url=url, headers=headers, timeout=30) as client:
        await until_ready(client)
        yield client


async def everything(settings: CommonSettings, topic: str) -> list[Received]:
    """All that is in a topic now."""
    found: list[Received] = []
    async with contextlib.aclosing(follow(settings, topic)) as batches:
        async for batch in batches:
            found += batch.records
            if batch.caught_up:
                break
    return found


def resident_bytes(service: HttpService) -> int:
    pages = Path(f"/proc/{service.process.pid}/statm").read_text().split()[1]
    return int(pages) * 4096


async def test_events_are_in_their_topics_when_the_answer_comes(
    client: httpx.AsyncClient, settings: CommonSettings
) -> None:
    head = {"event_id": "t-1", "occurred_at": "2026-03-02T09:29:00Z"}
    events: list[dict[str, Any]] = [
        {"type": "impression", "channel_id": "weibo", "count": 3, "unknown": "  kept\n"},
        {"type": "complaint_closed", "complaint_id": "c-1"},
        {"type": "conversion", "channel_id": "weibo", "stage": "purchase"},
        {"type": "mention", "product_id": "基金", "sentiment": "neutral", "source": "s"},
        {"type": "gdp_growth", "quarter": "2026-Q1", "percent": 5.2},
    ]
    raws = [json.dumps(head | event, ensure_ascii=False, indent=1).encode() for event in events]
    answer = await client.post(EVENTS, content=b"[" + b" ,\n".join(raws) + b"]")
    assert (answer.status_code, answer.json()) == (202, {"accepted": 5})
    keys = ["weibo", "complaint_closed", "weibo", "基金", "gdp_growth"]
    for topic, raw, key in zip(RAW_TOPICS, raws, keys, strict=True):
        found = [record for record in await everything(settings, topic) if record.value == raw]
        assert [record.key for record in found] == [key.encode()]


async def test_every_key_goes_where_any_other_kafka_client_would_send_it(
    client: httpx.AsyncClient, settings: CommonSettings
) -> None:
    names = [f"channel {number}" for number in range(40)]
    body = b"\n".join(click(f"p-{name}", name) for name in names)
    answer = await client.post(EVENTS, content=body, headers={"Content-Type": "application/x-ndjson"})
    assert answer.json() == {"accepted": 40}
    ours = {record.key: record.partition for record in await everything(settings, "channel-events")}
    async with AIOKafkaProducer(bootstrap_servers=settings.kafka) as stock:
        for name in names:
            sent = await stock.send_and_wait(f"{settings.prefix}channel-events", b"{}", key=name.encode())
            assert sent.partition == ours[name.encode()]


async def test_ten_thousand_events_at_once_come_through_in_order(
    client: httpx.AsyncClient, settings: CommonSettings
) -> None:
    raws = [click(f"many-{number}", f"many {number % 7}", link_id="x" * 100) for number in range(10_000)]
    packed = gzip.compress(b"[" + b",".join(raws) + b"]")
    answer = await client.post(EVENTS, content=packed, headers={"Content-Encoding": "gzip"})
    assert answer.json() == {"accepted": 10_000}
    wanted: dict[bytes, list[bytes | None]] = {}
    for number, raw in enumerate(raws):
        wanted.setdefault(f"many {number % 7}".encode(), []).append(raw)
    found: dict[bytes, list[bytes | None]] = {}
    for record in await everything(settings, "channel-events"):
        if record.key is not None and record.key.startswith(b"many "):
            found.setdefault(record.key, []).append(record.value)
    assert found == wanted


async def test_many_senders_at_once_are_all_answered(client: httpx.AsyncClient, settings: CommonSettings) -> None:
    answers = await asyncio.gather(*(client.post(EVENTS, content=click(f"at-once-{number}")) for number in range(200)))
    assert {answer.status_code for answer in answers} == {202}
    values = [record.value or b"" for record in await everything(settings, "channel-events")]
    assert sorted(value for value in values if b"at-once-" in value) == sorted(
        click(f"at-once-{number}") for number in range(200)
    )


async def test_the_good_ones_of_a_request_are_accepted(client: httpx.AsyncClient, settings: CommonSettings) -> None:
    body = b"\n".join([click("good-1"), b'{"type": "click"}', b"not json", click("good-2")])
    answer = await client.post(EVENTS, content=body, headers={"Content-Type": "application/x-ndjson"})
    told = answer.json()
    assert (answer.status_code, told["accepted"], [one["index"] for one in told["rejected"]]) == (422, 2, [1, 2])
    values = [record.value for record in await everything(settings, "channel-events")]
    assert (values.count(click("good-1")), values.count(click("good-2"))) == (1, 1)


@pytest.mark.parametrize(
    ("token", "event", "status"),
    [
        (None, click("a-1"), 401),
        ("Bearer nobody", click("a-2"), 401),
        ("Bearer some", click("a-3", "kuaishou"), 403),
        ("Bearer some", click("a-4", type="impression", count=1), 403),
        ("Bearer some", click("a-5"), 202),
    ],
)
async def test_only_who_may_is_let_in(
    client: httpx.AsyncClient, settings: CommonSettings, token: str | None, event: bytes, status: int
) -> None:
    del client.headers["Authorization"]
    answer = await client.post(EVENTS, content=event, headers={} if token is None else {"Authorization": token})
    assert answer.status_code == status
    values = [record.value for record in await everything(settings, "channel-events")]
    assert values.count(event) == (status == 202)


async def test_a_gzip_bomb_costs_no_memory(client: httpx.AsyncClient, service: HttpService) -> None:
    bomb = gzip.compress(b"[" + b" " * 200_000_000 + b"]")
    assert len(bomb) < 1024 * 1024
    before = resident_bytes(service)
    for _ in range(3):
        answer = await client.post(EVENTS, content=bomb, headers={"Content-Encoding": "gzip"})
        assert answer.status_code == 413
    assert resident_bytes(service) - before < 64 * 1024 * 1024
    assert (await client.post(EVENTS, content=click("after the bomb"))).status_code == 202


async def test_a_sender_who_goes_away_in_the_middle_leaves_no_trace(client: httpx.AsyncClient, url: str) -> None:
    for _ in range(20):
        _, writer = await asyncio.open_connection("127.0.0.1", httpx.URL(url).port)
        head = "POST /v1/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer all\r\nContent-Length: 100000\r\n\r\n["
        writer.write(head.encode())
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    async def quiet() -> bool:
        return "tidegate_gateway_in_work_bytes 0.0" in (await client.get("/metrics")).text

    await until(quiet)
    assert (await client.post(EVENTS, content=click("after the others"))).status_code == 202


def test_bad_settings_are_named_all_at_once(tmp_path: Path) -> None:
    bad = {
        "TIDEGATE_KAFKA": "nowhere",
        "TIDEGATE_GATEWAY_TOKENS_FILE": str(tmp_path / "missing"),
        "TIDEGATE_GATEWAY_MAX_EVENTS": "many",
        "TIDEGATE_GATEWAY_MAX_EVNETS": "5",
    }
    code, told = ends_badly("gateway", bad)
    assert code == 2
    assert all(name in told for name in bad)
    assert "Traceback" not in told


async def test_a_taken_port_and_topics_of_another_shape_are_refused(
    settings: CommonSettings, url: str, tmp_path: Path
) -> None:
    await ensure_topics(settings)
    environ = environ_of(settings, tmp_path)
    taken = ends_badly("gateway", environ | {"TIDEGATE_GATEWAY_PORT": str(httpx.URL(url).port)})
    assert taken[0] == 2
    assert "TIDEGATE_GATEWAY_PORT" in taken[1]
    other = ends_badly("gateway", environ | {"TIDEGATE_PARTITIONS": "5"})
    assert other[0] == 2
    assert f"{settings.prefix}channel-events: partitions is 3, must be 5" in other[1]
