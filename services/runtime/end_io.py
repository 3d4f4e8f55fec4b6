"""The end of a process that must not go on: now, whatever else is running in it, so that its supervisor restarts it."""

from __future__ import annotations

import logging
import os
from typing import Any, NoReturn

log = logging.getLogger(__name__)

EXIT_CODE = 70
"""Of a process that ended itself: an internal error (EX_SOFTWARE)."""


def end_process(reason: str, error: BaseException | None = None, **fields: Any) -> NoReturn:
    """Log the reason, with the error's traceback, and end without cleaning up: no ack, no commit, no snapshot.

    Raising would not do: Faust acks what an exception escapes from, and a library may swallow a SystemExit.
    """
    log.critical("ending the process: %s", reason, exc_info=error, extra=fields)
    for handler in logging.getLogger().handlers:
        handler.flush()
    os._exit(EXIT_CODE)
