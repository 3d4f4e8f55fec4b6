"""Personal data ends in ingest: what customers and senders say is found nowhere behind it, in whatever form."""

import asyncio
import json
import os
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import httpx
import pytest

from deploy.launcher import system as launcher
from deploy.launcher.standard import standard_system
from deploy.launcher.system import System
from deploy.launcher.table import ARCHIVE, StandIns
from schemas.dead_letters import DeadLetter
from schemas.topics import COMPLAINT_EVENTS, DEAD_LETTERS, RAW_TOPICS, TOPICS
from services.gateway.door import form_note
from services.ingest.sources.sealing import Sealer
from services.runtime.kafka.kafka_io import producer
from services.runtime.settings import CommonSettings
from tests.support.canaries import found
from tests.support.collector import Seen, collector
from tests.support.command_line import tidegate
from tests.support.whole import TRACED, Place, in_answers, in_files, in_metrics, on_pages, on_topics

CLICKER, COMPLAINER, VISITOR, HOUSEHOLD = "9.18.27.36", "9.18.27.45", "9.18.27.54", "2a09:bac1:76a0:18d2"
ACCOUNT, PHONE, LETTERBOX = "zhang.san-62220212", "13912345678", "wang.wei@example.test"
TEXT, DOOR_TEXT = "王小明 lost 88,000 to Ms <Li> & co", "my name is Chen Jing, and they lied to me"
MENTION, URL = "陈静 of Pudong is quite content", "https://weibo.example/u/chen-jing-1986?q=陈静"
CANARIES: Final = (
    *(CLICKER, COMPLAINER, VISITOR, HOUSEHOLD, ACCOUNT, PHONE, LETTERBOX),
    *(TEXT, "王小明", DOOR_TEXT, "Chen Jing", MENTION, "陈静", URL, "chen-jing-1986"),
)
QUOTED = "Liu Yang"
"""A name in a negative mention, of which a short quote is kept: names cannot be told from other words."""
OPINION = {"frames.brand", "state.indicators.brand", "archive/mention-events"}
BEHIND = tuple(topic for topic in TOPICS if topic not in RAW_TOPICS)
ENOUGH = {"click_fraud", "complaint_flood", "complaint_volume"}


async def test_what_people_say_is_found_nowhere_behind_ingest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Each machine is to write its last snapshot, however slow this one is.
    monkeypatch.setattr(launcher, "SERVICES_GRACE_S", 30.0)
    environ = {name: value for name, value in os.environ.items() if not name.startswith("TIDEGATE_")}
    environ["TIDEGATE_GATEWAY_PROXIES"] = '["127.0.0.0/8"]'
    with collector() as traces:
        environ |= {"TIDEGATE_TRACES_ENDPOINT": traces.url, "TIDEGATE_TRACES_RATIO": "1"}
        places, raw, pages, sealer = await everything_shown(tmp_path / "home", environ)
    places += [("a trace", body) for body in traces.bodies]
    assert found(CANARIES, places) == []
    assert {place.partition("/day=")[0] for _, place in found([QUOTED], places)} == OPINION
    assert_all_went_in(raw, places, pages, sealer)
    assert_the_request_is_traced_to_the_platform_and_to_whoever_is_told(traces.spans(), places)


async def everything_shown(home: Path, environ: dict[str, str]) -> tuple[list[Place], list[Place], list[Place], Sealer]:
    """What is behind ingest, what is on the raw topics, the pages, and what opens the dead letters."""
    stand_ins = StandIns(traffic=False)
    async with standard_system(home, environ, lambda _: None, stand_ins=stand_ins) as running:
        settings = CommonSettings(kafka=running.kafka)
        await send(running)
        await complain(running)
        await send_bad_ones(running, settings)
        await until_told(running)
        places = [place async for place in in_metrics(running)]
        places += [place async for place in in_answers(running)]
        pages = [place async for place in on_pages(running)]
        await take_last_snapshots(running)
        await archive_all(running, settings)
        places += [place async for place in on_topics(settings, BEHIND)]
        raw = [place async for place in on_topics(settings, RAW_TOPICS)]
        sealer = Sealer(running.secrets.content("dead-letter-key"))
    return [*places, *pages, *in_files(home)], raw, pages, sealer


def assert_the_request_is_traced_to_the_platform_and_to_whoever_is_told(spans: list[Seen], places: list[Place]) -> None:
    """One trace, in which each step follows from the one before."""
    by_id = {each.span: each for each in spans}

    def way(each: Seen) -> tuple[str, ...]:
        """From the span back to the beginning of its trace; without the governor, who is asked in the same topic."""
        own, before = f"{each.service}: {each.name}", way(by_id[each.parent]) if each.parent else ()
        return before if before[:1] == (own,) else (own, *before)

    shown = dict(places)
    lines = [json.loads(line) for line in shown["logs/channel_control.log"].splitlines()]
    confirmed = next(each for each in lines if each["event"] == "confirmed" and each["target"] == "channel:douyin")
    trace_id, alert_id = confirmed["trace_id"], confirmed["alert_id"]
    ways = {way(each) for each in spans if each.trace == trace_id}
    told = {way(each) for each in spans if each.attributes.get("tidegate.alert_id") == alert_id}
    judged = ("indicators-channel: process frames.channel", "ingest: ingest", "gateway: POST /v1/events")
    ordered = ("channel_control: reconcile", "channel_control: process channel-commands", *judged)
    assert ("channel_control: platform put", *ordered) in ways, "\n".join(map(str, sorted(ways)))
    delivered = ("alerting: deliver", "alerting: process alerts")
    # The message follows from the last that it tells: the alert, or already what was done about it.
    follows = {(*delivered, *judged), (*delivered, "channel_control: process channel-commands", *judged)}
    assert told & follows, "\n".join(map(str, sorted(told)))
    assert any(alert_id in each.attributes.get("tidegate.alert_ids", ()) for each in spans if way(each) == judged)
    assert {name for name, content in places if TRACED.search(content)} >= {
        *("frames.channel", "frames.actor", "channel-commands", "alerts", "channel-state"),
    }
    assert f'trace_id="{trace_id}"'.encode() in shown["/metrics of channel_control"]


def assert_all_went_in(raw: list[Place], places: list[Place], pages: list[Place], sealer: Sealer) -> None:
    """Else it is no wonder that nothing was found."""
    assert {value for value, _ in found(CANARIES, raw)} == {*CANARIES}
    letters = [
        DeadLetter.model_validate_json(content.split(b"\n")[1]) for name, content in places if name == DEAD_LETTERS
    ]
    assert len(letters) == len(BAD)
    opened = [("opened", sealer.open(letter.raw)) for letter in letters]
    assert {value for value, _ in found(CANARIES, opened)} >= {CLICKER, ACCOUNT, "王小明", PHONE}
    assert {name.split("/")[1].split("?")[0] for name, _ in pages} >= {
        *("", "channels", "alerts", "complaints", "audit", "dead-letters", "incidents", "policy"),
    }
    seen = {name for name, _ in places}
    assert {*BEHIND} <= seen, "every topic has something on it"


def event(number: int, kind: str, **fields: Any) -> dict[str, Any]:
    now = datetime.now(UTC).isoformat()
    return {"event_id": f"{kind}-{number}", "type": kind, "occurred_at": now, "channel_id": "douyin"} | fields


def clicks() -> list[dict[str, Any]]:
    return [event(number, "click", ip=CLICKER, account_id=ACCOUNT) for number in range(120)]


def complaints() -> list[dict[str, Any]]:
    """Of so many people that the channel is paused, and then many by one click from one address."""
    said = {"text": TEXT, "contact": PHONE}
    hotline = [said | {"entry": "hotline", "account_id": f"{ACCOUNT}-{number}"} for number in range(25)]
    clicked = [said | {"entry": "one_click", "ip": COMPLAINER, "account_id": ACCOUNT}] * 8
    both = enumerate((*hotline, *clicked))
    return [event(number, "complaint_opened", complaint_id=f"c{number}", **fields) for number, fields in both]


def others() -> list[dict[str, Any]]:
    negative = f"{QUOTED} says: ring {PHONE} or write to {LETTERBOX}, see {URL} " + "亏" * 120 + MENTION
    return [
        event(0, "mention", sentiment="neutral", source="weibo", text=MENTION, url=URL),
        event(1, "mention", sentiment="negative", source="weibo", text=negative, url=URL),
        event(2, "conversion", stage="purchase", account_id=ACCOUNT, amount=100.0),
    ]


async def send(running: System) -> None:
    """Through the gateway; what it refuses it does not write down either."""
    headers = {"Authorization": f"Bearer {running.secrets.token('demo')}"}
    async with httpx.AsyncClient(base_url=running.url("gateway"), headers=headers, timeout=20) as client:
        answer = await client.post("/v1/events", json=[*clicks(), *complaints(), *others()])
        assert answer.status_code == 202, answer.text
        app = {"channel_id": "douyin", "account_id": ACCOUNT, "ip": VISITOR, "text": TEXT, "contact": PHONE}
        assert (await client.post("/v1/complaints", json=app)).status_code == 202
        refused = await client.post("/v1/events", json=BAD)
        assert refused.status_code == 422, refused.text


async def complain(running: System) -> None:
    """By the form of the door, from addresses of both kinds."""
    note = form_note.issue(running.secrets.content("door-key").encode(), "n", time.time() - 60)
    form = {"note": note, "lang": "en", "text": DOOR_TEXT, "contact": LETTERBOX}
    async with httpx.AsyncClient(base_url=running.url("gateway"), timeout=20) as client:
        for number, address in enumerate((VISITOR, f"{HOUSEHOLD}::7")):
            said = {**form, "text": f"{DOOR_TEXT} {number}"}
            answer = await client.post("/v1/complaints", data=said, headers={"X-Forwarded-For": address})
            assert answer.status_code == 202, answer.text


BAD: Final[list[Any]] = [
    event(900, "click", ip=CLICKER, account_id=ACCOUNT, count="王小明"),
    event(901, "王小明", ip=CLICKER, text=TEXT),
    event(902, "complaint_opened", complaint_id="x", entry=TEXT, contact=PHONE),
    event(903, "complaint_opened", complaint_id="x", entry="branch", text=[TEXT], account_id={ACCOUNT: CLICKER}),
    event(904, "click", ip=CLICKER) | {"occurred_at": f"at {CLICKER} of {ACCOUNT}"},
    event(905, "conversion", stage="lead", segment=ACCOUNT, amount=PHONE),
    f"{CLICKER} {ACCOUNT} {TEXT}",
]
"""Invalid in fields that hold what is personal, and that hold it where it does not belong."""


async def send_bad_ones(running: System, settings: CommonSettings) -> None:
    """Past the gateway, since some senders write to Kafka themselves."""
    async with producer(settings) as to:
        for each in BAD:
            await to.send_and_wait(COMPLAINT_EVENTS, json.dumps(each, ensure_ascii=False).encode())


async def until_told(running: System) -> None:
    """Whoever is told knows of all three, and the platform has confirmed all that was ordered."""
    headers = {"Authorization": f"Bearer {running.secrets.token('viewer')}"}
    console = f"{running.url('console')}/api/v1"
    async with asyncio.timeout(60), httpx.AsyncClient(headers=headers) as client:
        while True:
            messages = (await client.get(f"{running.url('receiver')}/_messages")).text
            states = [
                (await client.get(f"{console}/channels", params={"kind": kind})).json()["channels"]
                for kind in ("channel", "actor", "account")
            ]
            confirmed = all(each and all(one["platform"]["confirmed"] for one in each) for each in states)
            if confirmed and all(name in messages for name in ENOUGH):
                return
            await asyncio.sleep(0.2)


async def take_last_snapshots(running: System) -> None:
    """Each machine writes one when it ends."""
    machines = [name for name in running.services if name.startswith("indicators-")]
    await asyncio.gather(*(running.take_down(name) for name in (*machines, "channel_control", "alerting")))


async def archive_all(running: System, settings: CommonSettings) -> None:
    """What the next hourly round would copy."""
    await running.take_down("archive")
    key = {"TIDEGATE_INGEST_PSEUDONYM_KEY_FILE": running.secrets.path("pseudonym-key")}
    code, said = await tidegate(settings, "archive", "--to", str(running.home / ARCHIVE), **key)
    assert code == 0, said
