"""Runs the drill of a take-down: publishes the text, and takes it back at the end."""

from datetime import UTC, datetime

import httpx

from schemas.events import AnyEvent
from services.cli.drill.course import Course
from services.cli.drill.take_down import TakeDown
from services.cli.drill.watch_io import watching
from services.cli.settings import CliSettings


async def run(taking: TakeDown, within_s: float, settings: CliSettings, gateway: httpx.AsyncClient) -> Course:
    """Raises httpx.HTTPError where the gateway does not take the text."""
    async with watching(taking.drill(within_s), settings) as watch:
        await send(gateway, taking.published(datetime.now(UTC)))
        try:
            watch.note("accepted")
            await watch.until(watch.course.drill.steps)
        finally:
            await send(gateway, taking.removed(datetime.now(UTC)))
    return watch.course


async def send(gateway: httpx.AsyncClient, *events: AnyEvent) -> None:
    """Raises httpx.HTTPError where the gateway does not take them all."""
    body = "\n".join(event.model_dump_json(exclude_none=True) for event in events)
    answer = await gateway.post("/v1/events", content=body, headers={"Content-Type": "application/x-ndjson"})
    answer.raise_for_status()
