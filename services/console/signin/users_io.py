"""The users' file as it is now: read again when it changes, so that whoever is taken out of it is out."""

import logging
import time
from collections.abc import Callable
from typing import Final

from services.console.signin.settings import SignInSettings
from services.console.signin.users import Users

log = logging.getLogger(__name__)

LOOK_S: Final = 2.0
"""How often it is looked whether the file has changed."""


class UsersNow:
    """The file's users. One that cannot be understood, or says nothing, never takes the place of a good one."""

    def __init__(self, settings: SignInSettings, clock: Callable[[], float] = time.monotonic) -> None:
        self._settings = settings
        self._clock = clock
        self._seen = self._mark()
        self._users = settings.users()
        self._looked = clock()

    def __call__(self) -> Users:
        """Those that may sign in now."""
        if self._clock() - self._looked >= LOOK_S:
            self._looked = self._clock()
            if (mark := self._mark()) != self._seen:
                self._seen = mark
                self._read()
        return self._users

    def _read(self) -> None:
        try:
            users = self._settings.users()
            if users.says_nothing:
                raise ValueError("is empty; that there are no users is said by `users: []`")
        except (OSError, ValueError) as error:
            problem = error.strerror if isinstance(error, OSError) else str(error)
            log.error("the users' file is not as it should be; the one before stays", extra={"problem": problem})
        else:
            self._users = users
            log.info("read the users' file again", extra={"users": len(users)})

    def _mark(self) -> tuple[int, ...]:
        """What changes with the file, also where a link to it is turned, as Kubernetes does."""
        path = self._settings.console_users_file
        if path is None:
            return ()
        try:
            found = path.stat()
        except OSError:
            return ()
        return (found.st_mtime_ns, found.st_ino, found.st_size)
