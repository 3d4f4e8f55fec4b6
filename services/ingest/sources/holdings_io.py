"""The source partitions that this process holds: taken up and given up as the group says, committed once read."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Collection
from typing import Final

from aiokafka.errors import KafkaError
from aiokafka.structs import OffsetAndMetadata, TopicPartition

from services.ingest.marks import Clock
from services.ingest.reporting import Reporting
from services.ingest.settings import IngestSettings
from services.ingest.sources.group_io import HEARTBEAT_S, SESSION_S, Group, boot_clock
from services.ingest.sources.owned import Owned, own
from services.runtime.end_io import end_process
from services.runtime.machines.pulse import Pulse, safe_pause

log = logging.getLogger(__name__)

BEAT_S: Final = 0.5


class Holdings:
    """What is owned, by partition, and the group that decides it.

    turn: held while a poll is worked on and while partitions change hands. fresh: whether they have since it was last
    set to False. flush: sends what has been read and waits to be sent.
    """

    def __init__(self, settings: IngestSettings, reporting: Reporting, flush: Callable[[], Awaitable[None]]) -> None:
        self.owned: dict[TopicPartition, Owned] = {}
        self.turn = asyncio.Lock()
        self.fresh = False
        self.group = Group(settings, self)
        self._flush = flush
        self._clock: Clock = settings.clock
        self._limit = settings.bad_limit()
        self._patience_s = settings.ingest_ack_s
        self._reporting = reporting
        self._kept: dict[TopicPartition, Owned] = {}
        self._committed: dict[TopicPartition, int] = {}
        self._pulse = Pulse(safe_pause(SESSION_S, HEARTBEAT_S), boot_clock)

    async def start(self) -> None:
        """Join the group. Raises KafkaError."""
        self._beat()
        await self.group.start()

    async def revoked(self) -> None:
        """Our partitions are about to be given up: the poll under way is finished first."""
        async with self.turn:
            await self.commit()
            self._lay_aside()

    async def assigned(self, partitions: Collection[TopicPartition]) -> None:
        """Take these partitions up where their committed offsets say."""
        async with self.turn:
            committed = await self.group.committed(partitions)
            begins = await self.group.begins(partitions)
            for at in sorted(partitions):
                known = committed.get(at)
                mine = self._kept.pop(at, None)
                if mine is not None and known is not None and mine.source.next == known.offset and not mine.lost:
                    self.owned[at] = mine  # nobody has read on in between, so it remembers all that it must
                else:
                    self.owned[at] = self._begin(at, begins[at], known)
            await self._look_back()
            # Books that were begun anew are committed at once, also where there is nothing to read.
            self._committed = {at: each.offset for at, each in committed.items() if not self.owned[at].note}
            for owned in self._kept.values():
                self._reporting.given_up(owned)
            self._kept.clear()
            self.fresh = True
        log.info("partitions assigned", extra={"partitions": [owned.name for owned in self.owned.values()]})

    async def commit(self) -> None:
        """Commits how far each partition has been read, with its ledger; ends the process when that is not possible.

        That it is too late, since the partitions are another's, is no failure.
        """
        await self._flush()
        due = {
            at: OffsetAndMetadata(owned.source.next, owned.source.ledger.metadata(owned.source.next))
            for at, owned in self.owned.items()
            if not owned.lost and self._committed.get(at) != owned.source.next
        }
        if not due:
            return
        try:
            async with asyncio.timeout(self._patience_s):
                done = await self.group.commit(due)
        except (TimeoutError, KafkaError) as error:
            end_process("offsets could not be committed", error)
        if done:
            self._committed |= {at: each.offset for at, each in due.items()}

    def frozen(self) -> bool:
        """Whether this process may have lost its partitions without being told; then it holds none and joins anew.

        What it would frame, its receivers know. But it might also go on with a policy that was replaced meanwhile.
        """
        if not self._pulse.lost(self._pulse.pause()):
            return False
        log.warning("the process was frozen, it joins the group again", extra={"seconds": round(self._pulse.beat())})
        self._lay_aside()
        self.group.rejoin()
        return True

    def _beat(self) -> None:
        if not self._pulse.lost(self._pulse.pause()):
            self._pulse.beat()
        asyncio.get_running_loop().call_later(BEAT_S, self._beat)

    def _lay_aside(self) -> None:
        """Own nothing, until the next assignment says what of it is still ours and whether another has read on."""
        self._kept |= self.owned
        self.owned.clear()

    def _begin(self, at: TopicPartition, begin: int, committed: OffsetAndMetadata | None) -> Owned:
        place = None if committed is None else (committed.offset, committed.metadata)
        owned = own(
            self.group.topic(at), at.partition, self._clock, self._limit, begin, place, time.time_ns() // 1_000_000
        )
        self._reporting.taken_up(owned)
        return owned

    async def _look_back(self) -> None:
        """Has reading begin early enough to remember the ids that may come again."""
        since = {at: ms for at, owned in self.owned.items() if (ms := owned.remember_since_ms()) is not None}
        if since:
            for at, offset in (await self.group.offsets_at(since)).items():
                owned = self.owned[at]
                owned.position = min(offset, owned.source.next)
