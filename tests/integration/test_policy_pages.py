"""The policy pages as people use them, on a real broker: what is asked for there is what `tidegate policy` finds."""

import asyncio
import json
import uuid
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import httpx
import pytest

from deploy.embedded.broker import Broker
from schemas.topics import COMPLAINT_EVENTS
from services.runtime.kafka.kafka_io import ensure_topics, producer
from services.runtime.settings import CommonSettings
from tests.integration.http_service import running, until, until_ready
from tests.support.command_line import tidegate
from tests.unit.console.browsing import PASSWORD, Form

USERS = Path(__file__).parents[1] / "data/console_users.yml"
TOKENS = f"- {{name: li.wei, sha256: {sha256(b't').hexdigest()}, role: operator}}\n"
FIRST = "version: 1\nindicators: {complaint_volume: {maturity: notify}}\n"


@pytest.fixture
async def settings(broker: Broker) -> CommonSettings:
    settings = CommonSettings(kafka=broker.bootstrap, prefix=f"{uuid.uuid4().hex[:8]}.", partitions=2)
    await ensure_topics(settings)
    return settings


async def signed_in(url: str, name: str) -> httpx.AsyncClient:
    client = httpx.AsyncClient(base_url=url, timeout=40, headers={"Origin": url})
    answer = await client.post("/signin", data={"name": name, "password": PASSWORD})
    assert answer.status_code == 303, answer.text
    return client


async def post(client: httpx.AsyncClient, page: str, form: str, to: str, **fields: str) -> httpx.Response:
    hidden = Form((await client.get(page)).text, form).fields
    return await client.post(to, data=hidden | fields)


async def complaints(settings: CommonSettings, number: int) -> None:
    """On the raw topic, as from a sender."""
    now = datetime.now(UTC)
    async with producer(settings) as sender:
        for n in range(number):
            event = {"event_id": f"e-{n}", "type": "complaint_opened", "channel_id": "douyin", "entry": "hotline"}
            event |= {"complaint_id": f"c-{n}", "account_id": f"person-{n}"}
            event |= {"occurred_at": (now - timedelta(seconds=n)).isoformat()}
            await sender.send_and_wait(settings.prefix + COMPLAINT_EVENTS, json.dumps(event).encode(), b"c")


async def test_a_policy_is_tried_proposed_and_agreed_to_on_pages(settings: CommonSettings, tmp_path: Path) -> None:
    (tmp_path / "people.yml").write_text(TOKENS)
    (tmp_path / "first.yaml").write_text(FIRST)
    assert (await tidegate(settings, "policy", "apply", str(tmp_path / "first.yaml")))[0] == 0
    await complaints(settings, 25)
    environ = {
        "TIDEGATE_KAFKA": settings.kafka,
        "TIDEGATE_PREFIX": settings.prefix,
        "TIDEGATE_CONSOLE_PORT": "0",
        "TIDEGATE_CONSOLE_TOKENS_FILE": str(tmp_path / "people.yml"),
        "TIDEGATE_CONSOLE_USERS_FILE": str(USERS),
        "TIDEGATE_CONSOLE_BACKTEST_TOPICS": "true",
    }
    with running("console", environ, tmp_path / "log") as service:
        async with httpx.AsyncClient(base_url=service.url) as anybody:
            await until_ready(anybody)
        one, two, three = [await signed_in(service.url, name) for name in ("li.wei", "an approver", "an admin")]
        text = "version: 2\nindicators: {complaint_volume: {thresholds: {complaints: 30}}}"

        begun = await post(one, "/policy/edit", "/policy/edit", "/policy/try", document=text, days="7")
        trial = begun.headers["location"]

        async def is_tried() -> bool:
            return "runs in a process of its own" not in (await one.get(trial)).text

        await until(is_tried)
        page = (await one.get(trial)).text
        assert "Complaints of a day" in page, page
        assert "level 1" in page

        asked = await post(
            one, "/policy/edit", "/policy/edit", "/policy/propose", document=text, reason="a large channel"
        )
        assert asked.headers["location"] == "/policy?about=default/2"
        mine = await post(one, "/policy/edit", "/policy/edit", "/policy/approve", label="default/2", reason="mine")
        assert mine.status_code == 403

        async def is_shown() -> bool:
            return "/policy/approve" in (await two.get("/policy")).text

        await until(is_shown)
        agreed = await post(two, "/policy", "/policy/approve", "/policy/approve", reason="looked at it")
        assert agreed.status_code == 303
        code, history = await tidegate(settings, "policy", "history")
        assert (code, "→ default/1" in history) == (0, True)
        code, said = await tidegate(settings, "policy", "approve", "2", "--as", "an approver")
        assert (code, "has approved default/2 before" in said) == (1, True)

        both = await asyncio.gather(
            *(post(three, "/policy", "/policy/approve", "/policy/approve", reason="me too") for _ in range(2))
        )
        assert sorted(answer.status_code for answer in both)[0] == 303, "a double click counts once"

        async def is_in_force() -> bool:
            return "default/2 is in force." in (await one.get("/policy?about=default/2")).text

        await until(is_in_force)
        for client in (one, two, three):
            await client.aclose()
    code, history = await tidegate(settings, "policy", "history")
    assert "→ default/2" in history
    assert "proposed by person:li.wei" in history
    assert "approved by person:an approver, person:an admin" in history
    code, said = await tidegate(settings, "audit", "verify")
    assert code == 0, said
