"""Alertmanager and Tidegate under the same fault: the webhook answers 500 for two minutes, and in the middle of it the
program is killed, before it has written anything down.

Each is told of one alert once, as an application tells it. Alertmanager keeps alerts in memory and counts on being told
again and again, as Prometheus does; an alert that is over by then is never told. Ours are on the log before anyone is.
"""

import asyncio
import signal
import uuid
from datetime import UTC, datetime
from pathlib import Path

import pytest

from deploy.embedded.broker import Broker
from deploy.ports import free_port
from schemas.base import to_ms
from services.runtime.ids import derive
from services.runtime.kafka.kafka_io import ensure_topics
from services.runtime.settings import CommonSettings
from tests.integration.alert_receivers import Desk, delivering, due, world
from tests.integration.alerting_bench import receiver, until
from tests.integration.test_alerting import running, sender
from tests.system.alertmanager import PROGRAM, alertmanager
from tests.system.test_alertmanager import receiver_at
from tests.unit.alerting.facts import opening

OUTAGE_S = 120.0
PATIENCE_S = 150.0
"""After two minutes of failures the next attempt may be a minute away."""

pytestmark = [
    pytest.mark.system,
    pytest.mark.skipif(PROGRAM is None, reason="prometheus-alertmanager is not installed"),
    pytest.mark.timeout(600),
]


async def test_what_each_has_delivered_after_two_minutes_of_500_and_a_death(broker: Broker, tmp_path: Path) -> None:
    settings = CommonSettings(kafka=broker.bootstrap, prefix=f"{uuid.uuid4().hex[:8]}.")
    await ensure_topics(settings)
    async with (
        world() as outside,
        alertmanager(outside, tmp_path, free_port()) as theirs,
        receiver() as there,
        sender(settings) as send,
    ):
        outside.says("/notified", (500, ""))
        await there.told(status=500)
        with running(settings, there.url, tmp_path / "log") as ours:
            now = datetime.now(UTC)
            desk = Desk([due(1, "default", opened_at=now)])
            async with delivering(desk, [receiver_at(theirs)]):
                await until(lambda: desk.reports)
            await send(opening(alert_id=derive("the same"), at_ms=to_ms(now)))
            await until(theirs.notified)
            await there.attempted(1)
            await asyncio.sleep(OUTAGE_S / 2)
            await theirs.kill()
            ours.end(signal.SIGKILL)
            await theirs.start()
            ours.start()
            await asyncio.sleep(OUTAGE_S / 2)
            outside.says("/notified", (200, ""))
            tried = len(outside.at("/notified"))
            await there.told(times=0)
            async with asyncio.timeout(PATIENCE_S):
                while not await there.types():  # noqa: ASYNC110 - it is asked over HTTP
                    await asyncio.sleep(0.5)
        assert await there.types() == ["opened"]
        assert len({one["webhook_id"] for one in await there.attempts()}) == 1
        assert await theirs.active() == []
        assert len(outside.at("/notified")) == tried, "Alertmanager has told nobody, and knows of nothing"
