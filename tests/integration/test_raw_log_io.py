"""The raw topics of a cluster, merged in the order of append times."""

import uuid

from deploy.embedded.broker import Broker
from schemas.topics import CHANNEL_EVENTS, COMPLAINT_EVENTS
from services.cli.backtest.pipeline import RawRecord
from services.cli.backtest.raw_log_io import raw_log
from services.cli.backtest.timeline import BLOCK_MS
from services.runtime.kafka.kafka_io import ensure_topics, producer
from services.runtime.settings import CommonSettings

FAR_MS = 2**42


async def read(settings: CommonSettings, start_ms: int = 0, end_ms: int = FAR_MS) -> list[RawRecord]:
    found: list[RawRecord] = []
    async with raw_log(settings, start_ms, end_ms) as log:
        async for records, block_end in log.blocks():
            assert all(block_end - BLOCK_MS <= record.stamp_ms < block_end for record in records)
            found += records
    return found


async def test_everything_once_in_the_order_in_which_it_was_appended(broker: Broker) -> None:
    settings = CommonSettings(kafka=broker.bootstrap, prefix=f"{uuid.uuid4().hex[:8]}.")
    await ensure_topics(settings)
    assert await read(settings) == []
    async with producer(settings) as kafka:
        for part in range(3):
            for n in range(8_000 if part else 20):
                await kafka.send(settings.prefix + CHANNEL_EVENTS, f"{part}-{n}".encode(), partition=1)
            await kafka.flush()
            await kafka.send_and_wait(settings.prefix + COMPLAINT_EVENTS, f"{part}".encode(), partition=0)
    found = await read(settings)
    assert [record.stamp_ms for record in found] == sorted(record.stamp_ms for record in found)
    clicks = [record for record in found if record.topic == CHANNEL_EVENTS]
    assert [record.offset for record in clicks] == list(range(16_020))
    assert [record.value for record in found if record.topic == COMPLAINT_EVENTS] == [b"0", b"1", b"2"]

    start_ms, end_ms = found[20].stamp_ms, found[-1].stamp_ms
    assert await read(settings, start_ms, end_ms) == [each for each in found if start_ms <= each.stamp_ms < end_ms]
