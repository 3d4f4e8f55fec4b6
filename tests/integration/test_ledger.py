"""The books of a running system after an operator has set ingest's offset by hand."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiokafka.errors import CommitFailedError
from aiokafka.structs import OffsetAndMetadata, TopicPartition

from deploy.embedded.broker import Broker
from schemas.policy import Policy
from services.runtime.kafka import kafka_io
from tests.support.ingest import ROOT, Ingests, ingests
from tests.unit.ingest.samples import raw

EVENTS = "channel-events"


@pytest.fixture
async def system(broker: Broker, tmp_path: Path) -> AsyncIterator[Ingests]:
    async with ingests(broker.bootstrap, tmp_path) as found:
        await found.publish(Policy(version=1))
        yield found


async def _set_offset(system: Ingests, offset: int) -> None:
    """As `kafka-consumer-groups --reset-offsets` does, as soon as no member is there any more."""
    at = TopicPartition(system.settings.prefix + EVENTS, 0)
    async with asyncio.timeout(30), kafka_io.consumer(system.settings, group="ingest") as consumer:
        consumer.assign([at])
        while True:
            try:
                await consumer.commit({at: OffsetAndMetadata(offset, "")})
            except CommitFailedError:
                await asyncio.sleep(0.2)
            else:
                return


def _click(event_id: str) -> bytes:
    """One that only the channel's indicators count."""
    return raw("click", event_id=event_id, ip=...)


async def _ledger(system: Ingests, wait_s: int = 0) -> tuple[int | None, str]:
    """The exit code and the output of `tidegate ledger`."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith("TIDEGATE_")}
    environ |= {"TIDEGATE_KAFKA": system.settings.kafka, "TIDEGATE_PREFIX": system.settings.prefix}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "services.cli", "ledger", "--brief", "--wait", str(wait_s)),
        env=environ,
        stdout=subprocess.PIPE,
        cwd=ROOT,
    )
    output, _ = await process.communicate()
    return process.returncode, output.decode()


async def test_books_close_again_after_somebody_has_set_the_offset(system: Ingests) -> None:
    environ = {name: value for name, value in os.environ.items() if not name.startswith("TIDEGATE_")}
    environ |= {"TIDEGATE_KAFKA": system.settings.kafka, "TIDEGATE_PREFIX": system.settings.prefix}
    command = (sys.executable, "-m", "services.indicators", "--subject", "channel")
    indicators = await asyncio.create_subprocess_exec(*command, env=environ, cwd=ROOT, stderr=subprocess.DEVNULL)
    try:
        process = system.start()
        await system.send([(EVENTS, 0, _click(f"{number}")) for number in range(20)])
        await system.until_read()
        assert await _ledger(system, wait_s=60) == (0, "20 read, 20 valid, 0 duplicate, 0 dead, 0 control: closed\n")
        assert await process.stop() == 0

        await _set_offset(system, 5)
        code, output = await _ledger(system)
        assert code == 1
        assert "not closed at channel-events/0 (the committed offset carries no ledger" in output
        process = system.start()
        said = await process.until_said("partition taken up in an unusual way")
        assert "the books begin anew at 5" in said["reason"]
        assert "the books begin anew at 5" in (await process.get("/readyz")).text
        await system.send([(EVENTS, 0, _click(f"more-{number}")) for number in range(3)])
        await system.until_read()
        code, output = await _ledger(system, wait_s=60)
        assert (code, output.splitlines()[0]) == (0, "18 read, 18 valid, 0 duplicate, 0 dead, 0 control: closed")
        assert "the books begin at offset 5, since at 20" in output
        assert "the indicators had 15 from before" in output
    finally:
        indicators.terminate()
        await indicators.wait()
