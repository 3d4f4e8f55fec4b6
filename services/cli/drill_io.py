"""`tidegate drill take-down`: a text that breaks the rules, on a channel for drills, and how long each step takes."""

import argparse
import asyncio
import secrets
import sys
import time
from contextlib import aclosing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import httpx

from schemas.events import AnyEvent
from services.cli.drill import MARK, TOPICS, Course, NotMarkedError, Plan, plan_of, report
from services.cli.settings import CliSettings
from services.runtime.kafka_io import follow, wait_for_broker

BAD_USAGE: Final = 2
WITHIN_S: Final = 60.0
REQUEST_S: Final = 30.0


def add_commands(commands: Any) -> None:
    """Adds `drill take-down`."""
    kinds = commands.add_parser("drill", help="try on a marked target whether all works as it must").add_subparsers(
        required=True, metavar="KIND"
    )
    taking = kinds.add_parser(
        "take-down",
        help="publish a text that breaks the rules, and time what follows",
        description="Publishes a text that breaks the rules through the gateway, as the owner of TIDEGATE_CLI_TOKEN, "
        "and times the alert, the order, the platform's confirmation and the message to people.",
    )
    taking.add_argument("--gateway", metavar="URL", required=True, help="where events are sent")
    taking.add_argument("--channel", metavar="NAME", required=True, help=f"for drills only: begins with {MARK}")
    taking.add_argument("--within", metavar="SECONDS", type=float, default=WITHIN_S, help=f"for all ({WITHIN_S:g})")
    taking.add_argument("--report", metavar="FILE", type=Path, help="the report, in Markdown, instead of on stdout")
    taking.set_defaults(run=_take_down)


async def _take_down(arguments: argparse.Namespace, settings: CliSettings) -> int:
    """0 all steps in time, 1 not, 2 no channel for drills or no token."""
    try:
        plan = plan_of(arguments.channel, secrets.token_hex(6), arguments.within)
    except NotMarkedError as error:
        print(error, file=sys.stderr)
        return BAD_USAGE
    if settings.cli_token is None:
        print("TIDEGATE_CLI_TOKEN: is required", file=sys.stderr)
        return BAD_USAGE
    await wait_for_broker(settings)
    began = datetime.now(UTC)
    headers = {"Authorization": f"Bearer {settings.cli_token.get_secret_value()}"}
    async with httpx.AsyncClient(base_url=arguments.gateway, timeout=REQUEST_S, headers=headers) as gateway:
        try:
            course = await _run(plan, settings, gateway)
        except httpx.HTTPError as error:
            print(f"the gateway did not take it: {error}", file=sys.stderr)
            return 1
    text = "\n".join([*report(course, began), ""])
    if arguments.report is None:
        print(text, end="")
    else:
        arguments.report.write_text(text, encoding="utf-8")
    return 0 if course.done else 1


async def _run(plan: Plan, settings: CliSettings, gateway: httpx.AsyncClient) -> Course:
    """The drill, and the text taken back at its end."""
    watch = _Watch(Course(plan), settings)
    readers = [asyncio.create_task(watch.read(topic)) for topic in TOPICS]
    try:
        await watch.until_reading(readers)
        watch.begin()
        await _send(gateway, plan.published(datetime.now(UTC)))
        try:
            watch.note("accepted")
            await watch.until_done(readers)
        finally:
            await _send(gateway, plan.removed(datetime.now(UTC)))
    finally:
        for reader in readers:
            reader.cancel()
        await asyncio.gather(*readers, return_exceptions=True)
    return watch.course


async def _send(gateway: httpx.AsyncClient, event: AnyEvent) -> None:
    body = event.model_dump_json(exclude_none=True)
    answer = await gateway.post("/v1/events", content=body, headers={"Content-Type": "application/json"})
    answer.raise_for_status()


class _Watch:
    """Readers of the topics, which note each step when it is seen here."""

    def __init__(self, course: Course, settings: CliSettings) -> None:
        self.course = course
        self._settings = settings
        self._since_ms = time.time_ns() // 1_000_000
        self._began = time.monotonic()
        self._reading: dict[str, asyncio.Event] = {topic: asyncio.Event() for topic in TOPICS}
        self._done = asyncio.Event()

    def begin(self) -> None:
        """Seconds count from here."""
        self._began = time.monotonic()

    def note(self, step: str) -> None:
        """A step that is seen elsewhere than on a topic."""
        self.course.seen[step] = time.monotonic() - self._began
        self._look()

    async def read(self, topic: str) -> None:
        """Follows a topic, without end."""
        async with aclosing(follow(self._settings, topic, since_ms=self._since_ms)) as batches:
            async for batch in batches:
                for record in batch.records:
                    if record.value is not None:
                        self.course.take(topic, record.value, time.monotonic() - self._began)
                if batch.caught_up:
                    self._reading[topic].set()
                self._look()

    def _look(self) -> None:
        if self.course.done:
            self._done.set()

    async def until_reading(self, readers: list[asyncio.Task[None]]) -> None:
        """All readers are at the end of their topics."""
        await self._wait(asyncio.gather(*(each.wait() for each in self._reading.values())), readers, None)

    async def until_done(self, readers: list[asyncio.Task[None]]) -> None:
        """All steps were seen, or the time is up."""
        left = max(self._began + self.course.plan.within_s - time.monotonic(), 0.0)
        await self._wait(asyncio.ensure_future(self._done.wait()), readers, left)

    async def _wait(
        self, event: asyncio.Future[Any], readers: list[asyncio.Task[None]], timeout_s: float | None
    ) -> None:
        """Raises what a reader that has ended raised."""
        ended, _ = await asyncio.wait([event, *readers], timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
        if event not in ended:
            event.cancel()
        for each in ended:
            each.result()
