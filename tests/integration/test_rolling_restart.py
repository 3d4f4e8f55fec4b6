"""An upgrade: each service is ended with SIGTERM and started again under load, and nothing is lost or doubled. Then a
backup: a copy of everything, started in another folder, knows what was known and goes on."""

import asyncio
import os
import re
import shutil
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any, Final

import httpx
import pytest

from deploy.launcher import system as launcher
from deploy.launcher.processes import Say
from deploy.launcher.standard import standard_system
from deploy.launcher.system import System
from deploy.launcher.table import AUDIT_HEADS, StandIns
from schemas.channels import ChannelState
from schemas.topics import CHANNEL_STATE
from services.cli.proof.verify_io import read_commands
from services.cli.settings import CliSettings
from services.indicators.machine import STORES
from services.runtime.kafka.kafka_io import read_compacted
from tests.support.command_line import tidegate

IN_TURN: Final = (
    *(("gateway",), ("ingest",)),
    tuple(f"indicators-{subject}" for subject in STORES),
    *(("channel_control",), ("alerting",), ("console",)),
)
COMPLAINTS: Final = 24
"""One in each of the first batches: twenty on one day pause the channel, in the midst of the restarts."""
CLICKS: Final = 20
PATIENCE_S: Final = 30.0
"""How long a service may take to end: that it ends is what counts here, not how fast the machine is."""


def batch(number: int) -> list[dict[str, Any]]:
    said = {"occurred_at": datetime.now(UTC).isoformat(), "channel_id": "douyin"}
    clicks = [
        {**said, "event_id": f"k{number}-{each}", "type": "click", "ip": f"198.51.100.{each}"} for each in range(CLICKS)
    ]
    complaint = {"event_id": f"c{number}", "type": "complaint_opened", "complaint_id": f"c{number}", "entry": "hotline"}
    return [*clicks, {**said, **complaint}] if number < COMPLAINTS else clicks


async def send_until(stop: asyncio.Event, running: System) -> int:
    """Sends as a good sender does, again what was not acknowledged; how many events there were."""
    headers, sent = {"Authorization": f"Bearer {running.secrets.token('demo')}"}, 0
    async with httpx.AsyncClient(base_url=running.url("gateway"), headers=headers, timeout=10) as client:
        for number in count():
            events = batch(number)
            while not await taken(client, events):  # noqa: ASYNC110 - it is asked over HTTP
                await asyncio.sleep(0.2)
            sent += len(events)
            if stop.is_set() and number >= COMPLAINTS:
                return sent
            await asyncio.sleep(0.3)
    raise AssertionError("counting never ends")


async def taken(client: httpx.AsyncClient, events: list[dict[str, Any]]) -> bool:
    try:
        answer = await client.post("/v1/events", json=events)
    except httpx.TransportError:
        return False
    assert answer.status_code in (202, 503), answer.text
    return answer.status_code == 202


async def restart(running: System, names: tuple[str, ...]) -> None:
    before = [running.pid(name) for name in names]
    await asyncio.gather(*(running.take_down(name) for name in names))
    for name in names:
        running.bring_up(name)
    await asyncio.gather(*(running.ready(name) for name in names))
    assert not {*before} & {running.pid(name) for name in names}


async def until_paused(settings: CliSettings, target: str) -> None:
    async with asyncio.timeout(20):
        while True:
            state = (await read_compacted(settings, CHANNEL_STATE)).get(target.encode())
            if state and ChannelState.model_validate_json(state).platform.confirmed == "paused":
                return
            await asyncio.sleep(0.2)


def system(home: Path, say: Say) -> System:
    environ = {name: value for name, value in os.environ.items() if not name.startswith("TIDEGATE_")}
    return standard_system(home, environ, say, stand_ins=StandIns(traffic=False))


@pytest.mark.timeout(300)
async def test_a_rolling_restart_under_load_loses_and_doubles_nothing_and_a_copy_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(launcher, "SERVICES_GRACE_S", PATIENCE_S)
    monkeypatch.setattr(launcher, "BROKER_GRACE_S", PATIENCE_S)
    told: list[str] = []
    async with system(tmp_path / "home", told.append) as running:
        settings, stop = CliSettings(kafka=running.kafka), asyncio.Event()
        sending = asyncio.create_task(send_until(stop, running))
        for names in IN_TURN:
            await restart(running, names)
        stop.set()
        sent = await sending
        code, said = await tidegate(settings, "ledger", "--brief", "--wait", "40")
        assert (code, "0 dead, 0 control: closed" in said) == (0, True), said
        assert re.findall(r"([\d,]+) valid", said) == [f"{sent:,}"]
        await until_paused(settings, "channel:douyin")
        commands = (await read_commands(settings)).commands.values()
        pauses = [each for each in commands if (each.target, each.command) == ("channel:douyin", "pause")]
        assert len(pauses) == 1
        code, said = await tidegate(settings, "audit", "heads", **auditing(running))
        assert code == 0, said
        before = await known(running, settings)
    assert [line for line in told if "did not end" in line or "killed" in line] == []
    await asyncio.to_thread(shutil.copytree, tmp_path / "home", tmp_path / "restored", symlinks=True)
    async with system(tmp_path / "restored", told.append) as running:
        settings = CliSettings(kafka=running.kafka)
        assert await known(running, settings) == before
        await goes_on(running, settings, sent)


def auditing(running: System) -> dict[str, str]:
    heads = {"TIDEGATE_CLI_AUDIT_HEADS": str(running.home / AUDIT_HEADS)}
    return heads | {"TIDEGATE_CLI_AUDIT_KEY_FILE": running.secrets.path("audit-key")}


async def known(running: System, settings: CliSettings) -> dict[str, Any]:
    """What must outlive a restored backup: the audit whole, the policy, the holds."""
    code, said = await tidegate(settings, "audit", "verify", **auditing(running))
    assert code == 0, said
    code, policy = await tidegate(settings, "policy", "show")
    assert code == 0, policy
    headers = {"Authorization": f"Bearer {running.secrets.token('viewer')}"}
    async with httpx.AsyncClient(base_url=running.url("console"), headers=headers) as client:
        channels = (await client.get("/api/v1/channels")).json()["channels"]
    assert [each["status"] for each in channels] == ["paused"]
    return {"policy": policy, "channels": channels}


async def goes_on(running: System, settings: CliSettings, before: int) -> None:
    """What a sender repeats counts once, and what is new is judged."""
    said = {"occurred_at": datetime.now(UTC).isoformat(), "type": "complaint_opened", "entry": "hotline"}
    repeated = [batch(number)[-1] for number in range(COMPLAINTS)]
    opened = [
        {**said, "event_id": f"new{each}", "complaint_id": f"new{each}", "channel_id": "weibo"}
        for each in range(COMPLAINTS)
    ]
    headers = {"Authorization": f"Bearer {running.secrets.token('demo')}"}
    async with httpx.AsyncClient(base_url=running.url("gateway"), headers=headers, timeout=10) as client:
        assert await taken(client, [*repeated, *opened])
    code, told = await tidegate(settings, "ledger", "--brief", "--wait", "40")
    assert (code, "0 dead, 0 control: closed" in told) == (0, True), told
    assert re.findall(r"([\d,]+) valid", told) == [f"{before + COMPLAINTS:,}"]
    await until_paused(settings, "channel:weibo")
    commands = (await read_commands(settings)).commands.values()
    pauses = sorted(each.target for each in commands if each.command == "pause")
    assert pauses == ["channel:douyin", "channel:weibo"]
    await until_all_wait(running, 2 * COMPLAINTS)


async def until_all_wait(running: System, count: int) -> None:
    """So many complaints wait for an answer, those from before the backup among them; the indicators tell once a
    minute."""
    console = running.url("console")
    async with asyncio.timeout(90), httpx.AsyncClient(base_url=console, follow_redirects=True) as client:
        form = {"name": "demo-admin", "password": running.secrets.token("admin"), "next": "/complaints"}
        page = await client.post("/signin", data=form, headers={"Origin": console})
        while f'Waiting</div><div class="big">{count}<' not in page.text:
            await asyncio.sleep(0.5)
            page = (await client.get("/complaints")).raise_for_status()
