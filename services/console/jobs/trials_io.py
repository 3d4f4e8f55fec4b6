"""Runs trials: `tidegate backtest` in a process of its own, one at a time, since it takes a core for minutes."""

import asyncio
import contextlib
import json
import logging
import os
import sys
import tempfile
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

from schemas.backtest import Report
from schemas.policy import Policy
from schemas.problems import ToldError
from services.console.jobs.trials import Trial, command, environment, outcome_of
from services.console.settings import ConsoleSettings
from services.policies.text import text_of
from services.runtime.ids import derive

log = logging.getLogger(__name__)

KEPT: Final = 6
"""Trials whose results stay to be seen, the newest, until the process ends."""
LONGEST_S: Final = 3600.0
NICER: Final = 10
_PROBLEM: Final = 2000
_END_S: Final = 5.0


class TrialRefusedError(ToldError):
    """A trial that is not begun: another runs, or there is no past to try on."""


class Trials:
    """Those of this process."""

    def __init__(self, settings: ConsoleSettings, tidegate: Sequence[str] = (sys.executable, "-m", "services.cli")):
        self._archive = settings.console_backtest_archive
        self._topics = settings.console_backtest_topics
        self._kafka = settings.for_history() if self._topics else None
        self._tidegate = tidegate
        self._trials: dict[str, Trial] = {}
        self._task: asyncio.Task[None] | None = None
        self._running: Trial | None = None

    @property
    def possible(self) -> bool:
        """Whether there is a past to try on."""
        return self._archive is not None or self._topics

    @property
    def running(self) -> Trial | None:
        """The one that runs."""
        return self._running

    def get(self, trial_id: str) -> Trial | None:
        """One that is kept."""
        return self._trials.get(trial_id)

    def newest(self) -> list[Trial]:
        """All that are kept, the newest first."""
        return list(reversed(self._trials.values()))

    def begin(self, by: str, at: datetime, days: int, policies: tuple[Policy, Policy], text: str) -> Trial:
        """Tries the second policy against the first. Raises TrialRefusedError."""
        if not self.possible:
            raise TrialRefusedError("there is no past to try on", "没有可用的历史数据")
        if self._running is not None:
            raise TrialRefusedError("another trial runs", "已有试算在进行")
        before, after = policies
        trial_id = derive("trial", by, at.isoformat(), after.model_dump_json())
        trial = Trial(trial_id, by, at, days, before.label, after.label, text)
        self._trials[trial_id] = self._running = trial
        for old in list(self._trials)[:-KEPT]:
            del self._trials[old]
        self._task = asyncio.create_task(self._run(trial, policies))
        return trial

    async def cancel(self, trial: Trial) -> None:
        """Ends it, if it runs; returns when its process is gone."""
        if self._running is trial and self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    async def _run(self, trial: Trial, policies: tuple[Policy, Policy]) -> None:
        try:
            async with asyncio.timeout(LONGEST_S):
                await self._try(trial, policies)
        except asyncio.CancelledError:
            trial.state = "cancelled"
            raise
        except TimeoutError:
            trial.state, trial.problem = "failed", f"it took longer than {LONGEST_S:.0f} s"
        except (OSError, ValueError) as error:
            trial.state, trial.problem = "failed", str(error)[:_PROBLEM]
        finally:
            self._running = None
            log.info("trial", extra={"trial": trial.trial_id, "by": trial.by, "state": trial.state})

    async def _try(self, trial: Trial, policies: tuple[Policy, Policy]) -> None:
        with tempfile.TemporaryDirectory(prefix="tidegate-trial-") as name:
            folder = Path(name)
            for policy, file in zip(policies, ("before.yaml", "after.yaml"), strict=True):
                await asyncio.to_thread((folder / file).write_text, text_of(policy), "utf-8")
            process = await asyncio.create_subprocess_exec(
                *self._tidegate,
                *command(trial, folder, self._archive, self._topics),
                env=environment(os.environ, self._kafka),
                stdin=DEVNULL,
                stdout=DEVNULL,
                stderr=PIPE,
            )
            try:
                with contextlib.suppress(OSError):
                    os.setpriority(os.PRIO_PROCESS, process.pid, NICER)
                told = await _followed(process, trial)
                code = await process.wait()
            finally:
                await _end(process)
            if code != 0:
                trial.state, trial.problem = "failed", told[-_PROBLEM:] or f"exit code {code}"
                return
            report = await asyncio.to_thread(_read, folder / "report.json")
        trial.outcome = await asyncio.to_thread(outcome_of, report)
        trial.state = "done"


async def _followed(process: Process, trial: Trial) -> str:
    """Notes how far it is; what it says besides, when it ends."""
    said = ""
    assert process.stderr is not None  # noqa: S101
    async for line in process.stderr:
        try:
            told = json.loads(line)
            trial.done, trial.total = int(told["done"]), int(told["total"])
        except (ValueError, KeyError, TypeError):
            said = (said + line.decode(errors="replace"))[-2 * _PROBLEM :]
    return said.strip()


async def _end(process: Process) -> None:
    if process.returncode is not None:
        return
    with contextlib.suppress(ProcessLookupError):
        process.terminate()
    try:
        async with asyncio.timeout(_END_S):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()


def _read(path: Path) -> Report:
    return Report.model_validate_json(path.read_bytes())
