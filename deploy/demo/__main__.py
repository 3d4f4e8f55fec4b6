"""`make demo`: a day in a minute. Starts everything, tells the story, shows what Tidegate did, checks every step.

python -m deploy.demo --all    every indicator trips, acts and clears
"""

from __future__ import annotations

import argparse
import asyncio
import os
import shutil
import signal
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from deploy.demo.all_scenes import ALL
from deploy.demo.naming import story_policy
from deploy.demo.play import Play
from deploy.demo.scenes import FEW
from deploy.demo.stage import Stage, require
from deploy.demo.story import tell, tell_all, yesterday
from deploy.demo.timeline import Timeline
from deploy.launcher.standard import standard_system
from deploy.launcher.supervisor import StartError
from deploy.launcher.system import System
from deploy.launcher.table import StandIns
from services.runtime.settings import CommonSettings

FEW_S, ALL_S = 50.0, 100.0
"""Wall seconds for the day of each story, the checks aside."""


async def play(home: Path, timeline: Timeline, everything: bool) -> None:
    """Starts the system on the `events` clock in `home` and plays the day."""
    environment = {**os.environ, "TIDEGATE_CLOCK": "events"}
    policy = story_policy(home)
    system = standard_system(home, environment, _say, stand_ins=StandIns(traffic=False), policy=policy)
    began = time.monotonic()
    async with system:
        _say(f"ready after {time.monotonic() - began:.0f} s")
        settings = CommonSettings(kafka=system.kafka, clock="events")
        story, scenes, seconds = (tell_all, ALL, ALL_S) if everything else (tell, FEW, FEW_S)
        day = story(yesterday(datetime.now(UTC)), f"demo-{time.time_ns():x}")
        async with Stage(system, settings) as stage:
            await Play(stage, day, timeline, scenes, seconds).run()
        await timeline.check("the books balance", _balanced(system))


async def _balanced(system: System) -> str:
    environment = {**os.environ, "TIDEGATE_KAFKA": system.kafka, "TIDEGATE_CLOCK": "events"}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "services.cli", "ledger", "--wait", "40", "--brief", env=environment,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    output, _ = await process.communicate()
    text = output.decode().strip()
    require(process.returncode == 0, text)
    return text


def _say(line: str) -> None:
    print(f"{time.strftime('%H:%M:%S')}  {line}", flush=True)


async def _interruptible(home: Path, timeline: Timeline, everything: bool) -> None:
    task = asyncio.ensure_future(play(home, timeline, everything))
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    await task


def main() -> int:
    """0 when every step was seen; 1 when one is missing, 130 when stopped."""
    parser = argparse.ArgumentParser(prog="python -m deploy.demo", description=__doc__)
    parser.add_argument("--all", action="store_true", help="every indicator trips, acts and clears")
    everything = parser.parse_args().all
    timeline, home = Timeline(), Path(tempfile.mkdtemp(prefix="tidegate-demo-"))
    began = time.monotonic()
    try:
        asyncio.run(_interruptible(home, timeline, everything))
    except asyncio.CancelledError:
        return 130
    except StartError as error:
        print(error, file=sys.stderr)
        return error.code
    finally:
        if timeline.missing:
            print(f"\nlogs are kept in {home / 'logs'}", file=sys.stderr)
        else:
            shutil.rmtree(home, ignore_errors=True)
    if timeline.missing:
        print(f"\n{len(timeline.missing)} steps are missing: {'; '.join(timeline.missing)}", file=sys.stderr)
        return 1
    print(f"\nEvery step was seen, in {time.monotonic() - began:.0f} s.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
