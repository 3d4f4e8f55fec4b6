"""The whole service on a real broker: its default receiver is gone, and another one is told so, once."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import uuid
from pathlib import Path

from deploy.embedded.broker import Broker
from schemas.alerts import AlertState
from schemas.topics import ALERT_STATE
from services.runtime.ids import derive
from services.runtime.kafka.kafka_io import ensure_topics, read_compacted
from services.runtime.settings import CommonSettings
from tests.integration.alert_receivers import world
from tests.integration.alerting_bench import until
from tests.integration.test_alerting import sender
from tests.unit.alerting.facts import opening
from tests.unit.alerting.sending.test_signing import SECRET

BOOK = """
- {name: default, kind: webhook, url: env:HOOK_URL, secret: env:HOOK_SECRET}
- {name: chat, kind: wecom, url: env:CHAT_URL}
"""


async def test_another_receiver_is_told_that_the_default_is_gone(broker: Broker, tmp_path: Path) -> None:
    settings = CommonSettings(kafka=broker.bootstrap, prefix=f"{uuid.uuid4().hex[:8]}.")
    await ensure_topics(settings)
    (tmp_path / "receivers.yaml").write_text(BOOK)
    environ = {name: value for name, value in os.environ.items() if not name.startswith("TIDEGATE_")}
    async with world() as there, sender(settings) as send:
        there.says("/hook", (410, ""))
        environ |= {
            "TIDEGATE_KAFKA": settings.kafka,
            "TIDEGATE_PREFIX": settings.prefix,
            "TIDEGATE_ALERTING_RECEIVERS": str(tmp_path / "receivers.yaml"),
            "HOOK_URL": f"{there.url}/hook",
            "HOOK_SECRET": SECRET,
            "CHAT_URL": f"{there.url}/chat?key=hidden",
        }
        with (tmp_path / "log").open("wb") as log:
            command = [sys.executable, "-m", "services.alerting"]
            process = await asyncio.create_subprocess_exec(*command, env=environ, stdout=log, stderr=subprocess.STDOUT)
        try:
            await send(opening(alert_id=derive("lost")))
            await until(lambda: there.at("/chat"), 60)
            await send(opening(alert_id=derive("lost as well")))
            await asyncio.sleep(7)  # longer than between two looks: that nobody is told twice cannot be awaited
        finally:
            process.send_signal(signal.SIGTERM)
            assert await process.wait() == 0
        (told,) = there.at("/chat")
        assert "告警无法送达接收方 default" in json.loads(told.body)["markdown"]["content"]
        assert len(there.at("/hook")) == 1
    states = [AlertState.model_validate_json(value) for value in (await read_compacted(settings, ALERT_STATE)).values()]
    assert [state.indicator for state in states if state.subject == "receiver:default"] == ["dead_receiver"]
    assert "hidden" not in (tmp_path / "log").read_text()
