"""The timekeeper makes the machine look when it is time, and does not flood the log when it cannot."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from schemas.alerts import AlertFact
from services.alerting.groups.timekeeper_io import Timekeeper
from services.alerting.machine import AlertingMachine, build
from services.runtime.machines.machine import Record
from tests.unit.alerting.facts import ALERTS, T0_MS, opening, reported, run


@dataclass
class MemoryLog:
    """A log whose clock stands behind ours by so much."""

    machine: AlertingMachine
    now: Callable[[], float]
    behind_ms: int = 0
    ticks: list[AlertFact] = field(default_factory=list)
    kick: Callable[[int], None] = lambda _: None
    ticked: asyncio.Event = field(default_factory=asyncio.Event)

    async def end(self, partition: int) -> int:
        return self.machine.next_offset

    async def report(self, partition: int, key: bytes, value: bytes) -> None:
        self.ticks.append(AlertFact.model_validate_json(value))
        at_ms = int(self.now() * 1000) - self.behind_ms
        list(self.machine.apply(Record(self.machine.next_offset, at_ms, key, value)))
        self.ticked.set()
        self.kick(partition)

    async def close(self) -> None:
        """There is nothing to close."""


def gathering() -> AlertingMachine:
    """A machine that has told of one alert of a group and collects its followers."""
    machine = build(0)
    run(machine, [opening()])
    (due,) = machine.heads()
    run(machine, [reported(machine, due.webhook_id, "delivered", due.alert_id, 0)])
    run(machine, [opening(alert_id=ALERTS[1], subject="channel:douyin")])
    assert machine.waiting() == 0
    return machine


async def keeping(log: MemoryLog, seconds: float) -> None:
    keeper = Timekeeper(log, clock=log.now, again_s=0.05)
    log.kick = keeper.kick
    await keeper.start(0, log.machine)
    try:
        async with asyncio.timeout(5):
            await log.ticked.wait()
        await asyncio.sleep(seconds)  # that nothing more happens cannot be awaited
    finally:
        await keeper.stop(0)


async def test_when_it_is_time_the_machine_is_made_to_look_once() -> None:
    log = MemoryLog(gathering(), lambda: T0_MS / 1000 + 30)
    await keeping(log, 0.1)
    assert len(log.ticks) == 1
    assert log.machine.waiting() == 1
    assert log.ticks[0].delivery is not None
    assert log.ticks[0].delivery.outcome == "due"


async def test_before_that_nothing_is_written() -> None:
    log = MemoryLog(gathering(), lambda: T0_MS / 1000 + 1)
    keeper = Timekeeper(log, clock=log.now)
    await keeper.start(0, log.machine)
    await asyncio.sleep(0.05)  # that nothing happens cannot be awaited
    await keeper.stop(0)
    assert not log.ticks


async def test_with_a_clock_that_is_fast_it_asks_again_but_not_without_pause() -> None:
    log = MemoryLog(gathering(), lambda: T0_MS / 1000 + 30, behind_ms=60_000)
    ticks = iter(range(10**6))
    log.now = lambda: T0_MS / 1000 + 30 + next(ticks) * 0.001
    await keeping(log, 0.2)
    assert log.machine.waiting() == 0
    assert 1 <= len(log.ticks) < 20
    assert len({tick.delivery.webhook_id for tick in log.ticks if tick.delivery}) == 1
