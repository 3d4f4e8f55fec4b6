"""`make chaos`: a scripted morning through the system while everything dies and freezes; then the oracle judges.

make chaos ARGS='--seed 7 --events 50000 --deaths 1'
"""

import argparse
import asyncio
import os
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
from pydantic import SecretStr

from deploy.launcher.standard import standard_system
from deploy.launcher.system import System
from deploy.launcher.table import AUDIT_HEADS, StandIns
from services.auditing.heads import private_key
from services.cli.audit.audit_io import check, read_heads
from services.cli.audit.words import lines_of
from services.cli.proof.verify_io import not_proved
from services.cli.replay.replay_io import tell_end, tell_time
from services.cli.settings import CliSettings
from services.indicators.machine import STORES
from services.runtime.kafka.kafka_io import producer, wait_for_broker
from tests.chaos.compare import differences
from tests.chaos.faults import FROZEN_SECONDS, Fault, plan
from tests.chaos.outcome import Names, read_outcome
from tests.chaos.overruling import Act
from tests.chaos.people import People, resuming_policy
from tests.oracle.morning import morning
from tests.oracle.scenario import Sent

INDICATORS = tuple(f"indicators-{subject}" for subject in STORES)
FROZEN = ("ingest", *INDICATORS, "channel_control", "alerting")
VICTIMS = (*FROZEN, "gateway", "console", "broker")
REFUSING: dict[str, dict[str, Any]] = {
    "receiver": {"status": 503, "times": 4},
    "platform": {"kind": "fail", "status": 503, "times": 4},
}
"""The stand-ins keep what they were told over the run, so they do not die; they are told to refuse the next calls."""
TIME_EVERY = 500
LONGEST_BURST = 4_000
SETTLE_S = 150.0


def say(line: str) -> None:
    """One line for people."""
    print(f"{time.strftime('%H:%M:%S')}  {line}", flush=True)


class Line:
    """The scenario's records on their way: at a pace, or in a burst when a fault wants a backlog."""

    def __init__(self, settings: CliSettings, records: Sequence[Sent], pace: float, burst: int) -> None:
        self._settings, self._records, self._pace, self._longest = settings, records, pace, burst
        self._kafka: Any = None
        self._burst = 0
        self.sent = 0

    @property
    def done(self) -> bool:
        """Whether everything is on its way."""
        return self.sent == len(self._records)

    def burst(self) -> None:
        """The next records come all at once."""
        self._burst += self._longest

    async def run(self) -> None:
        """Sends all records, and the end of every source. Idempotent: the sender doubles nothing by itself."""
        self._kafka = producer(self._settings, linger_ms=5)
        await self._kafka.start()
        began, paced = time.monotonic(), 0
        for number, record in enumerate(self._records):
            await self._send(record, number)
            self.sent = number + 1
            if self._burst:
                self._burst -= 1
                continue
            paced += 1
            if (ahead := paced / self._pace - (time.monotonic() - began)) > 0.01:
                await asyncio.sleep(ahead)
        await self._kafka.flush()
        await tell_end(self._kafka, self._settings)
        await self._kafka.stop()

    async def _send(self, record: Sent, number: int) -> None:
        await self._kafka.send(self._settings.prefix + record.topic, record.value, key=record.key)
        if number % TIME_EVERY == 0 and record.event is not None:
            await self._kafka.flush()
            await tell_time(self._kafka, self._settings, datetime.fromisoformat(record.event["occurred_at"]))


class Tormentor:
    """Carries out a plan of faults on a running system."""

    def __init__(self, system: System, line: Line) -> None:
        self._system, self._line = system, line
        self._frozen: set[str] = set()
        self._thaws: set[asyncio.Task[None]] = set()

    async def run(self, faults: Sequence[Fault]) -> None:
        """All of them, and everybody awake at the end."""
        for number, fault in enumerate(faults, 1):
            await asyncio.sleep(fault.wait)
            if fault.backlog:
                self._line.burst()
                await asyncio.sleep(0.2)
            say(f"{number}/{len(faults)}  {fault.kind} {fault.victim}{' with a backlog' if fault.backlog else ''}"
                f"  ({self._line.sent:,} sent)")  # fmt: skip
            if fault.kind == "kill":
                await self._strike(self._system.kill, fault.victim)
            elif fault.kind == "refuse":
                await self._refuse(fault.victim)
            elif fault.victim not in self._frozen:
                await self._strike(self._freeze, fault.victim)
        await asyncio.gather(*self._thaws)

    async def _strike(self, act: Callable[[str], None], victim: str) -> None:
        """One that has just ended by itself, since it was frozen for long, is struck in its next life."""
        while True:
            await self._awake(victim)
            try:
                return act(victim)
            except ProcessLookupError:
                await asyncio.sleep(0.1)

    async def _awake(self, victim: str) -> None:
        """A frozen one is let wake first, else its waking would not be tested."""
        while victim in self._frozen or self._system.pid(victim) is None:  # noqa: ASYNC110 - a process, not a task
            await asyncio.sleep(0.1)

    async def _refuse(self, victim: str) -> None:
        async with httpx.AsyncClient(base_url=self._system.url(victim)) as client:
            (await client.post("/_control", json=REFUSING[victim])).raise_for_status()

    def _freeze(self, victim: str) -> None:
        self._system.freeze(victim)
        self._frozen.add(victim)
        self._thaws.add(asyncio.create_task(self._thaw(victim)))

    async def _thaw(self, victim: str) -> None:
        await asyncio.sleep(FROZEN_SECONDS)
        self._system.thaw(victim)
        self._frozen.discard(victim)


async def torment(home: Path, seed: int, events: int, deaths: int, calm: float) -> list[str]:
    """Runs everything once; the differences from the truth."""
    records = list(morning(seed, events).records())
    environment = {**os.environ, "TIDEGATE_CLOCK": "events", "TIDEGATE_CONTROL_DRIFT_INTERVAL": "5"}
    policy = resuming_policy(home)
    system = standard_system(home, environment, say, stand_ins=StandIns(traffic=False), policy=policy)
    faults = plan(seed, VICTIMS, FROZEN, tuple(REFUSING), deaths, calm)
    say(f"seed {seed}: {len(records):,} records, {len(faults)} faults")
    async with system:
        key = SecretStr(system.secrets.content("pseudonym-key"))
        settings = CliSettings(kafka=system.kafka, clock="events", ingest_pseudonym_key=key)
        backlogs = sum(fault.backlog for fault in faults)
        burst = min(LONGEST_BURST, len(records) // (2 * backlogs))
        seconds = sum(fault.wait for fault in faults)
        line = Line(settings, records, (len(records) - burst * backlogs) / seconds, burst)
        people = People(system)
        await asyncio.gather(line.run(), Tormentor(system, line).run(faults), people.run(seconds + SETTLE_S))
        say("all sent, all awake; waiting for the books to balance")
        found = [*await settle(system, settings, records, people), *await underived(settings)]
        say("everything trips at once, and people overrule it")
        found += await Act(system, settings, policy, seed).play()
        return [*found, *await unsound(system, settings, home / AUDIT_HEADS)]


async def settle(system: System, settings: CliSettings, records: Sequence[Sent], people: People) -> list[str]:
    """Waits until the outcome is the truth; what is different when the patience is over."""
    events = [sent.event for sent in records if sent.event is not None]
    addresses = {e["ip"] for e in events if e.get("ip")}
    accounts = {e["account_id"] for e in events if e.get("account_id")}
    names = Names(system.secrets.content("pseudonym-key").encode(), addresses, accounts)
    deadline = time.monotonic() + SETTLE_S
    while True:
        await wait_for_broker(settings)  # its death may have been the last fault
        outcome = await read_outcome(settings, names, system.url("platform"), system.url("receiver"))
        if not (found := differences(records, outcome, people.ends)) or time.monotonic() > deadline:
            say(
                f"{sum(map(len, outcome.trips.values()))} commands, {len(outcome.alerts)} alerts, "
                f"{len(outcome.webhooks)} webhooks, {len(outcome.pane_totals):,} panes with something in them"
            )
            return found
        await asyncio.sleep(2)


async def underived(settings: CliSettings) -> list[str]:
    """Derives every command again from the log; what is said of those that are not proved."""
    count, lines = await not_proved(settings)
    say(f"{count} commands derived again from the log{': all proved' if not lines else ''}")
    return lines


async def unsound(system: System, settings: CliSettings, folder: Path) -> list[str]:
    """Holds the audit to its chains, and to their heads as far as any were signed."""
    key = private_key(system.secrets.content("audit-key")).public_key()
    book = read_heads(folder, [key])
    checker = await check(settings, book)
    said = list(lines_of(checker, book))
    say(f"the audit: {'; '.join(said[-2:])}")
    return said if checker.found or book.problems else []


def main() -> int:
    """0 when the outcome is the truth."""
    parser = argparse.ArgumentParser(prog="make chaos ARGS=…", description=__doc__)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    parser.add_argument("--events", type=int, default=200_000)
    parser.add_argument("--deaths", type=int, default=2, help="of each process")
    parser.add_argument("--calm", type=float, default=15.0, help="seconds between two faults, on average")
    arguments = parser.parse_args()
    home, began = Path(tempfile.mkdtemp(prefix="tidegate-chaos-")), time.monotonic()
    found = asyncio.run(torment(home, arguments.seed, arguments.events, arguments.deaths, arguments.calm))
    for difference in found:
        print(difference, file=sys.stderr)
    if found:
        print(f"seed {arguments.seed}: {len(found)} differences from the truth; logs in {home}", file=sys.stderr)
        return 1
    shutil.rmtree(home, ignore_errors=True)
    say(f"seed {arguments.seed}: the outcome is the truth, after {time.monotonic() - began:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
