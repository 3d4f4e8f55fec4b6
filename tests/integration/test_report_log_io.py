"""A machine's log as its companion sees it, on a real broker that dies."""

import asyncio
import logging
import uuid
from pathlib import Path

import pytest
from aiokafka import TopicPartition
from aiokafka.admin.records_to_delete import RecordsToDelete

from deploy.embedded.broker import Broker
from schemas.topics import ALERTS
from services.runtime.kafka import broker_io, kafka_io
from services.runtime.machines.report_log_io import ReportLog
from services.runtime.settings import CommonSettings
from tests.support.waiting import eventually
from tests.support.workers import read_all

TRYING_AGAIN = "a report is not on the log yet, trying again"


def said(caplog: pytest.LogCaptureFixture) -> set[str]:
    return {
        record.getMessage() for record in caplog.records if record.name == "services.runtime.machines.report_log_io"
    }


def new_settings(broker: Broker) -> CommonSettings:
    return CommonSettings(kafka=broker.bootstrap, prefix=f"{uuid.uuid4().hex[:8]}.", partitions=2)


async def test_the_end_is_where_the_next_record_goes_and_0_where_there_is_none_to_read(broker: Broker) -> None:
    settings = new_settings(broker)
    await kafka_io.ensure_topics(settings)
    reports = ReportLog(settings, ALERTS, "test")
    assert await reports.end(1) == 0
    for number in range(3):
        await reports.report(1, b"key", b"%d" % number)
    assert (await reports.end(0), await reports.end(1)) == (0, 3)
    # A machine that waited for offset 3 would wait for ever, since nothing is left to be applied.
    async with broker_io.admin_client(settings) as admin:
        partition = TopicPartition(settings.prefix + ALERTS, 1)
        await admin.delete_records({partition: RecordsToDelete(before_offset=3)})
    assert await reports.end(1) == 0
    await reports.close()


async def test_reports_wait_for_a_broker_that_is_away_and_go_to_their_partition(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with Broker(tmp_path) as broker:
        settings = new_settings(broker)
        await kafka_io.ensure_topics(settings)
        reports = ReportLog(settings, ALERTS, "test")
        broker.kill()
        with caplog.at_level(logging.WARNING, "services.runtime.machines.report_log_io"):
            pending = [asyncio.create_task(reports.report(number % 2, b"key", b"%d" % number)) for number in range(4)]
            asking = asyncio.create_task(reports.end(0))
            await eventually(lambda: said(caplog) == {"cannot see where the log ends", TRYING_AGAIN}, "both say so")
        await broker.start_async()
        async with asyncio.timeout(60):
            await asyncio.gather(*pending, asking)
        written = await read_all(settings, ALERTS)
        await reports.report(0, b"key", b"later")
        # Gone for good this time: closing must not wait for it.
        broker.kill()
        async with asyncio.timeout(5):
            await reports.close()
    found = {number: {record.value for record in records} for number, records in written.items()}
    assert found == {0: {b"0", b"2"}, 1: {b"1", b"3"}}
    assert "Unclosed" not in caplog.text
