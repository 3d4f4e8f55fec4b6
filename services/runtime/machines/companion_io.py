"""What every companion does about its partitions: takes them up, waits for the machine, works, gives them up."""

import asyncio
import contextlib
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import Any, ClassVar, Final, Generic, Protocol, TypeVar

from services.runtime.end_io import end_process
from services.runtime.machines.machine import Companion

STOP_S: Final = 1.0


class Applying(Protocol):
    """A machine that tells how far it is: it has applied all records below `next_offset`."""

    next_offset: int


class Log(Protocol):
    """The log of the partitions; see `ReportLog`."""

    async def end(self, partition: int) -> int: ...
    async def report(self, partition: int, key: bytes, value: bytes) -> None: ...
    async def close(self) -> None: ...


AnyMachine = TypeVar("AnyMachine", bound=Applying)


@dataclass
class Owned(Generic[AnyMachine]):
    """A partition that is ours. `running`: what is under way, by a name of its own, and ends with the partition."""

    partition: int
    machine: AnyMachine
    wake: asyncio.Event = field(default_factory=asyncio.Event)
    running: dict[str, asyncio.Task[None]] = field(default_factory=dict)
    task: asyncio.Task[None] | None = None

    async def woken(self, within_s: float | None) -> None:
        """Waits until the machine has applied something, or so long; None: however long that takes."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                await self.wake.wait()


AnyOwned = TypeVar("AnyOwned", bound=Owned[Any])


class PartitionCompanion(ABC, Generic[AnyOwned]):
    """A companion (see `machine`) with a task for each of its partitions; an error in one ends the process."""

    end_reason: ClassVar[str]
    """What is said of a process that ends because of it."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self._owned: dict[int, AnyOwned] = {}

    @abstractmethod
    def _taken(self, partition: int, machine: Any) -> AnyOwned:
        """What is remembered of a partition from its beginning."""

    async def _open(self) -> None:
        """Connects, before the first partition."""

    async def _close(self) -> None:
        """Disconnects, after the last one."""

    @abstractmethod
    async def _work(self, owned: AnyOwned) -> None:
        """Does what there is to do, without end. The machine has seen all that was on the log when it began."""

    async def start(self, partition: int, machine: Any) -> None:
        """Begins to work for a partition."""
        await self.stop(partition)
        if not self._owned:
            await self._open()
        owned = self._taken(partition, machine)
        owned.task = asyncio.create_task(self._run(owned), name=f"{type(self).__name__} {partition}")
        self._owned[partition] = owned

    async def stop(self, partition: int) -> None:
        """Gives a partition up. What is under way may still take effect; the next owner has to reckon with it."""
        owned = self._owned.pop(partition, None)
        if owned is None:
            return
        tasks = [*owned.running.values(), *([owned.task] if owned.task else [])]
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks, timeout=STOP_S)
        if not self._owned:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(STOP_S):
                    await self._close()
                    await self._log.close()

    def kick(self, partition: int) -> None:
        """The machine has applied records."""
        owned = self._owned.get(partition)
        if owned is not None:
            owned.wake.set()

    async def _run(self, owned: AnyOwned) -> None:
        try:
            await self._catch_up(owned)
            await self._work(owned)
        except Exception as error:  # noqa: BLE001
            end_process(self.end_reason, error, partition=owned.partition)

    async def _catch_up(self, owned: AnyOwned) -> None:
        """What was done before we took over is known once the machine has seen the reports on it."""
        end = await self._log.end(owned.partition)
        while owned.machine.next_offset < end:
            owned.wake.clear()
            await owned.wake.wait()


class Companions:
    """Several companions of one machine, each with work of its own."""

    def __init__(self, *companions: Companion) -> None:
        self._companions = companions

    async def start(self, partition: int, machine: Any) -> None:
        """Starts all."""
        for companion in self._companions:
            await companion.start(partition, machine)

    async def stop(self, partition: int) -> None:
        """Stops all at once, so that it takes no longer than the slowest."""
        await asyncio.gather(*(companion.stop(partition) for companion in self._companions))

    def kick(self, partition: int) -> None:
        """Kicks all."""
        for companion in self._companions:
            companion.kick(partition)
