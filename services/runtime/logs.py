"""Structured logs: one JSON object a line on stderr, through the standard library's logging.

    log = logging.getLogger(__name__)
    log.info("snapshot written", extra={"partition": 3, "records": 812})

What is passed as `extra` becomes fields. Secrets and personal data have no place in either.
"""

import json
import logging
import math
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, TextIO

from services.runtime.tracing import traces

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "color_message"}
"""What every LogRecord has; all else came in as `extra`."""

NOISY = (
    "aiokafka",
    "asyncio",
    "authlib",
    "faust",
    "google",
    "grpc",
    "httpcore",
    "httpcore2",
    "httpx",
    "httpx2",
    "kafka",
    "mode",
    "opentelemetry",
    "urllib3",
    "uvicorn",
)
"""Third parties whose chatter is of use to their authors only (and httpx names every URL): warnings and worse."""


def _is_of_others(record: logging.LogRecord) -> bool:
    return record.name.partition(".")[0] in NOISY


class JsonFormatter(logging.Formatter):
    """`time` (RFC 3339, UTC, ms), `level`, `logger`, `service`, `event`, `trace_id` where there is one, the extra
    fields, `error` (a traceback)."""

    def __init__(self, service: str) -> None:
        super().__init__()
        self._service = service

    def format(self, record: logging.LogRecord) -> str:
        """The record as one line of JSON."""
        at = datetime.fromtimestamp(record.created, UTC)
        line: dict[str, Any] = {
            "time": at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "service": self._service,
            "event": record.getMessage(),
        }
        # A library's tasks live on in the context of whoever was the first to need them.
        if (trace := traces.current()) is not None and not _is_of_others(record):
            line["trace_id"] = trace.trace_id
        for name, value in vars(record).items():
            if name not in _STANDARD and name not in line:
                line[name] = value
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        # Not ASCII only: the texts are Chinese as well. A lone surrogate is written escaped instead of failing.
        text = json.dumps(line, ensure_ascii=False, default=str)
        return text.encode("utf-8", "backslashreplace").decode("utf-8")


class Thinning(logging.Filter):
    """Of what a third party says again and again one line in `every_s` passes; its `left_out` counts those before it.

    The same are lines of one logger with one template, and errors of one type. While the broker is away aiokafka writes
    hundreds a second. `limit`: so many templates are remembered.
    """

    def __init__(self, every_s: float = 5.0, limit: int = 1000, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._every_s = every_s
        self._limit = limit
        self._clock = clock
        self._passed: dict[tuple[object, ...], tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the record passes."""
        if not _is_of_others(record):
            return True
        same = (record.name, record.levelno, str(record.msg), record.exc_info and record.exc_info[0])
        now = self._clock()
        passed_at, left_out = self._passed.get(same, (-math.inf, 0))
        if now - passed_at < self._every_s:
            self._passed[same] = (passed_at, left_out + 1)
            return False
        if left_out:
            record.left_out = left_out
        self._passed.pop(same, None)  # so that the one that passed longest ago stays the first
        self._passed[same] = (now, 0)
        if len(self._passed) > self._limit:
            del self._passed[next(iter(self._passed))]
        return True


def configure(service: str, level: str, stream: TextIO | None = None) -> None:
    """Sends all logs of this process to `stream` (stderr), replacing what was set up before.

    `level` (`debug`, `info`, `warning`, `error`) is for our own loggers; third parties stay at warnings.
    """
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonFormatter(service))
    handler.addFilter(Thinning())
    root = logging.getLogger()
    for old in list(root.handlers):
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(level.upper())
    for name in NOISY:
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))
    logging.captureWarnings(True)
