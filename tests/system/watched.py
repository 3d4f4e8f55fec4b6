"""A running Tidegate on which three hours pass within half a minute, scraped all the while: calm traffic, an incident,
a bad event, orders of people, customers at the door, a platform and a receiver that fail for a moment. Time is that of
the events, as in `make demo`."""

import asyncio
import contextlib
import os
import random
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import httpx
from aiokafka import AIOKafkaProducer

from deploy.demo import incidents
from deploy.demo.routine import routine
from deploy.demo.stage import Stage
from deploy.demo.stories import Event, Source
from deploy.launcher.standard import ROOT, standard_system
from deploy.launcher.system import System
from deploy.launcher.table import StandIns
from deploy.ports import free_port
from schemas.goals import DEFAULT_GOALS, FigureId, Goal
from schemas.topics import CHANNEL_EVENTS
from services.console.state.figures import FIGURES
from services.policies.reading import read_policy
from services.runtime.settings import CommonSettings
from tests.system.program import eventually
from tests.system.prometheus import Prometheus, prometheus

HOURS: Final = 3
STEPS: Final = 24
STOPPED: Final = "douyin"


@contextlib.asynccontextmanager
async def lived(home: Path) -> AsyncIterator[tuple[System, Prometheus]]:
    """The system after all that, and the Prometheus that has seen it."""
    now = datetime.now(UTC)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TIDEGATE_")}
    environment |= {"TIDEGATE_CLOCK": "events"}
    policy = _policy(home, now)
    system = standard_system(
        home / "system", environment, lambda _: None, stand_ins=StandIns(traffic=False), policy=policy
    )
    async with system:
        ports = {name: service.port for name, service in system.services.items() if service.port_variable}
        settings = CommonSettings(kafka=system.kafka, clock="events")
        async with prometheus(ports, home, free_port()) as watch, Stage(system, settings) as stage:
            await eventually(lambda: _all_up(watch))
            await stage.order("pause", target="channel:weibo", note="the campaign is wrong")
            await _send_badly(system)
            await _refuse(system)
            await _play(stage, now)
            await _complain(system)
            for seen in (
                f'tidegate_console_channel_holds{{channel="{STOPPED}", state="acting"}}',
                'tidegate_alerting_deliveries_total{outcome="delivered"} > 0',
                "tidegate_indicator_value",
                "tidegate_business_clicks > 0",
            ):
                await eventually(lambda seen=seen: _some(watch, seen), 60)  # type: ignore[misc]
            await stage.order("pause", target="channel:kuaishou", note="the campaign is wrong")
            await asyncio.sleep(12)  # a snapshot, and some scrapes more
            yield system, watch


def _policy(home: Path, now: datetime) -> Path:
    """The default one, where it is about noon now: figures are of the business day so far. With goals for all figures,
    and an indicator in shadow that trips."""
    behind = now.hour - 12
    zone = f"Etc/GMT{behind:+d}" if behind else "UTC"
    goals: dict[FigureId, Goal] = {figure.id: Goal(all=1.0) for figure in FIGURES if figure.id not in DEFAULT_GOALS}
    document = read_policy(ROOT / "deploy" / "policy.yaml")
    shadow = document.indicators["content_violation"].model_copy(update={"maturity": "shadow"})
    indicators = {**document.indicators, "content_violation": shadow}
    policy = document.model_copy(update={"time_zone": zone, "goals": goals, "indicators": indicators})
    file = home / "policy.yaml"
    file.write_text(policy.model_dump_json(), "utf-8")
    return file


def _events(now: datetime) -> list[Event]:
    source, begins = Source(f"watched-{now.timestamp():.0f}", random.Random(7)), now - timedelta(hours=HOURS)
    events = [
        *source.calm(begins, HOURS * 3600, 0.2),
        *routine(source, begins, HOURS * 3600),
        *incidents.complaints(source, now - timedelta(minutes=40), 600, STOPPED, 25),
        incidents.post(source, now - timedelta(minutes=50), "wechat", "in-shadow"),
        *incidents.click_farm(source, now - timedelta(minutes=30), "wechat", 160, "198.51.100.7"),
        *(source.event("conversion", now - timedelta(hours=1), STOPPED, stage="purchase", amount=900.0) for _ in "123"),
    ]
    return sorted(events, key=lambda event: str(event["occurred_at"]))


async def _play(stage: Stage, now: datetime) -> None:
    events, sent = _events(now), 0
    for step in range(1, STEPS + 1):
        until = now - timedelta(hours=HOURS * (1 - step / STEPS))
        due = [event for event in events[sent:] if datetime.fromisoformat(event["occurred_at"]) < until]
        sent += len(due)
        await stage.send(due)
        await stage.tell_time(until)
        await asyncio.sleep(1)  # as long as a scrape, so that Prometheus sees it grow


async def _send_badly(system: System) -> None:
    """Past the gateway, which lets no bad event through."""
    async with AIOKafkaProducer(bootstrap_servers=system.kafka) as producer:
        for value in (b"{", b"[]", b"{"):
            await producer.send_and_wait(CHANNEL_EVENTS, value, key=b"douyin")
            await asyncio.sleep(1.5)


async def _refuse(system: System) -> None:
    """The next calls of the platform and messages to the receiver fail; they are tried again."""
    async with httpx.AsyncClient(trust_env=False) as client:
        platform = {"kind": "fail", "method": "PUT", "times": 2}
        (await client.post(f"{system.url('platform')}/_control", json=platform)).raise_for_status()
        (await client.post(f"{system.url('receiver')}/_control", json={"status": 503, "times": 2})).raise_for_status()


async def _complain(system: System) -> None:
    """By the public door, which stamps them with the present: before the story is over they would make it late."""
    headers = {"Authorization": f"Bearer {system.secrets.token('demo')}"}
    async with httpx.AsyncClient(trust_env=False, headers=headers) as client:
        for channel in ("weibo", "kuaishou"):
            answer = await client.post(f"{system.url('gateway')}/v1/complaints", json={"channel_id": channel})
            answer.raise_for_status()
            await asyncio.sleep(1.5)


async def _all_up(watch: Prometheus) -> bool:
    return len(await watch.now("up == 1")) > 10 and await watch.problems() == []


async def _some(watch: Prometheus, expr: str) -> bool:
    return bool(await watch.now(expr))
