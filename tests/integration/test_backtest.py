"""A backtest of a cluster's raw topics gives the trips that the live services gave on them."""

import asyncio
import os
import random
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import groupby
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from deploy.demo.incidents import GOOD_BODY, click_farm, complaints, conversions, post
from deploy.demo.stories import Event, Source
from deploy.launcher.standard import standard_system
from deploy.launcher.system import System
from deploy.launcher.table import StandIns
from schemas.alerts import AlertFact
from schemas.backtest import Report
from schemas.base import from_ms, to_ms
from schemas.commands import Command
from schemas.events import EVENT, TOPIC_OF, routing_key
from schemas.topics import ALERTS, CHANNEL_COMMANDS
from services.cli.backtest.timeline import boundary
from services.cli.replay.replay_io import tell_end, tell_time
from services.cli.settings import CliSettings
from services.runtime.kafka.kafka_io import follow, producer

DAY = datetime(2026, 11, 24, tzinfo=ZoneInfo("Asia/Shanghai"))
"""The day of the incidents; eight days before it nothing happens but what they are compared with."""
SHOWN = {"complaint_volume", "complaint_rate", "click_fraud", "complaint_flood", "cac_spike", "conversion_drop"}
SHOWN |= {"complaint_sla", "negative_sentiment", "market_volatility"}
SHOWN |= {"search_divergence", "engagement_drop", "content_violation"}

Told = set[tuple[Any, ...]]


def history(source: Source) -> Iterator[Event]:
    """Two channels by the hour; on the day itself one of them pays twice as much, sells half and engages fewer."""
    for hour in range(9 * 24 - 1):
        at = DAY + timedelta(days=-8, hours=hour, minutes=7)
        bad = at >= DAY
        for channel in ("douyin", "wechat"):
            worse = bad and channel == "wechat"
            yield source.event("spend", at, channel, amount=1600.0 if worse else 800.0)
            yield source.event("click", at, channel, count=100)
            yield source.event("impression", at, channel, count=1000)
            yield source.event("engagement", at, channel, kind="like", count=40 if worse else 100)
            yield from conversions(source, at, 1800, channel, 5 if worse else 12)
            for n in range(3):
                later = at + timedelta(minutes=n)
                yield source.event("conversion", later, channel, stage="account_opened", product_id="growth-fund")


def searches(source: Source) -> Iterator[Event]:
    """A product in every hour since noon of the day before; from noon on ten times as many search for it."""
    for hour in range(-12, 23):
        at, feared = DAY + timedelta(hours=hour, minutes=3), hour >= 12
        yield source.event("search", at, "branches", product_id="term-deposit", count=1500 if feared else 150)
        for event in conversions(source, at, 1800, "branches", 10):
            yield event | {"product_id": "term-deposit"}


def incidents(source: Source) -> Iterator[Event]:
    """Something for every kind of subject."""
    yield post(source, DAY + timedelta(hours=11), "douyin", "promise")
    yield post(source, DAY + timedelta(hours=12), "douyin", "promise", GOOD_BODY)
    yield from searches(source)
    yield from complaints(source, DAY - timedelta(days=3), 60, "wechat", 1)  # never answered
    yield from complaints(source, DAY + timedelta(hours=10), 3000, "douyin", 45)
    yield from click_farm(source, DAY + timedelta(hours=13), "douyin", 260, "203.0.113.7")
    # One in four is negative. Of two in four the share trips too, at a close, which is before or after the count does
    # as the services happen to catch up.
    for n in range(520):
        at = DAY + timedelta(hours=9, seconds=15 * n)
        yield source.event("mention", at, sentiment="neutral" if n % 4 else "negative", source="weibo")
    for n in range(8):
        at, name = DAY + timedelta(hours=15, seconds=20 * n), f"flood-{n}"
        yield source.event("complaint_opened", at, "douyin", complaint_id=name, entry="one_click", ip="203.0.113.9")
    for month, percent in (("2026-09", 3.0), ("2026-10", 3.3), ("2026-11", 3.6)):
        yield source.event("rate", DAY + timedelta(hours=8), series="lpr_1y", month=month, percent=percent)


def nine_days() -> list[Event]:
    source = Source("bt", random.Random(5))
    return [*history(source), *incidents(source)]


def just_now() -> list[Event]:
    """What trips at once, in the last minute."""
    source, now = Source("now", random.Random(6)), datetime.now(UTC)
    return [
        *complaints(source, now - timedelta(seconds=50), 45, "douyin", 41),
        *click_farm(source, now - timedelta(seconds=45), "kuaishou", 220, "203.0.113.7"),
    ]


async def send(settings: CliSettings, events: list[Event]) -> None:
    """Through Kafka, hour by hour, with the time of each if the clock goes by events."""
    checked = [EVENT.validate_python(each, strict=False) for each in events]
    checked.sort(key=lambda event: event.occurred_at)
    async with producer(settings) as kafka:
        for _, hour in groupby(checked, lambda event: event.occurred_at.replace(minute=0, second=0, microsecond=0)):
            batch = list(hour)
            for event in batch:
                value = event.model_dump_json(exclude_none=True).encode()
                await kafka.send(settings.prefix + TOPIC_OF[event.type], value, key=routing_key(event).encode())
            await kafka.flush()
            if settings.clock == "events":
                await tell_time(kafka, settings, batch[-1].occurred_at)
        if settings.clock == "events":
            await tell_end(kafka, settings)


async def all_of(settings: CliSettings, topic: str) -> list[bytes]:
    values: list[bytes] = []
    batches = follow(settings, topic)
    async for batch in batches:
        values += [record.value for record in batch.records if record.value is not None and record.key != b"policy"]
        if batch.caught_up:
            break
    await batches.aclose()
    return values


async def live_trips(settings: CliSettings) -> tuple[Told, Told]:
    """Levels and orders, as the indicators told them."""
    facts = [AlertFact.model_validate_json(value) for value in await all_of(settings, ALERTS)]
    levels: dict[tuple[str, int], tuple[Any, ...]] = {}
    for fact in sorted((each for each in facts if each.writer.startswith("indicators:")), key=lambda each: each.seq):
        for level in range(1, (fact.level or 0) + 1):
            told = fact.indicator, fact.subject, level, fact.event_time
            levels.setdefault((fact.alert_id, level), told)
        if fact.status == "resolved":
            levels[fact.alert_id, 0] = fact.indicator, fact.subject, "resolved", fact.event_time
    commands = [Command.model_validate_json(value) for value in await all_of(settings, CHANNEL_COMMANDS)]
    orders = {
        (each.command, each.target, each.level, each.factor, each.maturity, each.event_time)
        for each in commands
        if each.is_from_indicator()
    }
    return set(levels.values()), orders


def backtested(report: Report) -> tuple[Told, Told]:
    """The same of a backtest."""
    trips = report.runs[0].trips
    levels: Told = {(trip.indicator, trip.subject, each.level, each.at) for trip in trips for each in trip.levels}
    levels |= {(trip.indicator, trip.subject, "resolved", trip.resolved) for trip in trips if trip.resolved}
    orders = {
        (each.action, each.target, each.level, each.factor, each.maturity, each.at)
        for trip in trips
        for each in trip.orders
    }
    return levels, orders


async def tidegate(environment: dict[str, str], *arguments: object) -> None:
    command = [sys.executable, "-m", "services.cli", *map(str, arguments)]
    process = await asyncio.create_subprocess_exec(*command, env=environment)
    assert await process.wait() == 0, f"tidegate {arguments}"


async def backtest(system: System, environment: dict[str, str], folder: Path, *arguments: str) -> Report:
    key = {"TIDEGATE_INGEST_PSEUDONYM_KEY_FILE": system.secrets.path("pseudonym-key")}
    data = folder / "report.json"
    await tidegate(environment | key, "backtest", *arguments, "--json", data)
    return Report.model_validate_json(data.read_bytes())


async def settled(settings: CliSettings, tested: tuple[Told, Told]) -> tuple[Told, Told]:
    """What the live services told, once that is all: what the last marks close comes after the books balance."""
    for _ in range(60):
        live = await live_trips(settings)
        if live == tested:
            break
        await asyncio.sleep(0.5)
    return live


@pytest.mark.parametrize("clock", ["events", "wall"])
async def test_it_finds_what_the_live_services_found(clock: str, tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TIDEGATE_")}
    environment |= {"TIDEGATE_CLOCK": clock}
    system = standard_system(tmp_path / "home", environment, print, stand_ins=StandIns(traffic=False))
    async with system:
        settings = CliSettings.model_validate({"kafka": system.kafka, "clock": clock})
        there = {**environment, "TIDEGATE_KAFKA": system.kafka}
        began = time.time_ns() // 1_000_000
        events = nine_days() if clock == "events" else just_now()
        await send(settings, events)
        await tidegate(there, "ledger", "--wait", "60")
        window = ["--from", from_ms(began - 1000).isoformat()]
        if clock == "events":
            last_ms = max(to_ms(datetime.fromisoformat(event["occurred_at"])) for event in events)
            window = ["--to", from_ms(boundary(last_ms)).isoformat()]
        report = await backtest(system, there, tmp_path, *window)
        tested = backtested(report)
        live = await settled(settings, tested)
    assert {told[0] for told in live[0]} >= (SHOWN if clock == "events" else {"complaint_volume", "click_fraud"})
    assert tested[0] == live[0]
    assert tested[1] == live[1]
