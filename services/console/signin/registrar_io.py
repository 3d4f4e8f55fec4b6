"""Has the audit told of who came and left; nobody is kept out while Kafka is away, and what it has not acknowledged is
sent again until it has: other consoles know from the audit alone who has signed out."""

import asyncio
import contextlib
import logging
import secrets
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from fastapi import Response

from schemas.commands import Command
from services.console.orders.desk_io import Desk
from services.console.signin import entries
from services.console.signin.sessions import Session
from services.runtime.http.api_io import ApiError

log = logging.getLogger(__name__)

AGAIN_S: Final = 2.0
"""From one try to the next while Kafka does not acknowledge."""
PATIENCE_S: Final = 5.0
"""So long somebody waits to hear that other consoles will know."""
LAST_S: Final = 3.0
"""So long the end of the process waits for what is not acknowledged."""
CAPACITY: Final = 10_000


@dataclass(frozen=True, slots=True)
class _Entry:
    command: Command
    told: asyncio.Event = field(default_factory=asyncio.Event)


class Registrar:
    """Sends what it is told through the desk, as orders go."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._thinning = entries.Thinning()
        self._waiting: dict[str, _Entry] = {}
        self._sending: asyncio.Task[None] | None = None

    def came(self, session: Session, *, again: bool) -> None:
        """Somebody has signed in."""
        self._tell(entries.came(session, secrets.token_hex(16), datetime.now(UTC), again=again))

    def left(self, session: Session) -> None:
        """Somebody has signed out."""
        self._tell(entries.left(session, secrets.token_hex(16), datetime.now(UTC), everywhere=False))

    async def left_everywhere(self, session: Session) -> bool:
        """Somebody has signed out of all their browsers. Whether Kafka has it, which is waited for a little."""
        told = self._tell(entries.left(session, secrets.token_hex(16), datetime.now(UTC), everywhere=True))
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE_S):
                await told.wait()
        return told.is_set()

    def failed(self, name: str | None, why: str) -> None:
        """Somebody was not let in."""
        left_out = self._thinning.let(time.time())
        if left_out is not None:
            self._tell(entries.failed(name, why, secrets.token_hex(16), datetime.now(UTC), left_out=left_out))

    async def end(self) -> None:
        """Waits a little for what is not acknowledged yet: it is lost with the process."""
        if self._sending is not None:
            await asyncio.wait([self._sending], timeout=LAST_S)
            self._sending.cancel()
        for entry in self._waiting.values():
            _lost(entry.command, "Kafka has not acknowledged it until the end")

    def _tell(self, command: Command) -> asyncio.Event:
        """Set once Kafka has it."""
        entry = self._waiting[command.command_id] = _Entry(command)
        if len(self._waiting) > CAPACITY:
            _lost(self._waiting.pop(self._least()).command, "too many wait for Kafka")
        if self._sending is None or self._sending.done():
            self._sending = asyncio.get_running_loop().create_task(self._send())
        return entry.told

    def _least(self) -> str:
        """The oldest that nobody's safety rests on, else the oldest."""
        others = (key for key, entry in self._waiting.items() if entry.command.command != "sign_out")
        return next(others, next(iter(self._waiting)))

    async def _send(self) -> None:
        """Until nothing waits, in order; what cannot be had now holds up no other, whose partition may be well."""
        while self._waiting:
            is_refused = False
            for key in list(self._waiting):
                entry = self._waiting.get(key)
                if entry is None:
                    continue  # it had to make room
                if await self._is_settled(entry):
                    self._waiting.pop(key, None)
                else:
                    is_refused = True
            if is_refused:
                await asyncio.sleep(AGAIN_S)

    async def _is_settled(self, entry: _Entry) -> bool:
        try:
            await self._desk.give(entry.command, 0, Response())
        except ApiError as error:
            if error.body.status == 503:
                return False
            _lost(entry.command, error.body.detail)
        else:
            entry.told.set()
        return True


def _lost(command: Command, problem: str) -> None:
    about = {"what": command.command, "target": command.target, "problem": problem}
    log.error("an entry is not in the audit", extra=about)
