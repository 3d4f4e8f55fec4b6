"""Topics on the cluster: created where they are missing, compared with the registry where they exist."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from aiokafka.admin import NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import (
    KafkaError,
    NotControllerError,
    TopicAlreadyExistsError,
    for_code,
)

from schemas.topics import TOPICS, Topic
from services.runtime.kafka.broker_io import admin_client
from services.runtime.settings import CommonSettings

log = logging.getLogger(__name__)

PATIENCE_S = 60.0
"""How long to go on while the cluster is busy with itself: no controller yet, a topic not yet known everywhere."""

Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class Difference:
    """One property of one topic that is not as it must be; `topic` is its name on the cluster."""

    topic: str
    property: str
    wanted: str
    found: str

    def __str__(self) -> str:
        return f"{self.topic}: {self.property} is {self.found}, must be {self.wanted}"


class TopicMismatchError(Exception):
    """The cluster's topics differ from the registry; all differences, by topic and property."""

    def __init__(self, differences: Collection[Difference]) -> None:
        self.differences = tuple(differences)
        super().__init__("\n".join(map(str, self.differences)))


class TopicRefusedError(Exception):
    """The cluster refuses to create a topic, with its reason."""


async def ensure_topics(settings: CommonSettings, topics: Collection[Topic] | None = None) -> list[str]:
    """Creates what is missing of `topics` (all) and compares the rest; returns the names of those that it created.

    Any number of processes may do so at once. Raises TopicMismatchError when an existing one differs, in which case
    none is created, and TopicRefusedError when the cluster will not create one.
    """
    wanted = {settings.prefix + topic.name: topic for topic in (TOPICS.values() if topics is None else topics)}
    found = await _patiently(lambda: _describe(settings, wanted))
    if differences := list(_differences(settings, wanted, found, missing_too=False)):
        raise TopicMismatchError(differences)
    missing = {name: topic for name, topic in wanted.items() if name not in found}
    if not missing:
        return []
    created = await _patiently(lambda: _create(settings, missing))
    await _patiently(lambda: _settled(settings, wanted))
    await check_topics(settings, wanted.values())
    return created


async def check_topics(settings: CommonSettings, topics: Collection[Topic] | None = None) -> None:
    """Compares `topics` (all) with the cluster and creates none. Raises TopicMismatchError, for missing ones too."""
    wanted = {settings.prefix + topic.name: topic for topic in (TOPICS.values() if topics is None else topics)}
    found = await _patiently(lambda: _describe(settings, wanted))
    if differences := list(_differences(settings, wanted, found, missing_too=True)):
        raise TopicMismatchError(differences)


@dataclass(frozen=True, slots=True)
class _Found:
    partitions: int
    config: Mapping[str, str]


class _NotYetError(Exception):
    """The cluster is still busy with what we asked for."""


async def _patiently(attempt: Callable[[], Awaitable[Answer]]) -> Answer:
    """Repeats `attempt`, each time with a new client, while it fails in a way that passes.

    aiokafka's admin client asks a random node without a connection to it (NodeNotReadyError) and knows no controller
    before one is elected (AttributeError, as its `controller` is None); it retries neither.
    """
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            return await attempt()
        except (KafkaError, TimeoutError, AttributeError, _NotYetError) as error:
            passing = not isinstance(error, KafkaError) or error.retriable
            if not passing or time.monotonic() > deadline:
                raise
            log.debug("trying again", extra={"reason": str(error)})
        await asyncio.sleep(0.2)


async def _describe(settings: CommonSettings, wanted: Mapping[str, Topic]) -> dict[str, _Found]:
    """Those of the wanted topics that exist, as they are."""
    async with admin_client(settings) as admin:
        # All topics, because asking for one by name may create it, with whatever the cluster's defaults are.
        listed = await admin.describe_topics(None)
        counts = {entry["topic"]: len(entry["partitions"]) for entry in listed if entry["topic"] in wanted}
        if not counts:
            return {}
        resources = [
            ConfigResource(ConfigResourceType.TOPIC, name, dict.fromkeys(wanted[name].required())) for name in counts
        ]
        configs: dict[str, dict[str, str]] = {}
        for response in await admin.describe_configs(resources):
            for code, message, _, name, entries in response.resources:
                if code:
                    raise for_code(code)(f"{name}: {message}")
                configs[name] = {entry[0]: entry[1] for entry in entries}
    return {name: _Found(count, configs[name]) for name, count in counts.items()}


def _differences(
    settings: CommonSettings, wanted: Mapping[str, Topic], found: Mapping[str, _Found], *, missing_too: bool
) -> Iterator[Difference]:
    for name, topic in sorted(wanted.items()):
        if name not in found:
            if missing_too:
                yield Difference(name, "topic", "there", "missing")
            continue
        count = topic.partitions(settings.partitions)
        if found[name].partitions != count:
            yield Difference(name, "partitions", str(count), str(found[name].partitions))
        for key, value in topic.required().items():
            is_now = found[name].config.get(key, "not told")
            if is_now != value:
                yield Difference(name, key, value, is_now)


async def _create(settings: CommonSettings, missing: Mapping[str, Topic]) -> list[str]:
    copies = settings.replication
    # With three copies a write that is acknowledged is on two disks; with fewer, the loss of one must not stop all.
    extra = {"min.insync.replicas": "2" if copies >= 3 else "1"}
    new = [
        NewTopic(
            name,
            topic.partitions(settings.partitions),
            copies,
            topic_configs=topic.required() | topic.tuning() | extra,
        )
        for name, topic in missing.items()
    ]
    created = []
    async with admin_client(settings) as admin:
        response: Any = await admin.create_topics(new)
    for name, code, message in response.topic_errors:
        error = for_code(code)
        if code == 0:
            created.append(name)
        elif error is NotControllerError:
            raise NotControllerError
        elif error is not TopicAlreadyExistsError:  # another process was faster: just as well
            raise TopicRefusedError(f"{name}: {message or error.description}")
    return created


async def _settled(settings: CommonSettings, wanted: Mapping[str, Topic]) -> None:
    """Raises _NotYetError until every broker's answer has all wanted topics, each partition with a leader."""
    async with admin_client(settings) as admin:
        listed = {entry["topic"]: entry for entry in await admin.describe_topics(None)}
    for name in wanted:
        if name not in listed or any(part["leader"] < 0 for part in listed[name]["partitions"]):
            raise _NotYetError(f"{name} has no leader yet")
