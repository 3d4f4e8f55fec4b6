"""Checks passwords beside the loop, a few at a time: each takes 64 MB and a core for a moment."""

import asyncio
from typing import Final

from services.console.signin.users import User, Users

AT_ONCE: Final = 2
MOST_WAITING: Final = 20


class BusyError(Exception):
    """So many wait already that one more had better try again."""


class Checking:
    """One for each app."""

    def __init__(self) -> None:
        self._room = asyncio.Semaphore(AT_ONCE)
        self._waiting = 0

    async def user(self, users: Users, name: str, password: str) -> User | None:
        """Whose name and password these are. Raises BusyError."""
        if self._waiting >= MOST_WAITING:
            raise BusyError
        self._waiting += 1
        try:
            async with self._room:
                return await asyncio.to_thread(users.by_password, name, password)
        finally:
            self._waiting -= 1
