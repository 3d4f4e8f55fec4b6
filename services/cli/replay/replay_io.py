"""`tidegate replay`: a file's rows as events, through Kafka or a gateway, in the order of their time."""

import argparse
import sys
from collections.abc import Awaitable, Callable, Iterable, Iterator
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

import httpx
from rich.console import Console
from rich.progress import track

from schemas.events import TOPIC_OF, AnyEvent, routing_key
from schemas.topics import RAW_TOPICS, TOPICS
from services.cli.replay.replay import ReplayError, events_of, in_order, read_map, read_rows
from services.cli.settings import CliSettings
from services.runtime.kafka.kafka_io import producer, wait_for_broker
from services.runtime.settings import CommonSettings

CONTROL_HEADER = "tidegate-control"
BATCH = 500
Send = Callable[[list[AnyEvent]], Awaitable[None]]


def add_commands(commands: Any) -> None:
    """Adds `replay`."""
    command = commands.add_parser("replay", help="turn a CSV or JSON-lines file into events and send them")
    command.add_argument("file", type=Path)
    command.add_argument("--map", type=Path, required=True, help="how a row becomes events (YAML)")
    command.add_argument("--gateway", metavar="URL", help="send over HTTP, as the owner of TIDEGATE_CLI_TOKEN")
    command.add_argument("--dry-run", action="store_true", help="check every row, send nothing")
    command.set_defaults(run=replay)


async def replay(arguments: argparse.Namespace, settings: CliSettings) -> int:
    """0 when every event was taken; 1 at the first row that is none, before anything is sent, or at a refusal."""
    try:
        events = in_order(events_of(read_rows(arguments.file), read_map(arguments.map)))
    except (ReplayError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    print(f"{len(events)} events{_span(events)}")
    if arguments.dry_run:
        return 0
    await wait_for_broker(settings)
    kafka = producer(settings, linger_ms=5)
    await kafka.start()
    try:
        if arguments.gateway is None:
            await _send_all(events, settings, kafka, lambda batch: _to_kafka(kafka, settings, batch))
        else:
            async with _client(arguments.gateway, settings) as client:
                await _send_all(events, settings, kafka, lambda batch: _to_gateway(client, batch))
    except httpx.HTTPError as error:
        print(f"the gateway did not take them: {error}", file=sys.stderr)
        return 1
    finally:
        await kafka.stop()
    return 0


def _span(events: list[AnyEvent]) -> str:
    return f" from {events[0].occurred_at} to {events[-1].occurred_at}" if events else ""


def _batches(events: Iterable[AnyEvent], clock: str) -> Iterator[list[AnyEvent]]:
    """Batches that never cross a day on the `events` clock, so that each day closes before the next begins."""
    remaining = iter(events)
    pending: list[AnyEvent] = []
    while batch := [*pending, *islice(remaining, BATCH - len(pending))]:
        day = batch[0].occurred_at.date()
        cut = (
            next((n for n, e in enumerate(batch) if e.occurred_at.date() != day), BATCH) if clock == "events" else BATCH
        )
        pending = batch[cut:]
        yield batch[:cut]


async def _send_all(events: list[AnyEvent], settings: CliSettings, kafka: Any, send: Send) -> None:
    """All events; on the `events` clock also how far the time has come, and at last the end of every source."""
    progress = Console(file=sys.stderr)
    batches = list(_batches(events, settings.clock))
    for batch in track(batches, description="sending", console=progress, disable=not progress.is_terminal):
        await send(batch)
        if settings.clock == "events":
            await tell_time(kafka, settings, batch[-1].occurred_at)
    if settings.clock == "events":
        await tell_end(kafka, settings)


async def _to_kafka(kafka: Any, settings: CliSettings, batch: list[AnyEvent]) -> None:
    pending = [
        await kafka.send(
            settings.prefix + TOPIC_OF[event.type], event.model_dump_json(exclude_none=True).encode(), key=_key(event)
        )
        for event in batch
    ]
    for acknowledged in pending:
        await acknowledged


def _key(event: AnyEvent) -> bytes:
    return routing_key(event).encode()


def _client(url: str, settings: CliSettings) -> httpx.AsyncClient:
    token = settings.cli_token.get_secret_value() if settings.cli_token else ""
    return httpx.AsyncClient(base_url=url, timeout=60, headers={"Authorization": f"Bearer {token}"})


async def _to_gateway(client: httpx.AsyncClient, batch: list[AnyEvent]) -> None:
    body = "\n".join(event.model_dump_json(exclude_none=True) for event in batch)
    answer = await client.post("/v1/events", content=body, headers={"Content-Type": "application/x-ndjson"})
    answer.raise_for_status()


async def tell_time(kafka: Any, settings: CommonSettings, at: datetime) -> None:
    """Says to every source partition that nothing before `at`, less a minute for disorder, is still to come."""
    await _control(kafka, settings, b"time", (at - timedelta(minutes=1)).isoformat().encode())


async def tell_end(kafka: Any, settings: CommonSettings) -> None:
    """Ends every source partition: it no longer holds the clock back."""
    await _control(kafka, settings, b"end", b"")


async def _control(kafka: Any, settings: CommonSettings, word: bytes, value: bytes) -> None:
    for topic in RAW_TOPICS:
        for partition in range(TOPICS[topic].partitions(settings.partitions)):
            await kafka.send(
                settings.prefix + topic, value, key=None, partition=partition, headers=[(CONTROL_HEADER, word)]
            )
    await kafka.flush()
