"""The gateway's answers, with a publisher that does as it is told."""

import asyncio
import gzip
import json
from collections.abc import AsyncIterator, Sequence
from typing import Any

import httpx
import pytest

from services.gateway.app import build_app
from services.gateway.settings import GatewaySettings
from services.runtime.health import Health
from services.runtime.http.tokens import Tokens
from services.runtime.kafka.publisher_io import BrokerAwayError
from services.runtime.machines.machine import Output
from tests.unit.gateway.samples import click, sender

URL = "/v1/events"
MAX_BODY, MAX_UNPACKED, MAX_EVENTS, IN_WORK = 2_000, 4_000, 10, 20_000


class FakePublisher:
    """Keeps what is published. `lose`: places that are not acknowledged; `hold`: answers only once it is set."""

    def __init__(self) -> None:
        self.sent: list[Output] = []
        self.lose: set[int] = set()
        self.away = False
        self.entered = asyncio.Event()
        self.hold: asyncio.Event | None = None

    async def publish(self, messages: Sequence[Output]) -> set[int]:
        if self.away:
            raise BrokerAwayError
        self.entered.set()
        if self.hold is not None:
            await self.hold.wait()
        self.sent += messages
        return self.lose & set(range(len(messages)))


@pytest.fixture
def publisher() -> FakePublisher:
    return FakePublisher()


def client_of(publisher: FakePublisher, **limits: Any) -> httpx.AsyncClient:
    settings = GatewaySettings.model_construct(
        gateway_tokens_file=Tokens([sender(channels=["douyin"])]),
        gateway_max_body_bytes=MAX_BODY,
        gateway_max_unpacked_bytes=MAX_UNPACKED,
        gateway_max_events=MAX_EVENTS,
        gateway_in_work_bytes=IN_WORK,
        **{"gateway_body_timeout_s": 30.0, **limits},
    )
    transport = httpx.ASGITransport(build_app(settings, publisher, Health()))
    headers = {"Authorization": "Bearer t", "Content-Type": "application/json"}
    return httpx.AsyncClient(transport=transport, base_url="http://gateway", headers=headers)


@pytest.fixture
async def client(publisher: FakePublisher) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(publisher) as client:
        yield client


def array(*events: bytes) -> bytes:
    return b"[" + b",".join(events) + b"]"


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (array(click("a"), click("b")), {}),
        (click("a") + b"\n\n" + click("b"), {"Content-Type": "application/x-ndjson"}),
        (gzip.compress(array(click("a"), click("b")), mtime=0), {"Content-Encoding": "gzip"}),
        (array(click("a"), click("b")), {"Content-Type": "application/json; charset=utf-8"}),
    ],
)
async def test_events_in_every_form_are_sent_as_they_came(
    client: httpx.AsyncClient, publisher: FakePublisher, body: bytes, headers: dict[str, str]
) -> None:
    answer = await client.post(URL, content=body, headers=headers)
    assert (answer.status_code, answer.json()) == (202, {"accepted": 2})
    assert [message.value for message in publisher.sent] == [click("a"), click("b")]


async def test_one_event_and_none(client: httpx.AsyncClient, publisher: FakePublisher) -> None:
    assert (await client.post(URL, content=click())).json() == {"accepted": 1}
    assert (await client.post(URL, content=b"[]")).json() == {"accepted": 0}
    assert len(publisher.sent) == 1


async def test_the_good_ones_are_accepted_all_the_same(client: httpx.AsyncClient, publisher: FakePublisher) -> None:
    answer = await client.post(URL, content=array(click("a"), click(count=-1), click(channel_id="x"), click("b")))
    assert answer.status_code == 422
    assert answer.headers["Content-Type"] == "application/problem+json"
    told = answer.json()
    assert (told["accepted"], [one["index"] for one in told["rejected"]]) == (2, [1, 2])
    assert told["rejected"][0]["errors"] == [
        {"field": "count", "problem": "Input should be greater than or equal to 0"}
    ]
    assert len(publisher.sent) == 2


async def test_only_forbidden_events_are_forbidden(client: httpx.AsyncClient, publisher: FakePublisher) -> None:
    answer = await client.post(URL, content=array(click(channel_id="x"), click(channel_id="y")))
    assert (answer.status_code, answer.json()["accepted"], publisher.sent) == (403, 0, [])


@pytest.mark.parametrize(
    "header", [None, "", "Bearer", "Bearer wrong", "Basic dDp0", "bearer\tt", "Bearer \u00e9", "Bearer t t"]
)
async def test_without_a_good_token_nothing_is_read(
    client: httpx.AsyncClient, publisher: FakePublisher, header: str | None
) -> None:
    del client.headers["Authorization"]
    headers = {} if header is None else {b"Authorization": header.encode("latin-1")}
    answer = await client.post(URL, content=b"\x00" * 10 * MAX_BODY, headers=headers)
    assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, "Bearer")
    assert publisher.sent == []


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b"", {}, 400),
        (b'[{"a": 1}', {}, 400),
        (b"no gzip", {"Content-Encoding": "gzip"}, 400),
        (click(), {"Content-Type": "application/x-www-form-urlencoded"}, 415),
        (click(), {"Content-Encoding": "br"}, 415),
        (click(), {"Content-Encoding": "gzip, gzip"}, 415),
        (b" " * (MAX_BODY + 1), {}, 413),
        (gzip.compress(b" " * (MAX_UNPACKED + 1), mtime=0), {"Content-Encoding": "gzip"}, 413),
        (b"[" + b"1," * MAX_EVENTS + b"1]", {}, 413),
    ],
)
async def test_what_cannot_be_taken_in_is_told(
    client: httpx.AsyncClient, publisher: FakePublisher, body: bytes, headers: dict[str, str], status: int
) -> None:
    answer = await client.post(URL, content=body, headers=headers)
    assert answer.status_code == status
    assert (answer.json()["status"], answer.json()["type"]) == (status, "about:blank")
    assert publisher.sent == []


async def test_a_body_of_unknown_length_is_measured_as_it_comes(client: httpx.AsyncClient) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(MAX_BODY // 100 + 1):
            yield b" " * 100
        raise AssertionError("read past the limit")

    assert (await client.post(URL, content=chunks())).status_code == 413


async def test_a_body_that_does_not_come_is_given_up(publisher: FakePublisher) -> None:
    async def never() -> AsyncIterator[bytes]:
        yield b"["
        await asyncio.Event().wait()

    async with client_of(publisher, gateway_body_timeout_s=0.01) as client:
        assert (await client.post(URL, content=never())).status_code == 408


async def test_too_much_at_once_is_told_to_come_back(client: httpx.AsyncClient, publisher: FakePublisher) -> None:
    publisher.hold = asyncio.Event()
    first = asyncio.create_task(client.post(URL, content=click("a")))
    await publisher.entered.wait()
    refused = await client.post(URL, content=click("b"))
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "1")
    publisher.hold.set()
    assert (await first).status_code == 202
    assert (await client.post(URL, content=click("b"))).status_code == 202


async def test_room_is_given_back_after_every_kind_of_failure(
    client: httpx.AsyncClient, publisher: FakePublisher
) -> None:
    publisher.away = True
    for body in (b"", b"[", click(), b"[1]", b" " * MAX_BODY):
        assert (await client.post(URL, content=body)).status_code in (400, 422, 503)
    publisher.away = False
    assert (await client.post(URL, content=click())).status_code == 202


async def test_a_broker_that_is_away_is_told_with_all_that_was_not_sent(
    client: httpx.AsyncClient, publisher: FakePublisher
) -> None:
    publisher.away = True
    answer = await client.post(URL, content=array(click("a"), b"{}", click("b")))
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "2")
    told = answer.json()
    assert (told["accepted"], told["unacknowledged"], [one["index"] for one in told["rejected"]]) == (0, [0, 2], [1])


async def test_what_was_not_acknowledged_is_listed(client: httpx.AsyncClient, publisher: FakePublisher) -> None:
    publisher.lose = {1}
    answer = await client.post(URL, content=array(b"{}", click("a"), click("b"), click("c")))
    told = answer.json()
    assert (answer.status_code, told["accepted"], told["unacknowledged"]) == (503, 2, [2])


async def test_no_error_quotes_what_was_sent(client: httpx.AsyncClient) -> None:
    secret = "13800138000"
    for body in (
        click(ip=[secret], event_id=secret * 50, type=secret),
        click(channel_id=secret),
        f'{{"{secret}": "{secret}'.encode(),
        f"[{secret}".encode(),
    ):
        answer = await client.post(URL, content=body)
        assert answer.status_code >= 400
        assert secret not in answer.text


async def test_the_openapi_document_refers_only_to_what_is_there(client: httpx.AsyncClient) -> None:
    document = (await client.get("/openapi.json")).json()
    told = document["paths"][URL]["post"]["responses"]
    assert set(told) == {"202", "400", "401", "403", "408", "413", "415", "422", "429", "503"}
    assert told["422"]["content"]["application/problem+json"]["schema"] == {
        "$ref": "#/components/schemas/EventsProblem"
    }
    components = document["components"]["schemas"]
    references = {part.split('"')[0] for part in json.dumps(document).split('"#/components/schemas/')[1:]}
    assert references <= set(components)
    assert {"Event", "Click", "EventsProblem", "ProblemDetails"} <= references | {"ProblemDetails"}
