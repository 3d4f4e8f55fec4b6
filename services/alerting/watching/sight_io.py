"""What the broker knows of every log and its readers, asked in a few questions."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from time import monotonic, time
from typing import Any, Final

from aiokafka import TopicPartition
from pydantic import ValidationError

from schemas.frames import Mark, UnknownFormatError, decode
from schemas.policy import PolicyRef
from schemas.topics import (
    ALERTS,
    CHANNEL_COMMANDS,
    FRAMES_TOPICS,
    POLICY,
    RAW_TOPICS,
    STATE_ALERTING,
    STATE_CHANNEL_CONTROL,
    SUBJECTS,
    TOPICS,
    frames,
    indicators_state,
)
from services.alerting.watching.watch import INGEST, At, Look, Place
from services.runtime.kafka import kafka_io
from services.runtime.kafka.broker_io import admin_client
from services.runtime.settings import CommonSettings

TAIL: Final = 60
"""Records at the end of a frames partition among which there is a mark: they come once a second, frames less often than
fifty times."""
NEWEST_MS: Final = 3000
ACTIVE: Final = b"active"


@dataclass(frozen=True, slots=True)
class Reader:
    """A service, which is also the name of its group, with its logs, and its snapshots if it makes any."""

    service: str
    topics: tuple[str, ...]
    state_topic: str | None = None


READERS: Final = (
    Reader(INGEST, RAW_TOPICS),
    *(Reader(f"indicators-{each}", (frames(each),), indicators_state(each)) for each in SUBJECTS),
    Reader("channel_control", (CHANNEL_COMMANDS,), STATE_CHANNEL_CONTROL),
    Reader("alerting", (ALERTS,), STATE_ALERTING),
)


class Sight:
    """Looks at the broker, over connections that stay open. After an error it must be closed, and may be used again."""

    def __init__(self, settings: CommonSettings, late_after_s: float) -> None:
        self._settings = settings
        self._late_after_ms = int(late_after_s * 1000)
        self._open = AsyncExitStack()
        self._client: Any = None
        self._admin: Any = None
        self._marks_at = self._partitions(FRAMES_TOPICS[0])[0]
        self._policy_end = -1
        self._published: str | None = None
        self.document: bytes | None = None
        """The policy that is to be in force."""

    async def close(self) -> None:
        """Disconnects."""
        self._client = None
        await self._open.aclose()

    async def look(self) -> Look:
        """How things are now. Raises KafkaError, OSError, TimeoutError."""
        if self._client is None:
            await self._connect()
        at_s = monotonic()
        topics = [topic for reader in READERS for topic in reader.topics]
        states = [reader.state_topic for reader in READERS if reader.state_topic is not None]
        committed = {reader.service: await self._committed(reader.service) for reader in READERS}
        logs = [each for topic in topics for each in self._partitions(topic)]
        begins = await self._client.beginning_offsets(logs)
        recent = await self._client.offsets_for_times(dict.fromkeys(logs, int(time() * 1000) - self._late_after_ms))
        # The ends last: what was committed meanwhile must not look like more than there is.
        ends = await self._client.end_offsets([*logs, *(each for topic in states for each in self._partitions(topic))])
        readers = {
            reader.service: self._places(reader, committed[reader.service], begins, recent, ends) for reader in READERS
        }
        await self._follow_policy()
        frames_ends = sum(ends[each] for topic in FRAMES_TOPICS for each in self._partitions(topic))
        return Look(at_s, frames_ends, readers, self._published, await self._marked(begins, ends))

    async def _connect(self) -> None:
        client = kafka_io.consumer(self._settings, client="alerting-watch")
        self._open.push_async_callback(client.stop)
        await client.start()
        client.assign([self._marks_at])
        client.pause(self._marks_at)
        self._admin = await self._open.enter_async_context(admin_client(self._settings))
        self._client = client

    def _partitions(self, topic: str) -> list[TopicPartition]:
        count = TOPICS[topic].partitions(self._settings.partitions)
        return [TopicPartition(self._settings.prefix + topic, number) for number in range(count)]

    async def _committed(self, group: str) -> Mapping[TopicPartition, int]:
        found = await self._admin.list_consumer_group_offsets(self._settings.prefix + group)
        return {at: each.offset for at, each in found.items()}

    def _places(
        self,
        reader: Reader,
        committed: Mapping[TopicPartition, int],
        begins: Mapping[TopicPartition, int],
        recent: Mapping[TopicPartition, Any],
        ends: Mapping[TopicPartition, int],
    ) -> dict[At, Place]:
        places = {}
        for topic in reader.topics:
            for at in self._partitions(topic):
                position = max(committed.get(at, -1), begins[at])
                saved = 0
                if reader.state_topic is not None:
                    saved = ends[TopicPartition(self._settings.prefix + reader.state_topic, at.partition)]
                first_recent = ends[at] if recent[at] is None else recent[at].offset
                places[topic, at.partition] = Place(ends[at], position, saved, late=position < first_recent)
        return places

    async def _follow_policy(self) -> None:
        at = self._partitions(POLICY)
        end = (await self._client.end_offsets(at))[at[0]]
        if end != self._policy_end:
            records = await kafka_io.read_compacted(self._settings, POLICY)
            self._published = _label(records.get(ACTIVE))
            self.document = records.get((self._published or "").encode())
            self._policy_end = end

    async def _marked(self, begins: Mapping[TopicPartition, int], ends: Mapping[TopicPartition, int]) -> frozenset[str]:
        """The policies that the newest marks carry; all of them are on every partition of every subject."""
        at = self._marks_at
        if ends[at] == begins[at]:
            return frozenset()
        self._client.resume(at)
        self._client.seek(at, max(begins[at], ends[at] - TAIL))
        polled: Mapping[Any, Sequence[Any]] = await self._client.getmany(at, timeout_ms=2000, max_records=TAIL)
        self._client.pause(at)  # else it would go on fetching what nobody looks at
        return frozenset(_newest_policies(each for records in polled.values() for each in records))


def _newest_policies(records: Iterable[Any]) -> Iterator[str]:
    """What the marks of the last seconds carry: each ingest that is alive has written some."""
    marks = [(each.timestamp, mark.policy) for each in records if (mark := _mark(each.value)) is not None]
    newest = max((at for at, _ in marks), default=0)
    return (policy for at, policy in marks if at > newest - NEWEST_MS)


def _mark(record: bytes) -> Mark | None:
    """None of a frame, and of what another release wrote."""
    try:
        message = decode(record)
    except UnknownFormatError:
        return None
    return message if isinstance(message, Mark) else None


def _label(active: bytes | None) -> str | None:
    """The policy that a record names, None while there is no record."""
    if active is None:
        return None
    try:
        ref = PolicyRef.model_validate_json(active)
    except ValidationError:
        return "that cannot be read"
    return f"{ref.name}/{ref.version}"
