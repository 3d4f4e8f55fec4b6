"""Incidents from facts on a real log: the console merges, the machines carry it out, the command line tells it too."""

from argparse import Namespace
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import httpx
import pytest

from schemas.alerts import AlertFact
from schemas.topics import ALERTS
from services.alerting.machine import AlertingMachine
from services.cli.incident import incident_io
from services.cli.settings import CliSettings
from services.runtime.ids import derive
from services.runtime.kafka.kafka_io import producer
from services.runtime.machines.machine import Output
from services.runtime.settings import CommonSettings
from tests.integration.http_service import until, until_ready
from tests.integration.test_console import API, console, control
from tests.integration.test_console import settings as settings
from tests.support.machines import send, standing_in
from tests.unit.incidents.samples import alert

FUND: dict[str, object] = {"products": {"fund-a": 18}}


def merging(settings: CommonSettings) -> AbstractAsyncContextManager[None]:
    """What alerting does: facts become alerts."""
    return standing_in(settings, ALERTS, AlertingMachine)


def opening(name: str, minutes: float, detail: dict[str, object] | None = None) -> Output:
    """The fact with which an indicator opens an alert."""
    whole = alert(name, minutes, detail=detail)
    words = {field: getattr(whole, field) for field in AlertFact.model_fields if hasattr(whole, field)}
    fact = AlertFact(**words | {"writer": f"indicators:{name}", "seq": 1, "at": whole.opened_at, "v": 1})
    return Output(ALERTS, fact.alert_id.encode(), fact.model_dump_json(by_alias=True).encode())


async def keys(client: httpx.AsyncClient) -> list[str]:
    answer = await client.get(f"{API}/incidents")
    return [each["incident_id"] for each in answer.json()["incidents"]]


async def test_a_merge_is_carried_out_and_told_by_console_and_command_line(
    settings: CommonSettings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    a, b, c = (derive(name) for name in "abc")
    async with console(settings, tmp_path) as (_, client), control(settings), merging(settings):
        await until_ready(client)
        async with producer(settings) as to:
            await send(settings, to, opening("a", 0, FUND), opening("b", 5, FUND), opening("c", 9))

        async def is_grouped() -> bool:
            return await keys(client) == [c, a]

        await until(is_grouped)
        order = {"incident_ids": [c], "note": "同一活动"}
        merged = await client.post(f"{API}/incidents/{b}/merge", json=order, params={"wait": 20})
        assert (merged.status_code, merged.json()["outcome"]) == (200, "done")

        async def is_merged() -> bool:
            return await keys(client) == [a]

        await until(is_merged)
        assert (await client.get(f"{API}/incidents/{c}")).json()["by_people"] is True
        page = await client.get(f"{API}/incidents/{c}/report", params={"format": "html", "language": "zh"})
        assert "同一活动" in page.text

    cli = CliSettings(kafka=settings.kafka, prefix=settings.prefix, partitions=settings.partitions)
    assert await incident_io.list_incidents(Namespace(language="en", limit=9), cli) == 0
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith(a)
    assert "and 2 more alerts" in line
    asked = Namespace(incident_id=c, language="en", format="markdown")
    assert await incident_io.report_incident(asked, cli) == 0
    assert "| li.wei | put incidents together | done | 同一活动 |" in capsys.readouterr().out
    nothing = Namespace(incident_id=derive("nothing"), language="en", format="html")
    assert await incident_io.report_incident(nothing, cli) == 3
