"""Has the audit told of who came and left; nobody has to wait for that, nor is kept out while Kafka is away."""

import asyncio
import logging
import secrets
import time
from datetime import UTC, datetime

from fastapi import Response

from schemas.commands import Command
from services.console.orders.desk_io import Desk
from services.console.signin import entries
from services.console.signin.sessions import Session
from services.runtime.http.api_io import ApiError

log = logging.getLogger(__name__)


class Registrar:
    """Sends what it is told through the desk, as orders go."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._thinning = entries.Thinning()
        self._sending: set[asyncio.Task[None]] = set()

    def came(self, session: Session, *, again: bool) -> None:
        """Somebody has signed in."""
        self._tell(entries.came(session, secrets.token_hex(16), datetime.now(UTC), again=again))

    def left(self, session: Session, *, everywhere: bool) -> None:
        """Somebody has signed out."""
        self._tell(entries.left(session, secrets.token_hex(16), datetime.now(UTC), everywhere=everywhere))

    def failed(self, name: str | None, why: str) -> None:
        """Somebody was not let in."""
        left_out = self._thinning.let(time.time())
        if left_out is not None:
            self._tell(entries.failed(name, why, secrets.token_hex(16), datetime.now(UTC), left_out=left_out))

    def _tell(self, command: Command) -> None:
        task = asyncio.get_running_loop().create_task(self._send(command))
        self._sending.add(task)
        task.add_done_callback(self._sending.discard)

    async def _send(self, command: Command) -> None:
        try:
            await self._desk.give(command, 0, Response())
        except ApiError as error:
            about = {"what": command.command, "target": command.target, "problem": error.body.detail}
            log.error("an entry is not in the audit", extra=about)
