"""Each service on a Kafka that lets it do only what its row says: everything works, and nothing else does."""

import asyncio
import os
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import httpx

from deploy.launcher.secrets import Secrets
from deploy.launcher.standard import ROOT
from deploy.launcher.system import Options, System
from deploy.launcher.table import Ports, Service, StandIns, services
from deploy.ports import free_port
from schemas.access import EVERY_TOPIC, EVERYONE
from schemas.topics import TOPICS
from tests.support.command_line import tidegate
from tests.support.guarded import Guarded, guarded_broker
from tests.support.rights import readable, writable
from tests.support.whole import TRACED, on_topics

POLICY = ROOT / "deploy" / "policy.yaml"


async def test_the_system_works_with_the_rights_of_its_rows_and_nobody_has_more(tmp_path: Path) -> None:
    async with guarded_broker(tmp_path) as guarded:
        await prepare(guarded)
        async with system(guarded, tmp_path / "home") as running:
            await flood(running)
            await until_paused(running)
            logs = {path.stem: path.read_text("utf-8") for path in (running.home / "logs").glob("*.log")}
        assert [name async for name, record in on_topics(guarded.owner, TOPICS) if TRACED.search(record)] == []
        assert {name: text for name, text in logs.items() if "uthoriz" in text} == {}
        for name, row in EVERYONE.items():
            assert [each for each in logs.values() if guarded.password(name) in each] == []
            assert await readable(guarded.settings(name), EVERY_TOPIC) == {*row.reads}, name
            assert await writable(guarded.settings(name), EVERY_TOPIC) == {*row.writes}, name


async def prepare(guarded: Guarded) -> None:
    """Topics and a policy, each by who may."""
    for name, arguments in (("topics", ("topics", "ensure")), ("policy", ("policy", "apply", str(POLICY)))):
        code, said = await tidegate(guarded.settings(name), *arguments, **guarded.environ(name))
        assert code == 0, said


def system(guarded: Guarded, home: Path) -> System:
    """All services, each under its own name."""
    ports = Ports(*(free_port() for _ in range(4)))
    environ = {name: value for name, value in os.environ.items() if not name.startswith("TIDEGATE_")}

    def signed_in(each: Service) -> Service:
        if each.name not in EVERYONE:
            return each
        env: Mapping[str, str] = {**each.env, **guarded.environ(each.name)}
        return replace(each, env=env)

    def table(secrets: Secrets) -> list[Service]:
        return [signed_in(each) for each in services(home, ports, secrets, StandIns(traffic=False))]

    return System(Options(home, guarded.address, environ), table, lambda _: None)


async def flood(running: System) -> None:
    """More complaints about a channel than it may have in a day."""
    now = datetime.now(UTC).isoformat()
    events = [
        {"event_id": f"e{number}", "type": "complaint_opened", "occurred_at": now, "channel_id": "douyin"}
        | {"complaint_id": f"c{number}", "entry": "hotline"}
        for number in range(25)
    ]
    headers = {"Authorization": f"Bearer {running.secrets.token('demo')}"}
    async with httpx.AsyncClient() as client:
        answer = await client.post(f"{running.url('gateway')}/v1/events", json=events, headers=headers)
    assert answer.status_code == 202, answer.text


async def until_paused(running: System) -> None:
    """The platform has confirmed it, and the console knows."""
    headers = {"Authorization": f"Bearer {running.secrets.token('viewer')}"}
    url = f"{running.url('console')}/api/v1/channels/channel:douyin"
    async with asyncio.timeout(60), httpx.AsyncClient(headers=headers) as client:
        while not is_paused(await client.get(url)):  # noqa: ASYNC110 - it is asked over HTTP
            await asyncio.sleep(0.1)


def is_paused(answer: httpx.Response) -> bool:
    return answer.status_code == 200 and answer.json()["platform"]["confirmed"] == "paused"
