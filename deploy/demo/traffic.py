"""Calm traffic on the wall clock, or one incident: `python -m deploy.demo.traffic [--incident KIND --channel ID]`."""

import argparse
import asyncio
import json
import os
import random
import sys
import time
from datetime import UTC, datetime, timedelta

import httpx

from deploy.demo.incidents import KINDS
from deploy.demo.routine import readings, routine
from deploy.demo.settings import DemoSettings
from deploy.demo.stories import CHANNELS, Event, Source
from services.runtime.settings import load

BATCH_SECONDS = 1.0
MISSED = timedelta(minutes=1)


async def send(client: httpx.AsyncClient, events: list[Event]) -> None:
    """Hands events to the gateway as NDJSON; waits and repeats while it is away or busy, since ids make that safe."""
    body = "\n".join(json.dumps(event) for event in events)
    while True:
        try:
            answer = await client.post("/v1/events", content=body, headers={"Content-Type": "application/x-ndjson"})
        except httpx.TransportError as error:
            print(f"the gateway does not answer ({type(error).__name__}); trying again", file=sys.stderr)
            await asyncio.sleep(1)
            continue
        if answer.status_code not in (429, 503):
            answer.raise_for_status()
            return
        await asyncio.sleep(float(answer.headers.get("Retry-After", "1")))


async def calm_for_ever(client: httpx.AsyncClient, source: Source, rate: float) -> None:
    """A second's worth of events every second; what was missed is made up for, unless it is too much."""
    until = datetime.now(UTC)
    await send(client, list(readings(source, until)))
    while True:
        await asyncio.sleep(BATCH_SECONDS - time.time() % BATCH_SECONDS)
        since, until = max(until, datetime.now(UTC) - MISSED), datetime.now(UTC)
        seconds = (until - since).total_seconds()
        if events := [*source.calm(since, seconds, rate), *routine(source, since, seconds)]:
            await send(client, events)


async def run(settings: DemoSettings, kind: str | None, channel: str) -> None:
    """Sends one incident, or calm traffic until it is stopped."""
    rng = random.Random()
    source = Source(f"demo-{time.time_ns():x}", rng)
    token = settings.demo_token.get_secret_value()
    async with httpx.AsyncClient(
        base_url=settings.demo_gateway_url, headers={"Authorization": f"Bearer {token}"}, timeout=30
    ) as client:
        if kind is None:
            await calm_for_ever(client, source, settings.demo_rate)
            return
        events = list(KINDS[kind](source, datetime.now(UTC), channel))
        await send(client, events)
        print(f"sent {len(events)} events: {kind} on {channel}")


def main() -> int:
    """0 when the incident was sent or the traffic was stopped."""
    parser = argparse.ArgumentParser(prog="python -m deploy.demo.traffic", description=__doc__)
    parser.add_argument("--incident", choices=list(KINDS), help="send this incident and end, instead of calm traffic")
    parser.add_argument("--channel", default=CHANNELS[0], help="where it happens (default: %(default)s)")
    arguments = parser.parse_args()
    settings = load(DemoSettings, os.environ)
    try:
        asyncio.run(run(settings, arguments.incident, arguments.channel))
    except KeyboardInterrupt:
        return 0
    except httpx.HTTPStatusError as error:
        print(f"the gateway refused: {error.response.status_code} {error.response.text[:500]}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
