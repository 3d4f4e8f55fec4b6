"""A past to try policies on: some days of complaints, in an archive."""

import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from schemas.base import to_ms
from services.console.jobs.trials_io import Trials
from services.console.settings import ConsoleSettings
from tests.unit.cli.archive.test_parquet_io import archive_of
from tests.unit.cli.backtest.stories import HOUR, Story
from tests.unit.console.world import SETTINGS

DAYS_AGO = (5, 3)
"""When there were complaints: 25 of douyin on the first day, 45 on the other."""


def archived(folder: Path) -> ConsoleSettings:
    """The settings of a console that has such an archive."""
    story = Story()
    today = datetime.now(UTC).astimezone(ZoneInfo("Asia/Shanghai")).replace(hour=10, minute=0, second=0, microsecond=0)
    for days, number in zip(DAYS_AGO, (25, 45), strict=True):
        story.complaints(number, to_ms(today - timedelta(days=days)))
    story.hourly(20, "impression", to_ms(today - timedelta(days=6)) - HOUR, count=5)
    archive_of(folder, story.records())
    return SETTINGS.model_copy(update={"console_backtest_archive": folder})


def program(folder: Path, script: str, settings: ConsoleSettings) -> Trials:
    """Trials by a program of our own instead of tidegate."""
    path = folder / "program.py"
    path.write_text(script)
    return Trials(settings, (sys.executable, str(path)))
