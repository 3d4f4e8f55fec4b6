"""What a principal may truly do, asked of the broker in its own protocol: a client would ask again and again."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any, Final

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.protocol.fetch import FetchRequest
from aiokafka.protocol.produce import ProduceRequest
from aiokafka.record.default_records import DefaultRecordBatchBuilder

from services.runtime.kafka.broker_io import connection
from services.runtime.settings import CommonSettings

_REFUSED: Final = 29
"""TOPIC_AUTHORIZATION_FAILED"""


async def readable(settings: CommonSettings, topics: Iterable[str]) -> set[str]:
    """The topics whose records the broker hands out."""
    places = [(settings.prefix + topic, [(0, 0, 1024)]) for topic in topics]
    async with _asking(settings) as admin:
        answer = await admin._send_request(FetchRequest(0, 0, 1024, 1, places))
    return _allowed(settings, answer)


async def writable(settings: CommonSettings, topics: Iterable[str]) -> set[str]:
    """The topics that the broker takes a record for; it is written."""
    places = [(settings.prefix + topic, [(0, _batch())]) for topic in topics]
    async with _asking(settings) as admin:
        answer = await admin._send_request(ProduceRequest(None, -1, 5000, places))
    return _allowed(settings, answer)


def _allowed(settings: CommonSettings, answer: Any) -> set[str]:
    return {
        topic.removeprefix(settings.prefix)
        for topic, partitions in answer.topics
        if all(partition[1] != _REFUSED for partition in partitions)
    }


def _batch() -> bytes:
    builder = DefaultRecordBatchBuilder(2, 0, False, -1, -1, -1, 1024)
    builder.append(0, timestamp=None, key=b"x", value=b"x", headers=[])
    return bytes(builder.build())


@asynccontextmanager
async def _asking(settings: CommonSettings) -> AsyncIterator[AIOKafkaAdminClient]:
    admin = AIOKafkaAdminClient(**connection(settings, "asks"))
    await admin.start()
    try:
        yield admin
    finally:
        await admin.close()
