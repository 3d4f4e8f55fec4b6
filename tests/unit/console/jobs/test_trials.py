"""Trying a policy on the past, from the page to the process and back."""

import asyncio
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from schemas.backtest import Part
from schemas.base import to_ms
from schemas.policy import Policy
from services.console.jobs.trials import Trial, command, environment, outcome_of
from services.console.jobs.trials_io import TrialRefusedError, Trials
from services.policies.changes import Ask, apply
from services.policies.text import text_of
from services.runtime.settings import CommonSettings
from tests.support.indicator_log import TEN
from tests.support.waiting import eventually
from tests.unit.cli.backtest.stories import Story, over
from tests.unit.console.browsing import Form, browsing
from tests.unit.console.past import archived, program
from tests.unit.console.samples import NOW
from tests.unit.console.world import SETTINGS, World


def policy(version: int, complaints: int = 20, **fields: Any) -> Policy:
    volume = {"maturity": "notify", "thresholds": {"complaints": complaints}}
    return Policy.model_validate({"version": version, "indicators": {"complaint_volume": volume}, **fields})


SAYS = """
import json, sys
print(json.dumps({"done": 3, "total": 9}), file=sys.stderr, flush=True)
"""
WAITS = SAYS + "import time\ntime.sleep(60)\n"
FAILS = SAYS + "print('there is nothing to test with', file=sys.stderr)\nsys.exit(1)\n"
BOTH = (policy(1), policy(2, 30))
DAY = timedelta(days=1)


@pytest.fixture
async def in_force(world: World, complete: None) -> World:
    await world.change(Ask("zhao", datetime.now(UTC)), lambda topic, ask: apply(topic, policy(1), ask))
    return world


async def over_with(trial: Trial) -> None:
    await eventually(lambda: trial.state != "running", "the trial is over", 60)


async def begun(client: httpx.AsyncClient, wanted: Policy, **fields: str) -> httpx.Response:
    hidden = Form((await client.get("/policy/edit")).text, "/policy/edit").fields
    return await client.post("/policy/try", data=hidden | {"document": text_of(wanted)} | fields)


async def test_a_policy_is_tried_on_an_archive(in_force: World, tmp_path: Path) -> None:
    trials = Trials(archived(tmp_path / "archive"))
    async with browsing(in_force, trials=trials) as client:
        answer = await begun(client, policy(2, 30), days="14")
        assert answer.status_code == 303
        place = answer.headers["location"]
        (trial,) = trials.newest()
        await over_with(trial)
        assert (trial.state, trial.problem) == ("done", "")
        page = (await client.get(place)).text
        refreshed = await client.get(place, headers={"HX-Request": "true"})
        again = (await client.get(f"/policy/edit?trial={trial.trial_id}")).text
    assert "gone" in page, "25 complaints trip at 20, not at 30"
    assert "changed" in page, "45 are level 2 at 20, level 1 at 30"
    assert "level 2" in page
    assert "<svg" in page
    assert "History before" in page
    assert "From the archive" in page
    assert "Nothing there of" in page, "of the days before the first complaint"
    assert refreshed.headers["hx-refresh"] == "true"
    assert "complaints: 30" in again
    async with browsing(in_force, "viewer", "zh", trials) as client:
        page = (await client.get(place)).text
    assert all(each in page for each in ("新增、消失、变化", "当日投诉量", "级别 2"))
    assert "/policy/propose" not in page


async def test_one_at_a_time_and_it_can_be_cancelled(in_force: World, tmp_path: Path) -> None:
    trials = program(tmp_path, WAITS, SETTINGS.model_copy(update={"console_backtest_archive": tmp_path}))
    async with browsing(in_force, trials=trials) as client:
        place = (await begun(client, policy(2))).headers["location"]
        (trial,) = trials.newest()
        await eventually(lambda: trial.total == 9, "it says how far it is")
        page = " ".join((await client.get(place)).text.split())
        assert "It runs in a process of its own" in page
        assert "3 of about 9 records" in page
        assert (await begun(client, policy(3))).status_code == 409
        fields = Form((await client.get(place)).text, f"{place}/cancel").fields
        assert (await client.post(f"{place}/cancel", data=fields)).status_code == 303
        assert (trial.state, trials.running) == ("cancelled", None)
        assert "It was cancelled." in (await client.get(place)).text


async def test_what_fails_says_why(in_force: World, tmp_path: Path) -> None:
    trials = program(tmp_path, FAILS, SETTINGS.model_copy(update={"console_backtest_archive": tmp_path}))
    async with browsing(in_force, trials=trials) as client:
        place = (await begun(client, policy(2))).headers["location"]
        await over_with(trials.newest()[0])
        assert "there is nothing to test with" in (await client.get(place)).text
        assert (await client.get("/policy/trial/" + "0" * 32)).status_code == 404


async def test_a_report_that_cannot_be_read_is_a_failure(tmp_path: Path) -> None:
    trials = program(tmp_path, SAYS, SETTINGS.model_copy(update={"console_backtest_archive": tmp_path}))
    trial = trials.begin("li.wei", NOW, 30, BOTH, "")
    await over_with(trial)
    assert (trial.state, "report.json" in trial.problem) == ("failed", True)


async def test_a_process_that_does_not_listen_is_ended_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.console.jobs.trials_io._END_S", 0.2)
    noted = tmp_path / "pid"
    script = f"""
import os, pathlib, signal
signal.signal(signal.SIGTERM, signal.SIG_IGN)
pathlib.Path({str(noted)!r}).write_text(str(os.getpid()))
"""
    trials = program(tmp_path, script + WAITS, SETTINGS.model_copy(update={"console_backtest_archive": tmp_path}))
    trial = trials.begin("li.wei", NOW, 30, BOTH, "")
    await eventually(lambda: trial.total == 9, "it says how far it is")
    await trials.cancel(trial)
    with pytest.raises(ProcessLookupError):
        os.kill(int(noted.read_text()), 0)


async def test_without_a_past_there_is_nothing_to_try_on(in_force: World) -> None:
    async with browsing(in_force) as client:
        assert "There is no past to try it on here" in (await client.get("/policy/edit")).text
        assert (await begun(client, policy(2))).status_code == 409
    with pytest.raises(TrialRefusedError):
        Trials(SETTINGS).begin("li.wei", NOW, 30, BOTH, "")


async def test_what_is_not_valid_is_not_tried(in_force: World, tmp_path: Path) -> None:
    trials = program(tmp_path, WAITS, SETTINGS.model_copy(update={"console_backtest_archive": tmp_path}))
    async with browsing(in_force, trials=trials) as client:
        hidden = Form((await client.get("/policy/edit")).text, "/policy/edit").fields
        assert (await client.post("/policy/try", data=hidden | {"document": "version: x"})).status_code == 422
    async with browsing(in_force, "viewer", trials=trials) as client:
        assert (await begun(client, policy(2))).status_code == 403
    assert trials.newest() == []


async def test_only_the_newest_are_kept(tmp_path: Path) -> None:
    trials = program(tmp_path, FAILS, SETTINGS.model_copy(update={"console_backtest_archive": tmp_path}))
    for number in range(8):
        await over_with(trials.begin("li.wei", NOW, 30, (policy(1), policy(2, 20 + number)), ""))
        await asyncio.sleep(0)
    assert len(trials.newest()) == 6


def test_a_process_that_reads_an_archive_is_told_nothing_of_ours() -> None:
    given = {"PATH": "/bin", "TIDEGATE_CONSOLE_LINK_KEY": "secret", "TIDEGATE_KAFKA": "broker:9092"}
    assert environment(given, None) == {"PATH": "/bin"}


def test_a_process_that_reads_topics_is_told_the_way_to_kafka_only() -> None:
    kafka = CommonSettings(
        kafka="broker:9092",
        kafka_sasl_mechanism="PLAIN",
        kafka_sasl_username="history",
        kafka_sasl_password=SecretStr("word"),
    )
    told = environment({"PATH": "/bin", "TIDEGATE_CONSOLE_LINK_KEY": "secret"}, kafka)
    assert told["TIDEGATE_KAFKA_SASL_PASSWORD"] == "word"
    assert (told["TIDEGATE_KAFKA_TLS"], told["TIDEGATE_PARTITIONS"]) == ("false", "2")
    assert not any("CONSOLE" in name for name in told)


def test_the_command_is_that_of_people() -> None:
    trial = Trial("x", "li.wei", NOW, 14, "default/1", "default/2", "")
    said = command(trial, Path("here"), Path("archive"), topics=False)
    assert said[:2] == ["backtest", "--policy"]
    assert said[-2:] == ["--archive", "archive"]
    assert command(trial, Path("here"), Path("archive"), topics=True) == [*said, "--topics"]
    assert not {"--archive", "--topics"} & {*command(trial, Path("here"), None, topics=True)}


def test_the_days_that_nothing_covers_are_told() -> None:
    story = Story()
    story.complaints(45)
    report = over(story.records(), policy(1), policy(2))
    end = report.window.to

    def uncovered(*parts: tuple[str, float, float]) -> list[tuple[float, float]]:
        """In days before the window's end, which is 30 long."""
        window = report.window.model_copy(update={"from_": end - 30 * DAY})
        found = [Part.model_validate({"of": of, "first": end - a * DAY, "last": end - b * DAY}) for of, a, b in parts]
        source = report.source.model_copy(update={"parts": found})
        told = outcome_of(report.model_copy(update={"window": window, "source": source})).uncovered
        return [((end - a) / DAY, (end - b) / DAY) for a, b in told]

    assert uncovered() == [], "a file says nothing of parts"
    assert uncovered(("archive", 30, 0.1), ("topics", 0.1, 0)) == []
    assert uncovered(("archive", 27, 16), ("topics", 13.5, 0)) == [(30, 27), (16, 13.5)]
    assert uncovered(("archive", 29.5, 2)) == [(2, 0)]
    assert uncovered(("topics", 14, 0), ("archive", 30, 0.5)) == [], "whichever is named first"


def test_what_is_kept_of_a_report() -> None:
    story = Story()
    story.complaints(45)
    found = outcome_of(over(story.records(), policy(1), policy(2, 30)))
    assert [(each.trips, each.auto) for each in found.totals] == [(1, 0), (1, 0)]
    (row,) = found.rows
    assert (row.kind, row.first and row.first.level, row.second and row.second.level) == ("changed", 2, 1)
    assert found.drawings[0].series.indicator == "complaint_volume"
    assert to_ms(found.source.first or NOW) == TEN
