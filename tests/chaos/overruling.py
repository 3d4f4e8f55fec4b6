"""The second act of a chaos run: everything trips at once, people overrule automation, somebody changes the platform by
hand, and whoever carries orders out dies in the middle of each. `overruled` judges.

Its orders are written to the log as the indicators and the console write them.
"""

import asyncio
import json
import random
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import httpx

from deploy.launcher.system import System
from schemas.automation import KEY, TARGET
from schemas.governor import Governor
from schemas.policy import PolicyInForce
from schemas.topics import ALERT_STATE, AUDIT, CHANNEL_COMMANDS, CHANNEL_STATE
from services.cli.settings import CliSettings
from services.policies.reading import read_policy
from services.runtime.http.signing import signed
from services.runtime.ids import derive
from services.runtime.kafka.kafka_io import follow, producer, read_compacted, wait_for_broker
from tests.chaos.overruled import (
    AT_ONCE,
    CHANNELS,
    KEPT,
    LATE,
    PRODUCTS,
    PROMOTIONS,
    Document,
    Seen,
    counted,
    is_granted,
    status,
    unfinished,
    wrong,
)

KEPT_S: Final = 12.0
PATIENCE_S: Final = 90.0


class Act:
    """Plays it on a running system, and judges. until: when the override ends."""

    def __init__(self, system: System, settings: CliSettings, policy: Path, seed: int) -> None:
        self._system, self._settings = system, settings
        self._policy = read_policy(policy)
        self._random = random.Random(seed)
        self._kafka: Any = None
        self.until = datetime.now(UTC)
        self.given: list[str] = []

    async def play(self) -> list[str]:
        """What is not as it must be, once nothing changes any more or the patience is over."""
        self._kafka = producer(self._settings)
        await self._kafka.start()
        try:
            policy = self._policy.model_copy(update={"governor": await self._limits()})
            await self._everywhere(b"policy", PolicyInForce(policy=policy).model_dump_json())
            self.until = datetime.now(UTC) + timedelta(seconds=KEPT_S)
            await self._person("override", KEPT, expected_generation=0, expires_at=self.until.isoformat())
            await asyncio.gather(self._storm((*CHANNELS, *PROMOTIONS)), self._death())
            await self._until_calm(self._unfinished)
            await asyncio.gather(self._by_hand(), self._death())
            await self._until_calm(self._unfinished)  # nothing is put right while automation is off
            await self._switch("automation_off")
            await asyncio.gather(self._storm(LATE), self._death())
            await self._until_calm(self._unfinished)
            await self._switch("automation_on")
            return await self._until_calm(lambda seen: wrong(seen, self.given, self.until))
        finally:
            await self._kafka.stop()

    async def _limits(self) -> Governor:
        """As much as stands from the first act, and what this one may."""
        states = map(json.loads, (await read_compacted(self._settings, CHANNEL_STATE)).values())
        stopped = {state["target"] for state in states if any(map(is_granted, state["holds"]))}
        channels, products = counted(stopped)
        return Governor(
            channels_at_once=channels + AT_ONCE,
            channels_per_hour=1000,
            products_at_once=products + PRODUCTS,
            products_per_hour=1000,
            traffic_share_at_once=1.0,
            traffic_share_per_hour=1.0,
            always=0,
        )

    # -- what happens

    async def _storm(self, targets: Sequence[str]) -> None:
        """Each trips once, as an alert of its own."""
        for target in targets:
            alert = derive("act", target)
            await self._give("pause", target, "indicator:search_divergence", alert_id=alert, level=1, maturity="auto")
            self.given.append(derive("act", "pause", target))

    async def _person(self, word: str, target: str, **fields: Any) -> None:
        await self._give(word, target, "person:operator", note="a person's reason", **fields)
        self.given.append(derive("act", word, target))

    async def _give(self, word: str, target: str, by: str, **fields: Any) -> None:
        value = json.dumps(_order(word, target, by, **fields)).encode()
        await self._kafka.send_and_wait(self._settings.prefix + CHANNEL_COMMANDS, value, key=target.encode())

    async def _switch(self, word: str) -> None:
        await self._everywhere(KEY, json.dumps(_order(word, TARGET, "person:operator", note="on purpose")))

    async def _everywhere(self, key: bytes, value: str) -> None:
        topic = self._settings.prefix + CHANNEL_COMMANDS
        for partition in range(self._settings.partitions):
            await self._kafka.send_and_wait(topic, value.encode(), key=key, partition=partition)

    async def _death(self) -> None:
        """Somewhere in the middle of it."""
        await asyncio.sleep(self._random.uniform(0, 0.4))
        self._system.kill("channel_control")

    async def _by_hand(self) -> None:
        """Somebody lets a stopped channel run on the platform's own pages."""
        seen = await self._look()
        stopped = next(name for name in CHANNELS if name != KEPT and status(seen.last(name)) == "paused")
        changed = seen.platform[stopped]
        body = json.dumps(changed | {"status": "running", "factor": 1.0})
        secret = self._system.secrets.content("platform-secret").strip()
        headers = signed(secret, f"msg_{derive('act', 'by hand')}", body, datetime.now(UTC))
        async with httpx.AsyncClient(base_url=self._system.url("platform")) as client:
            (await client.put(f"/v1/targets/{changed['target']}", content=body, headers=headers)).raise_for_status()

    # -- what came of it

    def _unfinished(self, seen: Seen) -> Iterator[str]:
        return unfinished(seen, self.given)

    async def _until_calm(self, judge: Callable[[Seen], Iterator[str]]) -> list[str]:
        deadline = time.monotonic() + PATIENCE_S
        while True:
            await wait_for_broker(self._settings)
            found = list(judge(await self._look()))
            if not found or time.monotonic() > deadline:
                return found
            await asyncio.sleep(0.5)

    async def _look(self) -> Seen:
        names = {*CHANNELS, *PROMOTIONS, *LATE}
        states: dict[tuple[str, int], tuple[int, Document]] = {}
        for at, state in sorted(await self._records(CHANNEL_STATE), key=lambda each: each[0]):
            if state["target"] in names:
                states.setdefault((state["target"], state["seq"]), (at, state))
        audit = {each["audit_id"]: each for _, each in await self._records(AUDIT)}
        async with httpx.AsyncClient(base_url=self._system.url("platform"), timeout=30) as client:
            platform = {each["target"]: each for each in (await client.get("/_targets")).json()}
            calls = (await client.get("/_calls")).json()
        alerts = map(json.loads, (await read_compacted(self._settings, ALERT_STATE)).values())
        commands = [command for _, command in await self._records(CHANNEL_COMMANDS) if command.get("target") in names]
        return Seen(
            list(states.values()),
            commands,
            list(audit.values()),
            [alert for alert in alerts if alert["indicator"] == "governor"],
            platform,
            [call for call in calls if call["method"] == "PUT"],
        )

    async def _records(self, topic: str) -> list[tuple[int, Document]]:
        found: list[tuple[int, Document]] = []
        batches = follow(self._settings, topic)
        async for batch in batches:
            found += [(each.timestamp_ms, json.loads(each.value)) for each in batch.records if each.value is not None]
            if batch.caught_up:
                break
        await batches.aclose()
        return found


def _order(word: str, target: str, by: str, **fields: Any) -> Document:
    """As the console or an indicator writes it."""
    now = datetime.now(UTC).isoformat()
    about = {"v": 1, "command_id": derive("act", word, target), "command": word, "target": target, "issued_by": by}
    return {**about, "issued_at": now, **fields}
