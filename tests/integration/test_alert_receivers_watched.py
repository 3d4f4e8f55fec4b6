"""A dead receiver is told of by another one, and the outside watchdog hears of us as long as we get on."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from typing import Any

import pytest
from pydantic import SecretStr

from schemas.alerts import AlertFact
from services.alerting.sending.lines_io import Lines
from services.alerting.watching.heartbeat_io import Heartbeat
from services.alerting.watching.receiver_watch import WRITER
from services.alerting.watching.receiver_watch_io import ReceiverWatch
from services.runtime.settings import CommonSettings
from tests.integration.alert_receivers import Desk, World, delivering, due, world
from tests.integration.alerting_bench import MemoryLog, until
from tests.integration.test_alert_receivers import receivers
from tests.unit.alerting.facts import opening

SETTINGS = CommonSettings(partitions=1)


@contextlib.asynccontextmanager
async def beside(log: MemoryLog, companion: Any) -> AsyncIterator[None]:
    """The companion at work beside the machine of the log."""
    log.kick = companion.kick
    await companion.start(0, log.machine)
    try:
        yield
    finally:
        await companion.stop(0)


def told(log: MemoryLog) -> list[tuple[str | None, str | None]]:
    """What the receivers' watch has said."""
    facts = [AlertFact.model_validate_json(record.value) for record in log.records]
    return [(fact.status, fact.subject) for fact in facts if fact.writer == WRITER]


async def test_a_dead_receiver_is_told_of_once_and_that_it_works_again() -> None:
    log = MemoryLog()
    async with world() as there:
        there.says("/wecom", (500, ""))
        desk = Desk([due(1, "wecom"), due(2, "colleagues")])
        async with delivering(desk, receivers(there).values()) as (lines, _):
            await until(lambda: lines.conditions()["wecom"].failing_since is not None)
            lines.conditions()["wecom"].gave_up = True
            async with beside(log, ReceiverWatch(SETTINGS, lines, log, every_s=0.01)):
                await until(lambda: len(told(log)) == 2)
                await asyncio.sleep(0.1)  # that nothing more is said cannot be awaited
                assert sorted(told(log), key=str) == [("open", "receiver:colleagues"), ("open", "receiver:wecom")]
            log.machine.next_offset = len(log.records)
            async with beside(log, ReceiverWatch(SETTINGS, lines, log, every_s=0.01)):
                await asyncio.sleep(0.1)  # nor after a restart
                assert len(told(log)) == 2
                there.says("/wecom", (200, '{"errcode":0}'))
                await until(lambda: len(told(log)) == 3)
        assert told(log)[2] == ("resolved", None)
        assert [alert.subject for alert, _ in log.machine.unresolved(WRITER)] == ["receiver:colleagues"]


def beats(there: World) -> int:
    """How often the outside watchdog was asked."""
    return len(there.at("/watchdog/hidden"))


def ours(caplog: pytest.LogCaptureFixture) -> list[logging.LogRecord]:
    return [record for record in caplog.records if record.name.startswith("services.alerting")]


def problems(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Why no beat went, "" where one goes again, as they were logged."""
    return [getattr(record, "problem", "") for record in ours(caplog) if record.getMessage() == "heartbeat"]


async def test_the_outside_watchdog_hears_of_us_until_we_stand_still(caplog: pytest.LogCaptureFixture) -> None:
    log = MemoryLog()
    caplog.set_level(logging.INFO, logger="services")
    async with world() as there:
        lines = Lines(receivers(there).values(), parallel=1, timeout_s=1.0)
        heartbeat = Heartbeat(SecretStr(f"{there.url}/watchdog/hidden"), lines, log, every_s=0.02)
        async with beside(log, heartbeat):
            await until(lambda: beats(there) > 2)
            log.held = True
            log.append(opening())
            log.kick(0)
            await until(lambda: problems(caplog)[-1:] == ["the machines do not get on"])
            stood = beats(there)
            await asyncio.sleep(0.2)
            assert beats(there) == stood, "the machine does not apply"
            log.catch_up()
            await until(lambda: beats(there) > stood)
            for condition in lines.conditions().values():
                condition.gone = True
            await until(lambda: problems(caplog)[-1:] == ["no receiver can be reached"])
            stood = beats(there)
            await asyncio.sleep(0.2)
            assert beats(there) == stood, "nobody can be told of anything"
            for condition in lines.conditions().values():
                condition.gone = False
            there.says("/watchdog/hidden", (500, "hidden"))
            await until(lambda: "outside watchdog" in str([vars(one) for one in caplog.records]))
    assert problems(caplog) == [
        "the machines do not get on",
        "",
        "no receiver can be reached",
        "the outside watchdog: answered 500",
    ]
    assert "hidden" not in str([vars(record) for record in ours(caplog)])
    assert {one.method for one in there.at("/watchdog/hidden")} == {"GET"}, "as the documentation promises"
