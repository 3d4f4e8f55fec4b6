"""One round of the bench on a system of its own: full load, rates, quiet, recovery, and what it is compared with."""

import asyncio
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psutil

from deploy.launcher.standard import standard_system
from deploy.launcher.system import System
from deploy.launcher.table import StandIns
from schemas.commands import Command
from schemas.topics import CHANNEL_COMMANDS
from services.cli.ledger.ledger_io import read_lines
from services.cli.settings import CliSettings
from services.indicators.machine import STORES
from services.runtime.kafka.kafka_io import follow, producer
from tests.bench import load
from tests.bench.sender import COMPLAINTS_TO_PAUSE, preload
from tests.support.wide_policy import wide_policy

INDICATORS = tuple(f"indicators-{subject}" for subject in STORES)
SERVICES = ("gateway", "ingest", *INDICATORS, "channel_control", "alerting", "console")
LATENCY_RATE = 10_000
TRICKLE_RATE = 5_000
TRIGGERS_PER_SECOND = 5
HISTORY_DAYS = 8.9
DRAIN_S = 300.0
GATEWAY_EVENTS, GATEWAY_ARRAY = 50_000, 500


@dataclass
class Round:
    """What one round measured. figures: single numbers; services and total: by service."""

    services: dict[str, dict[str, float]] = field(default_factory=dict)
    total: dict[str, float] = field(default_factory=dict)
    figures: dict[str, float] = field(default_factory=dict)


def say(line: str) -> None:
    """One line for people."""
    print(f"{time.strftime('%H:%M:%S')}  {line}", flush=True)


class Meter:
    """CPU seconds of the services and the broker, from one moment to another."""

    def __init__(self, system: System) -> None:
        self._processes = {name: psutil.Process(system.pid(name)) for name in (*SERVICES, "broker")}
        self._began, self._wall = self._now(), time.monotonic()

    def _now(self) -> dict[str, float]:
        return {name: sum(process.cpu_times()[:2]) for name, process in self._processes.items()}

    def spent(self) -> dict[str, float]:
        """CPU seconds since the beginning."""
        now = self._now()
        return {name: now[name] - self._began[name] for name in now}

    def wall(self) -> float:
        """Seconds since the beginning."""
        return time.monotonic() - self._wall

    def rss_mb(self) -> dict[str, float]:
        """Memory in use."""
        return {name: process.memory_info().rss / 1e6 for name, process in self._processes.items()}


@asynccontextmanager
async def running(home: Path) -> AsyncIterator[tuple[System, CliSettings]]:
    """A system without stand-in traffic."""
    environment = {**os.environ, "TIDEGATE_CLOCK": "wall"}
    policy = wide_policy(home)
    async with standard_system(home, environment, say, stand_ins=StandIns(traffic=False), policy=policy) as system:
        yield system, CliSettings(kafka=system.kafka)


async def run_round(number: int, events: int, seconds: float) -> Round:
    """Everything once, on fresh data."""
    home, result = Path(tempfile.mkdtemp(prefix="tidegate-bench-")), Round()
    say(f"round {number}")
    try:
        async with running(home) as (system, settings):
            await _full_load(system, settings, events, number, result)
            await _through_gateway(system, number, result)
            await _quiet(system, seconds, result)
            await _trickle(system, settings, seconds, result)
            await _latency(system, settings, seconds, result)
            await _recovery(system, settings, result)
            await _compare(settings, result)
        result.figures["million_addresses_mb"] = await _million_addresses()
    finally:
        shutil.rmtree(home, ignore_errors=True)
    return result


# -- the parts


async def _full_load(system: System, settings: CliSettings, events: int, seed: int, result: Round) -> None:
    """A backlog is drained: ingest is down while it is made, so that it finds all of it."""
    await system.take_down("ingest")
    start = time.time() - 1800
    sent = await preload(settings.kafka, settings.prefix, load.mix(events, start, 1790, seed))
    say(f"{sent:,} events lie ready; draining them")
    snapshots = await _snapshot_bytes(system)
    system.bring_up("ingest")
    await _first_records(system)
    meter, begun = Meter(system), await _records(system)
    await drained(settings, sent)
    spent, measured = meter.spent(), await _records(system) - begun
    rss = meter.rss_mb()
    snapshot = (await _snapshot_bytes(system) - snapshots) / sent
    share = {name: measured if name == "ingest" else sent for name in spent}
    for name in SERVICES:
        us = spent[name] / share[name] * 1e6
        result.services[name] = {
            "cpu_us_per_event": us,
            "events_per_core_second": 1e6 / us if us else 0.0,
            "rss_mb": rss[name],
            "snapshot_bytes_per_event": 0.0,
        }
    result.total = {key: sum(figures[key] for figures in result.services.values()) for key in result.services["ingest"]}
    result.total["events_per_core_second"] = 1e6 / result.total["cpu_us_per_event"]
    result.total["snapshot_bytes_per_event"] = snapshot
    result.figures["broker_us_per_event"] = spent["broker"] / sent * 1e6


async def _through_gateway(system: System, seed: int, result: Round) -> None:
    """The load above goes straight to Kafka; this is what the gateway costs a sender's event, in arrays of 500."""
    meter = Meter(system)
    events = [value for _, _, value in load.mix(GATEWAY_EVENTS, time.time() - 60, 50, seed, run="g")]
    headers = {"Authorization": f"Bearer {system.secrets.token('demo')}", "Content-Type": "application/json"}
    async with httpx.AsyncClient(base_url=system.url("gateway"), headers=headers, timeout=60) as client:
        for start in range(0, len(events), GATEWAY_ARRAY):
            body = b"[" + b",".join(events[start : start + GATEWAY_ARRAY]) + b"]"
            (await client.post("/v1/events", content=body)).raise_for_status()
    result.figures["gateway_us_per_event"] = meter.spent()["gateway"] / len(events) * 1e6
    say(f"gateway: {result.figures['gateway_us_per_event']:.1f} µs an event")


async def _quiet(system: System, seconds: float, result: Round) -> None:
    """Nothing comes; the first seconds are left to what is still being tidied up."""
    await asyncio.sleep(10)
    meter = Meter(system)
    await asyncio.sleep(seconds)
    result.figures["quiet_cpu_percent"] = 100 * sum(_ours(meter.spent())) / meter.wall()
    say(f"quiet: {result.figures['quiet_cpu_percent']:.1f} % of a core")


async def _trickle(system: System, settings: CliSettings, seconds: float, result: Round) -> None:
    meter = Meter(system)
    sent = (await _send(settings, TRICKLE_RATE, seconds, 0))["sent"]
    result.figures["trickle_us_per_event"] = sum(_ours(meter.spent())) / sent * 1e6
    say(f"trickle: {result.figures['trickle_us_per_event']:.1f} µs an event")


async def _latency(system: System, settings: CliSettings, seconds: float, result: Round) -> None:
    """From when a complaint was due to be sent to when the pause that it provokes stands on its topic, and to when the
    platform has confirmed it, which is somewhat after the call."""
    sent = await _send(settings, LATENCY_RATE, seconds, TRIGGERS_PER_SECOND)
    for word, prefix, suffix in (("pause", "p_", ""), ("confirmed", "confirmed_", "_ms")):
        came = await _all_of(settings, word, sent["triggers"])
        found = sorted((came[name] - due) * 1000 for name, due in sent["triggers"].items() if name in came)
        if len(found) < len(sent["triggers"]):
            raise RuntimeError(f"{len(sent['triggers']) - len(found)} of {len(sent['triggers'])} never came: {word}")
        p50, p99 = found[len(found) // 2], found[int(len(found) * 0.99)]
        result.figures[f"{prefix}p50{suffix}"], result.figures[f"{prefix}p99{suffix}"] = p50, p99
        say(f"latency to {word}: p50 {p50:.0f} ms, p99 {p99:.0f} ms of {len(found)}")


async def _recovery(system: System, settings: CliSettings, result: Round) -> None:
    """SIGKILL with nine days of history in the snapshot, then a complaint too many: until its pause."""
    sent = await preload(settings.kafka, settings.prefix, _history(time.time()))
    await drained(settings, None)
    say(f"{sent:,} events of history are in the snapshots; killing indicators-channel")
    channel, now = f"recovery-{time.time_ns():x}", time.time()
    system.kill("indicators-channel")
    kafka = producer(settings)
    await kafka.start()
    for n in range(COMPLAINTS_TO_PAUSE):
        topic, key, value = load.complaint(f"{channel}-{n}", channel, now)
        await kafka.send(settings.prefix + topic, value, key=key)
    await kafka.flush()
    await kafka.stop()
    result.figures["recovery_s"] = (await _pause_of(settings, channel)) - now
    say(f"recovery: {result.figures['recovery_s']:.2f} s")
    await system.ready("indicators-channel")


async def _compare(settings: CliSettings, result: Round) -> None:
    """The same events through the floor and through plain Faust."""
    topic = f"{settings.prefix}channel-events"
    result.figures["floor_us"] = (
        await _json("tests.bench.plain", "floor", "--kafka", settings.kafka, "--topic", topic)
    )["us"]
    result.figures["faust_us"] = (
        await _json("tests.bench.plain", "faust", "--kafka", settings.kafka, "--topic", topic)
    )["us"]
    say(f"floor {result.figures['floor_us']:.2f} µs, plain Faust {result.figures['faust_us']:.0f} µs")


async def _million_addresses() -> float:
    """Memory of the actors' machine, in a process of its own, with a million addresses that click."""
    found = await _json("tests.bench.bench_indicators", "--json", "a million actors")
    say(f"a million addresses: {found['peak MB']:,.0f} MB")
    return float(found["peak MB"])


# -- helpers


def _ours(spent: dict[str, float]) -> Iterable[float]:
    return (seconds for name, seconds in spent.items() if name != "broker")


def _history(now: float) -> Iterable[load.Raw]:
    """One impression and one purchase an hour on every channel, over nearly nine days."""
    hours = int(HISTORY_DAYS * 24)
    for hour in range(hours, 0, -1):
        for channel in range(load.CHANNELS):
            yield from load.hourly(f"channel-{channel}", now - hour * 3600, f"h{hour}-{channel}-{now:.0f}")


async def _send(settings: CliSettings, rate: float, seconds: float, triggers: float) -> dict[str, Any]:
    return await _json(
        "tests.bench.sender", "--kafka", settings.kafka, "--prefix", settings.prefix, "--rate", str(rate),
        "--seconds", str(seconds), "--triggers", str(triggers), "--seed", str(time.time_ns() % 10**6),
    )  # fmt: skip


async def _json(*arguments: str) -> dict[str, Any]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", *arguments, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
    )
    output, _ = await process.communicate()
    if process.returncode != 0:
        raise RuntimeError(f"{' '.join(arguments)} ended with code {process.returncode}")
    found: dict[str, Any] = json.loads(output.decode().strip().splitlines()[-1])
    return found


async def drained(settings: CliSettings, events: int | None) -> None:
    """Waits until every event is in a snapshot, and no fewer than `events` were read."""
    deadline = time.monotonic() + DRAIN_S
    while time.monotonic() < deadline:
        lines = await read_lines(settings)
        if all(line.closed for line in lines) and sum(line.read for line in lines) >= (events or 0):
            return
        await asyncio.sleep(0.5)
    raise RuntimeError(f"not drained within {DRAIN_S:.0f} s")


async def _metric(system: System, service: str, name: str) -> float:
    async with httpx.AsyncClient() as client:
        text = (await client.get(f"{system.url(service)}/metrics")).text
    return sum(float(line.rsplit(" ", 1)[1]) for line in text.splitlines() if line.startswith(name))


async def _records(system: System) -> float:
    return await _metric(system, "ingest", "tidegate_ingest_records_total")


async def _first_records(system: System) -> None:
    """Waits until ingest is at work, so that its start is not measured."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            if await _records(system) > 0:
                return
        except httpx.TransportError:
            pass
        await asyncio.sleep(0.02)
    raise RuntimeError("ingest did not begin")


async def _snapshot_bytes(system: System) -> float:
    names = [name for name in SERVICES if name not in ("gateway", "ingest", "console")]
    return sum([await _metric(system, name, "tidegate_snapshot_bytes_total") for name in names])


async def _first(settings: CliSettings, word: str) -> dict[str, float]:
    """By channel, when the first command of a word was appended to the topic, in seconds since the epoch."""
    found: dict[str, float] = {}
    batches = follow(settings, CHANNEL_COMMANDS)
    async for batch in batches:
        for record in batch.records:
            if record.key != b"policy" and record.value is not None:
                command = Command.model_validate_json(record.value)
                if command.command == word:
                    found.setdefault(command.target.removeprefix("channel:"), record.timestamp_ms / 1000)
        if batch.caught_up:
            break
    await batches.aclose()
    return found


async def _all_of(settings: CliSettings, word: str, wanted: Iterable[str]) -> dict[str, float]:
    """As `_first`; waits a while for those that are late, since a stall is to be measured, not to end the bench."""
    deadline = time.monotonic() + 30
    found = await _first(settings, word)
    while not set(wanted) <= found.keys() and time.monotonic() < deadline:
        await asyncio.sleep(0.5)
        found = await _first(settings, word)
    return found


async def _pause_of(settings: CliSettings, channel: str) -> float:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if (at := (await _first(settings, "pause")).get(channel)) is not None:
            return at
        await asyncio.sleep(0.1)
    raise RuntimeError("the pause after the recovery never came")
