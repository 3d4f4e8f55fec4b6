"""Faust's way from an assignment to flowing records, with machines in the place of tables; see `faust_app_io`."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Mapping
from typing import Any

from faust.tables.manager import TableManager
from faust.tables.recovery import RebalanceAgain, Recovery, ServiceStopped
from faust.types import TP

from services.runtime.end_io import end_process
from services.runtime.faust.faust_app_io import FAUST_LOG, HarnessApp
from services.runtime.machines.snapshots import LogBounds

log = logging.getLogger(__name__)


class HarnessRecovery(Recovery):
    """Loads the machines where Faust would load tables: partitions are assigned, nothing flows yet."""

    logger = FAUST_LOG
    app: HarnessApp
    _round: int = 0

    async def on_rebalance(
        self, assigned: set[TP], revoked: set[TP], newly_assigned: set[TP], generation_id: int = 0
    ) -> None:
        """Note which rebalance this is: its successor may begin before `_resume_streams` does."""
        self._round = self.app.rebalancing_count
        await super().on_rebalance(assigned, revoked, newly_assigned, generation_id)

    async def _resume_streams(self, generation_id: int = 0) -> None:
        rebalance = self._round
        await self.app.on_rebalance_complete.send()
        try:
            await self._take_up(generation_id, rebalance)
        except (RebalanceAgain, ServiceStopped):
            raise  # the caller's: the load is cancelled, the next one starts afresh
        except BaseException as error:
            if self.app.harness.stopping:
                raise
            if self._overtaken(generation_id, rebalance) and isinstance(error, Exception):
                log.info("taking up partitions was overtaken by a rebalance", exc_info=error)
                return
            end_process("partitions could not be taken up", error)

    async def _take_up(self, generation_id: int, rebalance: int) -> None:
        app, harness = self.app, self.app.harness
        consumer: Any = app.consumer
        assignment: set[TP] = consumer.assignment()
        if self._overtaken(generation_id, rebalance):
            return
        began = time.perf_counter()
        replay = await self._unless_overtaken(harness.load(await self._bounds(assignment)))
        if self._overtaken(generation_id, rebalance):
            return
        # Faust resumes the flow control last, which clears queues that were filled meanwhile.
        app.flow_control.resume()
        if assignment:
            await self._unless_overtaken(consumer.perform_seek())
            # Explicitly, also to 0: without a committed offset the seek above leaves the position where a fetch of the
            # last assignment may have put it. And in the consumer's thread, which alone may touch it.
            await self._unless_overtaken(consumer.seek_wait({tp: replay[tp.partition] for tp in assignment}))
        await harness.activate()
        if self._overtaken(generation_id, rebalance):
            return  # a revocation came in between, and has stopped the flow that we would start again
        consumer.resume_partitions(assignment)
        consumer.resume_flow()
        self.completed.set()
        await app._fetcher.maybe_start()
        self.tables.on_actives_ready()
        self.tables.on_standbys_ready()
        app.on_rebalance_end()
        seconds = round(time.perf_counter() - began, 3)
        log.info("partitions taken up", extra={"partitions": sorted(replay), "seconds": seconds})

    async def _unless_overtaken(self, work: Any) -> Any:
        """Await it, but cancel it when the service stops or another rebalance has assigned partitions anew."""
        task = asyncio.ensure_future(work)
        await self._wait(task)
        return task.result()

    def _overtaken(self, generation_id: int, rebalance: int) -> bool:
        return self.app.consumer_generation_id != generation_id or self.app.rebalancing_count != rebalance

    async def _bounds(self, assignment: set[TP]) -> Mapping[int, LogBounds]:
        if not assignment:
            return {}
        consumer: Any = self.app.consumer
        starts: Mapping[TP, int] = await consumer.earliest_offsets(*assignment)
        ends: Mapping[TP, int] = await consumer.highwaters(*assignment)
        committed: Mapping[TP, int | None] = await consumer.seek_to_committed()
        return {tp.partition: LogBounds(starts[tp], ends[tp], committed.get(tp)) for tp in assignment}


class HarnessTables(TableManager):
    """Where Faust asks for its tables: there are none, but the recovery is ours."""

    logger = FAUST_LOG
    app: HarnessApp

    @property
    def recovery(self) -> Recovery:
        """Made when first asked for."""
        if self._recovery is None:
            self._recovery = HarnessRecovery(self.app, self, beacon=self.beacon, loop=self.loop)
        return self._recovery

    async def on_start(self) -> None:
        """Faust would sleep a second first."""
        await self._update_channels()
        await self.recovery.start()
