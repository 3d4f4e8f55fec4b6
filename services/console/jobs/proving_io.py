"""Runs `tidegate verify` for people who look at an alert: one at a time, in a process of its own, since it reads and
judges for as long as it takes; ended when nobody looks any more."""

import asyncio
import contextlib
import logging
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

from services.console.jobs.proofs import Proof, environ_of
from services.console.settings import ConsoleSettings

log = logging.getLogger(__name__)

NICER: Final = 10
LOOK_S: Final = 20.0
"""So long after somebody has looked at it last it is ended."""
_STEP_S: Final = 0.5
_NO_CODE: Final = -1
_KEPT: Final = 200
_LINE: Final = 4 * 1024 * 1024
"""Bytes of a line: a finding with all its differences."""


def verify(alert_id: str) -> Sequence[str]:
    """The command line."""
    return (sys.executable, "-m", "services.cli", "verify", "--alert", alert_id, "--json")


def prover_of(settings: ConsoleSettings) -> "Prover":
    """One whose processes read the raw topics as whoever may, where that is not the console."""
    secret = settings.console_history_password
    password = None if secret is None else secret.get_secret_value()
    return Prover(environ=environ_of(os.environ, settings.console_history_username, password))


class Prover:
    """command: of an alert's proof; environ: what it is told, None: what the console is told. The newest proof of each
    alert is kept, as long as the process lives."""

    def __init__(
        self, command: Callable[[str], Sequence[str]] = verify, environ: Mapping[str, str] | None = None
    ) -> None:
        self._command = command
        self._environ = environ
        self._proofs: dict[str, Proof] = {}
        self._running: str | None = None
        self._task: asyncio.Task[None] | None = None
        self._looked = 0.0

    def running(self) -> Proof | None:
        """The one that goes on."""
        return None if self._running is None else self._proofs[self._running]

    def look(self, alert_id: str) -> Proof | None:
        """The proof of an alert, which goes on as long as somebody looks."""
        if alert_id == self._running:
            self._looked = asyncio.get_running_loop().time()
        return self._proofs.get(alert_id)

    def start(self, alert_id: str, by: str) -> bool:
        """Whether it goes on now; not where that of another alert does."""
        if self._running is None:
            self._proofs.pop(alert_id, None)
            self._proofs[alert_id] = Proof(alert_id, by, datetime.now(UTC))
            if len(self._proofs) > _KEPT:
                self._proofs.pop(next(iter(self._proofs)))
            self._running = alert_id
            self._task = asyncio.create_task(self._run(alert_id))
        self.look(alert_id)
        return self._running == alert_id

    async def stop(self, alert_id: str) -> None:
        """Ends that of an alert; returns when it has ended."""
        if alert_id == self._running and self._task is not None:
            self._looked = float("-inf")
            await asyncio.wait([self._task])

    async def _run(self, alert_id: str) -> None:
        try:
            process = await asyncio.create_subprocess_exec(
                *self._command(alert_id),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                limit=_LINE,
                env=self._environ,
            )
            try:
                with contextlib.suppress(OSError):
                    os.setpriority(os.PRIO_PROCESS, process.pid, NICER)
                await self._follow(alert_id, process)
            finally:
                if process.returncode is None:
                    process.kill()
                    await process.wait()
        except OSError as error:
            self._end(alert_id, _NO_CODE, str(error))
        finally:
            if self._proofs[alert_id].outcome is None:
                self._end(alert_id, _NO_CODE, "it ended before it had said what it found")
            self._running = None

    async def _follow(self, alert_id: str, process: asyncio.subprocess.Process) -> None:
        """Until it has ended, or nobody looks."""
        reading = asyncio.create_task(self._read(alert_id, process))
        try:
            while not reading.done():
                await asyncio.wait([reading], timeout=_STEP_S)
                if asyncio.get_running_loop().time() - self._looked > LOOK_S:
                    self._proofs[alert_id] = self._proofs[alert_id].stopped(datetime.now(UTC))
                    return
        finally:
            reading.cancel()
        self._end(alert_id, process.returncode, reading.result())

    def _end(self, alert_id: str, code: int | None, said: str) -> None:
        proof = self._proofs[alert_id].ended(_NO_CODE if code is None else code, said, datetime.now(UTC))
        self._proofs[alert_id] = proof
        if proof.outcome == "failed":
            log.error("verify could not be run", extra={"alert_id": alert_id, "code": code, "said": said})

    async def _read(self, alert_id: str, process: asyncio.subprocess.Process) -> str:
        """Takes in what it says; its last words for people."""
        assert process.stdout is not None and process.stderr is not None  # noqa: S101
        words = asyncio.create_task(process.stderr.read())
        async for line in process.stdout:
            self._proofs[alert_id] = self._proofs[alert_id].told(line.decode())
        await process.wait()
        return (await words).decode(errors="replace").strip()
