"""The door over HTTP, with a publisher that does as it is told."""

import json
import re
import time
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from pydantic import SecretStr

from schemas.directory import ChannelEntry, Directory, Label
from schemas.policy import Policy
from services.gateway.app import build_app
from services.gateway.door import form_note
from services.gateway.door.institution import Institution
from services.gateway.door.promise import Promise
from services.gateway.settings import GatewaySettings
from services.runtime.health import Health
from services.runtime.http.tokens import Tokens
from tests.unit.gateway.samples import sender
from tests.unit.gateway.test_app import FakePublisher

URL = "/v1/complaints"
KEY = b"k" * 32
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
BANK = Institution(name=Label(en="Demo Bank", zh="演示银行"), phone="95555")
DIRECTORY = Directory(channels={"douyin": ChannelEntry(name=Label(en="Douyin", zh="抖音"))})
PROMISE = Promise(Policy(version=1, directory=DIRECTORY))


class Bench:
    """A door and what went through it."""

    def __init__(self, **told: Any) -> None:
        self.publisher = FakePublisher()
        self.promise: Promise | None = PROMISE
        given: dict[str, Any] = {
            "gateway_tokens_file": Tokens([sender(channels=["douyin"])]),
            "gateway_door_key": SecretStr(KEY.decode()),
            "gateway_door_institution": BANK,
        }
        settings = GatewaySettings.model_construct(**given | told)
        app = build_app(settings, self.publisher, Health(), lambda: self.promise)
        self.transport = httpx.ASGITransport(app, client=("8.8.8.8", 1))
        self.client = httpx.AsyncClient(transport=self.transport, base_url="http://gateway")

    async def send(self, note: str | None = None, **fields: str) -> httpx.Response:
        """The form as a browser sends it, filled in for a minute."""
        note = form_note.issue(KEY, "nonce", time.time() - 60) if note is None else note
        body = urlencode({"note": note, "lang": "en", "text": "They said it was safe.", "website": ""} | fields)
        return await self.client.post(URL, content=body, headers=FORM)

    @property
    def events(self) -> list[dict[str, Any]]:
        return [json.loads(message.value or b"") for message in self.publisher.sent]


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    bench = Bench()
    async with bench.client:
        yield bench


def number_in(page: str) -> str:
    found = re.search(r"[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4}", page)
    assert found is not None
    return found[0]


async def test_the_page_speaks_both_languages_and_lets_nothing_in(bench: Bench) -> None:
    chinese = await bench.client.get("/complaints", headers={"Accept-Language": "zh-CN"})
    assert chinese.status_code == 200
    assert all(said in chinese.text for said in ('lang="zh-CN"', "演示银行", "抖音", "请勿填写密码", "95555", "答复"))
    english = await bench.client.get("/complaints?lang=en")
    assert all(said in english.text for said in ('lang="en"', "Demo Bank", "Never enter passwords", "UTC+8"))
    assert english.headers["Content-Security-Policy"].startswith("default-src 'none'; style-src 'self'")
    assert "<script" not in english.text
    style = await bench.client.get("/complaints/door.css")
    assert (style.status_code, style.headers["Content-Type"]) == (200, "text/css; charset=utf-8")


async def test_every_field_has_a_label_and_a_link_chooses_its_channel(bench: Bench) -> None:
    page = (await bench.client.get("/complaints?lang=en&channel=douyin")).text
    fields = re.findall(r'<(?:select|textarea|input)[^>]* id="(\w+)"', page)
    assert set(fields) == {"channel", "text", "contact", "website"}
    assert all(f'<label for="{name}">' in page for name in fields)
    assert '<option value="douyin" selected>' in page


async def test_a_complaint_becomes_one_event_and_a_number(bench: Bench) -> None:
    answer = await bench.send(channel="douyin", contact="13800138000")
    assert answer.status_code == 202
    (event,) = bench.events
    assert event.pop("occurred_at")
    assert event == {
        "type": "complaint_opened",
        "event_id": f"door:{number_in(answer.text)}",
        "complaint_id": number_in(answer.text),
        "channel_id": "douyin",
        "entry": "one_click",
        "ip": "8.8.8.8",
        "text": "They said it was safe.",
        "contact": "13800138000",
    }
    (sent,) = bench.publisher.sent
    assert (sent.topic, sent.key) == ("complaint-events", b"douyin")


async def test_the_answer_repeats_nothing_personal(bench: Bench) -> None:
    answer = await bench.send(contact="13800138000", text="my own words")
    assert "13800138000" not in answer.text
    assert "my own words" not in answer.text


async def test_pressing_twice_gives_the_same_number(bench: Bench) -> None:
    first, *others = [await bench.send() for _ in range(20)]
    assert {number_in(each.text) for each in others} == {number_in(first.text)}
    assert [event["event_id"] for event in bench.events] == [f"door:{number_in(first.text)}"], "sent once"


async def test_errors_stand_next_to_their_fields_and_nothing_is_lost(bench: Bench) -> None:
    answer = await bench.send(text="", contact="me@example.org", channel="nowhere")
    assert answer.status_code == 422
    assert 'id="text-problem"' in answer.text
    assert 'aria-describedby="text-problem text-hint"' in answer.text
    assert 'href="#channel"' in answer.text
    assert 'value="me@example.org"' in answer.text
    assert bench.events == []


async def test_what_is_typed_is_shown_as_text(bench: Bench) -> None:
    answer = await bench.send(text="</textarea><script>x</script>", contact='"><b>', website="x")
    assert "<script" not in answer.text
    assert "<b>" not in answer.text


@pytest.mark.parametrize(
    ("age_s", "words"), [(0, "very quick"), (form_note.LIVES_S + 1, "open for long"), (None, "open for long")]
)
async def test_a_form_that_is_not_as_we_gave_it_comes_back_and_can_be_sent_again(
    bench: Bench, age_s: int | None, words: str
) -> None:
    note = "" if age_s is None else form_note.issue(KEY, "nonce", time.time() - age_s)
    answer = await bench.send(note)
    assert (answer.status_code, words in answer.text, "They said it was safe." in answer.text) == (422, True, True)
    assert bench.events == []
    given = re.search(r'name="note" value="([^"]+)"', answer.text)
    assert given is not None
    if age_s == 0:
        assert given[1] == note, "its time goes on, so pressing again after a moment is enough"
    else:
        form_note.read(KEY, given[1], time.time() + 10)


async def test_the_field_for_programs_is_shown_to_a_person_whose_browser_has_filled_it_in(bench: Bench) -> None:
    answer = await bench.send(website="http://example.org")
    assert answer.status_code == 422
    assert "Please leave this field empty" in answer.text
    assert "aria-hidden" not in answer.text
    assert bench.events == []


async def test_a_flood_from_one_address_ends_and_others_still_come_through() -> None:
    bench = Bench(gateway_door_per_address=2)
    async with bench.client:
        statuses = [(await bench.send(text=f"number {count}")).status_code for count in range(4)]
        assert statuses == [202, 202, 429, 429]
        last = await bench.send(text="number 5")
        assert (last.headers["Retry-After"], "95555" in last.text, "number 5" in last.text) == ("3600", True, True)
        bench.transport.client = ("9.9.9.9", 1)
        assert (await bench.send(text="number 6")).status_code == 202


async def test_a_complaint_that_kafka_has_not_got_is_not_called_received(bench: Bench) -> None:
    bench.publisher.lose = {0}
    lost = await bench.send()
    assert (lost.status_code, "could not be stored" in lost.text, "They said it was safe." in lost.text) == (
        503,
        True,
        True,
    )
    bench.publisher.lose = set()
    bench.publisher.away = True
    assert (await bench.send()).status_code == 503
    bench.publisher.away = False
    assert (await bench.send()).status_code == 202


async def test_nothing_is_promised_before_the_policy_is_known(bench: Bench) -> None:
    bench.promise = None
    assert (await bench.client.get("/complaints")).status_code == 503
    assert (await bench.send()).status_code == 503
    assert bench.events == []


async def test_a_form_that_cannot_be_read_is_answered_with_a_page(bench: Bench) -> None:
    large = await bench.client.post(URL, content=b"text=" + b"x" * 300_000, headers=FORM)
    assert (large.status_code, large.headers["Content-Type"]) == (413, "text/html; charset=utf-8")
    assert (await bench.client.post(URL, content=b"\xff", headers=FORM)).status_code == 400


APP = {"Authorization": "Bearer t", "Content-Type": "application/json"}


async def test_an_app_hands_on_what_its_customer_says(bench: Bench) -> None:
    given = {"channel_id": "douyin", "account_id": "a-1", "segment": "high_net_worth", "request_id": "0" * 32}
    first, again = [await bench.client.post(URL, json=given, headers=APP) for _ in range(2)]
    assert first.status_code == 202
    assert first.json()["complaint_id"] == again.json()["complaint_id"] == bench.events[0]["complaint_id"]
    assert set(first.json()) == {"complaint_id", "answer_by"}
    assert bench.events[0]["account_id"] == "a-1"
    other = await bench.client.post(URL, json={"channel_id": "douyin"}, headers=APP)
    assert other.json()["complaint_id"] != first.json()["complaint_id"]
    assert other.json()["answer_by"] > first.json()["answer_by"]


@pytest.mark.parametrize(
    ("given", "headers", "status"),
    [
        ({"channel_id": "douyin"}, {"Authorization": ""}, 401),
        ({"channel_id": "weibo"}, {}, 403),
        ({}, {}, 422),
        ({"channel_id": "douyin", "unknown": 1}, {}, 422),
        ({"channel_id": "douyin"}, {"Content-Type": "text/plain"}, 415),
    ],
)
async def test_an_app_is_told_what_is_wrong(
    bench: Bench, given: dict[str, Any], headers: dict[str, str], status: int
) -> None:
    answer = await bench.client.post(URL, content=json.dumps(given), headers=APP | headers)
    assert (answer.status_code, answer.headers["Content-Type"]) == (status, "application/problem+json")
    assert bench.events == []


async def test_the_document_tells_of_pages_and_of_what_apps_get(bench: Bench) -> None:
    document = (await bench.client.get("/openapi.json")).json()
    told = document["paths"][URL]["post"]
    assert set(told["requestBody"]["content"]) == {"application/json", "application/x-www-form-urlencoded"}
    answers = {status: set(answer["content"]) for status, answer in told["responses"].items()}
    assert answers["202"] == {"application/json", "text/html"}
    assert answers["422"] == {"application/problem+json", "text/html"}
    assert answers["401"] == {"application/problem+json"}


async def test_without_a_key_the_door_is_not_there() -> None:
    settings = GatewaySettings.model_construct(gateway_tokens_file=Tokens([sender()]))
    transport = httpx.ASGITransport(build_app(settings, FakePublisher(), Health(), lambda: PROMISE))
    async with httpx.AsyncClient(transport=transport, base_url="http://gateway") as client:
        assert (await client.get("/complaints")).status_code == 404
