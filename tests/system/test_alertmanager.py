"""A real Alertmanager takes our messages in, and tells of one alert what we tell of it."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from deploy.ports import free_port
from services.alerting.receivers.book import parse_book
from services.alerting.receivers.receiver import Receiver
from services.alerting.telling import Due
from tests.integration.alert_receivers import Desk, delivering, world
from tests.integration.alerting_bench import until
from tests.system.alertmanager import PROGRAM, Alertmanager, alertmanager
from tests.system.program import eventually
from tests.unit.alerting.receivers.samples import SAMPLES, alert, notice

LATELY = datetime.now(UTC) - timedelta(seconds=5)
pytestmark = [
    pytest.mark.system,
    pytest.mark.skipif(PROGRAM is None, reason="prometheus-alertmanager is not installed"),
]


def receiver_at(there: Alertmanager) -> Receiver:
    """It, as the receivers' file names it."""
    return parse_book(f"[{{name: default, kind: alertmanager, url: '{there.url}'}}]".encode(), {}, Path())["default"]


def due(number: int, change: Any, **words: Any) -> Due:
    """A message about one and the same alert, of just now."""
    told = notice(alert(**words), change=change)
    body = told.message.model_copy(update={"timestamp": datetime.now(UTC)}).model_dump_json()
    return told.due.model_copy(update={"webhook_id": f"{number:032x}", "number": number, "body": body})


async def test_it_takes_every_sample(tmp_path: Path) -> None:
    async with world() as outside, alertmanager(outside, tmp_path, free_port()) as there:
        messages = [
            sample.due.model_copy(update={"webhook_id": f"{number:032x}", "receiver": "default"})
            for number, sample in enumerate(SAMPLES.values())
        ]
        desk = Desk(messages)
        async with delivering(desk, [receiver_at(there)]):
            await until(lambda: len(desk.reports) == len(messages))
        assert desk.outcomes() == [("delivered", None)] * len(messages)


async def test_it_shows_what_we_told_and_keeps_it_until_it_is_over(tmp_path: Path) -> None:
    async with world() as outside, alertmanager(outside, tmp_path, free_port()) as there:
        desk = Desk([])
        now = {"opened_at": LATELY, "event_time": LATELY}
        async with delivering(desk, [receiver_at(there)]):

            async def tells(message: Due) -> None:
                desk.due.append(message)
                before = len(desk.reports)
                desk.kick(0)
                await until(lambda: len(desk.reports) == before + 1)
                assert desk.outcomes()[-1] == ("delivered", None)

            await tells(due(0, "alert.opened", severity="warning", **now))
            (active,) = await there.active()
            assert active["labels"]["severity"] == "warning"
            assert active["labels"]["alertname"] == "complaint_volume"
            assert "抖音今日投诉 20 起" in active["annotations"]["summary"]
            await eventually(lambda: _told(there, [("firing", "warning")]))

            await tells(due(1, "alert.updated", severity="critical", level=2, **now))
            (active,) = await there.active()
            assert active["labels"]["severity"] == "critical"

            await tells(due(2, "alert.resolved", status="resolved", resolved_at=LATELY, **now))
            assert await there.active() == []
            await eventually(lambda: _last(there, "critical", "resolved"))


async def _told(there: Alertmanager, wanted: list[tuple[str, str]]) -> bool:
    return there.notified() == wanted


async def _last(there: Alertmanager, severity: str, status: str) -> bool:
    of_it = [said for said, each in there.notified() if each == severity]
    return bool(of_it) and of_it[-1] == status
