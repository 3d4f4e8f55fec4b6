"""A running Tidegate on which three hours pass within half a minute, scraped all the while: calm traffic, an incident,
a bad event, orders of people. Time is that of the events, as in `make demo`."""

import asyncio
import contextlib
import os
import random
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from aiokafka import AIOKafkaProducer

from deploy.demo import incidents
from deploy.demo.routine import routine
from deploy.demo.stage import Stage
from deploy.demo.stories import Event, Source
from deploy.launcher.standard import ROOT, standard_system
from deploy.launcher.system import System
from deploy.launcher.table import StandIns
from deploy.ports import free_port
from schemas.topics import CHANNEL_EVENTS
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
    environment = {**os.environ, "TIDEGATE_CLOCK": "events"}
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
            await _play(stage, now)
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
    """The default one, where it is about noon now: figures are of the business day so far."""
    behind = now.hour - 12
    zone = f"Etc/GMT{behind:+d}" if behind else "UTC"
    policy = read_policy(ROOT / "deploy" / "policy.yaml").model_copy(update={"time_zone": zone})
    file = home / "policy.yaml"
    file.write_text(policy.model_dump_json(), "utf-8")
    return file


def _events(now: datetime) -> list[Event]:
    source, begins = Source(f"watched-{now.timestamp():.0f}", random.Random(7)), now - timedelta(hours=HOURS)
    events = [
        *source.calm(begins, HOURS * 3600, 0.2),
        *routine(source, begins, HOURS * 3600),
        *incidents.complaints(source, now - timedelta(minutes=40), 600, STOPPED, 25),
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


async def _all_up(watch: Prometheus) -> bool:
    return len(await watch.now("up == 1")) > 10 and await watch.problems() == []


async def _some(watch: Prometheus, expr: str) -> bool:
    return bool(await watch.now(expr))
