"""Real complaints through the real services: the pauses fall on exactly the days that SQL finds in the file."""

import asyncio
import csv
import os
import sqlite3
import sys
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from deploy.launcher.standard import standard_system
from deploy.launcher.table import StandIns
from schemas.commands import Command
from schemas.topics import CHANNEL_COMMANDS
from services.cli.settings import CliSettings
from services.runtime.kafka.kafka_io import follow

DATA = Path(__file__).parents[1] / "data"
SHANGHAI = ZoneInfo("Asia/Shanghai")
WHOLE_FILE = Path(__file__).parents[3] / "shared" / "data" / "complaints_cfpb_bank_2023h1.csv"
"""Half a year, where it is at hand; six days of it are in the tree."""
FILES = [DATA / "cfpb_excerpt.csv", *([WHOLE_FILE] if WHOLE_FILE.exists() else [])]

Day = tuple[str, str]
"""(channel, date)"""


def counted_by_sql(path: Path, threshold: int) -> set[Day]:
    """The days on which a channel has at least so many complaints, found without any of our code."""
    with sqlite3.connect(":memory:") as db, path.open(encoding="utf-8", newline="") as file:
        db.execute("create table complaints (channel text, day text)")
        rows = [(row["submitted_via"], row["date_received"]) for row in csv.DictReader(file)]
        db.executemany("insert into complaints values (?, ?)", rows)
        query = "select channel, day from complaints group by channel, day having count(*) >= ?"
        return set(db.execute(query, (threshold,)))


async def paused_days(settings: CliSettings) -> list[Day]:
    """The channel and local day of every pause at level 1, as the indicators ordered them."""
    found: list[Day] = []
    batches = follow(settings, CHANNEL_COMMANDS)
    async for batch in batches:
        for record in batch.records:
            if record.key == b"policy" or record.value is None:
                continue
            command = Command.model_validate_json(record.value)
            if command.command == "pause" and command.level == 1 and command.event_time is not None:
                day = command.event_time.astimezone(SHANGHAI).date().isoformat()
                found.append((command.target.removeprefix("channel:"), day))
        if batch.caught_up:
            break
    await batches.aclose()
    return sorted(found)


async def settled(settings: CliSettings, expected: list[Day]) -> list[Day]:
    """What was ordered, once that is all: what the last marks close comes after the books balance."""
    for _ in range(60):
        found = await paused_days(settings)
        if found == expected:
            break
        await asyncio.sleep(0.5)
    return found


async def tidegate(environment: dict[str, str], *arguments: str) -> None:
    """Runs the command line and expects success."""
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", "services.cli", *arguments, env=environment)
    assert await process.wait() == 0, f"tidegate {' '.join(arguments)}"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.stem))
async def test_pauses_fall_on_the_days_that_sql_finds(path: Path, tmp_path: Path) -> None:
    expected = sorted(counted_by_sql(path, 40))
    assert expected, "a file in which nothing trips proves nothing"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TIDEGATE_")}
    environment |= {"TIDEGATE_CLOCK": "events"}
    system = standard_system(
        tmp_path, environment, print, stand_ins=StandIns(traffic=False), policy=DATA / "policy_40.yaml"
    )
    async with system:
        there = {**environment, "TIDEGATE_KAFKA": system.kafka}
        await tidegate(there, "replay", str(path), "--map", str(DATA / "cfpb_map.yml"))
        await tidegate(there, "ledger", "--wait", "180")
        found = await settled(CliSettings(kafka=system.kafka, clock="events"), expected)
    assert found == expected
