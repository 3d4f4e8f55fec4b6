import io
import json
import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from services.runtime import logs


@pytest.fixture
def lines() -> Iterator[Callable[[], list[dict[str, Any]]]]:
    """Logging as a service has it, into a list of parsed lines; all as before afterwards."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    levels = {name: logging.getLogger(name).level for name in logs.NOISY}
    stream = io.StringIO()
    logs.configure("ingest", "info", stream)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    logging.captureWarnings(False)
    root.handlers[:] = handlers
    root.setLevel(level)
    for name, old in levels.items():
        logging.getLogger(name).setLevel(old)


def test_a_line_is_an_object_with_the_extra_fields(lines: Callable[[], list[dict[str, Any]]]) -> None:
    logging.getLogger("a.b").info("read %d", 3, extra={"partition": 2, "渠道": "抖音"})
    (line,) = lines()
    at = line.pop("time")
    assert at.endswith("Z")
    assert len(at) == len("2026-11-23T09:30:00.000Z")
    assert line == {
        "level": "info",
        "logger": "a.b",
        "service": "ingest",
        "event": "read 3",
        "partition": 2,
        "渠道": "抖音",
    }


def test_an_exception_is_one_line_too(lines: Callable[[], list[dict[str, Any]]]) -> None:
    try:
        raise RuntimeError("boom")
    except RuntimeError:
        logging.getLogger("a").exception("failed")
    (line,) = lines()
    assert line["level"] == "error"
    assert line["error"].endswith("RuntimeError: boom")


def test_what_json_cannot_say_is_written_all_the_same(lines: Callable[[], list[dict[str, Any]]]) -> None:
    logging.getLogger("a").info("\ud800", extra={"odd": set, "level": "mine"})
    (line,) = lines()
    assert line["event"] == "\ud800"
    assert line["odd"] == "<class 'set'>"
    assert line["level"] == "info"


def test_third_parties_are_quiet_and_debug_is_off(lines: Callable[[], list[dict[str, Any]]]) -> None:
    logging.getLogger("aiokafka.consumer").info("chatter")
    logging.getLogger("httpx").info("GET https://user:secret@host/")
    logging.getLogger("mode.services").info("chatter")
    logging.getLogger("ours").debug("detail")
    assert lines() == []
    logging.getLogger("aiokafka.consumer").warning("trouble")
    assert [line["event"] for line in lines()] == ["trouble"]
