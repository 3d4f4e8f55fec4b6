"""The watcher with thousands of targets, in time that passes as soon as nobody has anything to do."""

import asyncio
from collections import Counter
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from schemas.channels import WantedState
from schemas.commands import Command
from services.channel_control.enforcing.addresses import Address
from services.channel_control.enforcing.reconcile import Answer, Call, Seen, Trouble
from services.channel_control.enforcing.watcher_io import AT_ONCE, Watcher
from services.channel_control.holding.target import Target
from services.channel_control.settings import ControlSettings

LATENCY_S = 0.08
INTERVAL_S = float(ControlSettings.model_fields["control_drift_interval"].default)
PER_S = float(ControlSettings.model_fields["control_drift_rate"].default)


def targets(kind: str, count: int) -> dict[str, Target]:
    return {name: Target(name, touched=True) for name in (f"{kind}:{number}" for number in range(count))}


class QuickLoop(asyncio.SelectorEventLoop):
    """Its clock jumps to what is due next instead of waiting for it."""

    def __init__(self) -> None:
        super().__init__()
        self._now = 0.0

    def time(self) -> float:
        return self._now

    def _run_once(self) -> None:
        if not self._ready and self._scheduled:  # type: ignore[attr-defined]
            self._now = max(self._now, self._scheduled[0].when())  # type: ignore[attr-defined]
        super()._run_once()  # type: ignore[misc]


class Platform:
    """Answers in its time. most: beyond so many a second it asks to be left alone for one. changed: by hand, when."""

    def __init__(self, channels: int, most: int | None = None, *, actors: int = 0) -> None:
        self.most = most
        self.targets = targets("actor", actors) | targets("channel", channels)
        self.read: dict[str, list[float]] = {name: [] for name in self.targets}
        self.seconds: Counter[int] = Counter()
        self.refused = 0
        self.under_way = self.at_once = 0
        self.rests_until = 0.0
        self.changed: dict[str, float] = {}

    async def open(self) -> None:
        """Nothing to open."""

    async def close(self) -> None:
        """Nothing to close."""

    def away(self, address: Address) -> str | None:
        return None

    def rests(self, address: Address) -> bool:
        return now() < self.rests_until

    async def call(
        self, call: Call, wanted: WantedState, address: Address, key: str, may_send: Callable[[], bool]
    ) -> Answer:
        self.under_way += 1
        self.at_once = max(self.at_once, self.under_way)
        self.seconds[int(now())] += 1
        refused = self.most is not None and self.seconds[int(now())] > self.most
        await asyncio.sleep(LATENCY_S)
        self.under_way -= 1
        if refused:
            self.refused += 1
            self.rests_until = now() + 1
            return Trouble("http_429", "too many", 1.0)
        self.read[wanted.target].append(now())
        if now() - LATENCY_S >= self.changed.get(wanted.target, 1e9):
            return Seen(wanted.model_copy(update={"status": "paused", "factor": 0.0}))
        return Seen(wanted)


class Reports:
    """The log; it only takes reports."""

    def __init__(self) -> None:
        self.at: dict[str, float] = {}

    async def end(self, partition: int) -> int:
        return 0

    async def report(self, partition: int, key: bytes, value: bytes) -> None:
        self.at.setdefault(Command.model_validate_json(value).target, now())

    async def close(self) -> None:
        """Nothing to close."""


def now() -> float:
    return asyncio.get_running_loop().time()


def watch(platform: Platform, reports: Reports, seconds: float) -> None:
    """Lets the watcher of one partition work for so long."""

    async def work() -> None:
        machine: Any = SimpleNamespace(
            watched=platform.targets, next_offset=0, address=lambda _: Address(), corrects=lambda *_: False
        )
        watcher = Watcher(platform, reports, INTERVAL_S, PER_S, uniform=lambda low, high: 0.0, clock=now)
        await watcher.start(0, machine)
        await asyncio.sleep(seconds)
        await watcher.stop(0)

    with asyncio.Runner(loop_factory=QuickLoop) as runner:
        runner.run(work())


def test_of_three_thousand_targets_a_change_is_found_within_a_minute_at_a_bounded_pace() -> None:
    platform, reports = Platform(3000), Reports()
    platform.changed = dict.fromkeys(list(platform.targets)[::-50], 7.0)
    watch(platform, reports, 60.0)
    assert set(reports.at) == set(platform.changed)
    assert max(reports.at.values()) < 7.0 + 2 * INTERVAL_S
    assert max(platform.seconds.values()) <= PER_S + 1
    assert platform.at_once <= AT_ONCE
    first_round = sorted(times[0] for times in platform.read.values())
    assert first_round[-1] < 30.0


def test_a_platform_that_takes_fewer_is_left_alone_when_it_asks_and_no_target_is_left_out() -> None:
    platform = Platform(750, most=10)
    watch(platform, Reports(), 240.0)
    counts = [len(times) for times in platform.read.values()]
    assert min(counts) >= 1
    assert max(counts) - min(counts) <= 2, "what had to wait is read before the others are read again"
    assert platform.refused < sum(counts) / 2


def test_a_channel_that_was_changed_is_found_within_a_minute_however_many_addresses_there_are() -> None:
    platform, reports = Platform(60, actors=20_000), Reports()
    platform.changed = dict.fromkeys(["channel:0", "channel:59"], 3.0)
    watch(platform, reports, 60.0)
    assert set(reports.at) == set(platform.changed)
    assert max(reports.at.values()) < 3.0 + 2 * INTERVAL_S
    assert max(platform.seconds.values()) <= PER_S + 1
    assert sum(map(len, platform.read.values())) > 0.95 * 60.0 * PER_S, "what is left is for the addresses"


def test_of_a_platform_that_takes_few_the_channels_have_most_and_the_addresses_some() -> None:
    platform = Platform(60, most=10, actors=500)
    watch(platform, Reports(), 240.0)
    read = {name: len(times) for name, times in platform.read.items()}
    channels, actors = ([count for name, count in read.items() if name.startswith(kind)] for kind in ("ch", "ac"))
    assert min(channels) >= 5
    assert max(channels) - min(channels) <= 2
    assert sum(actors) >= sum(read.values()) // 12
