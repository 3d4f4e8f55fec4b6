import io
import json
import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from services.runtime import logs
from services.runtime.tracing.traces import Context, within


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


def test_a_line_names_the_trace_that_it_belongs_to(lines: Callable[[], list[dict[str, Any]]]) -> None:
    with within(Context("0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331")):
        logging.getLogger("a").info("not acknowledged")
        logging.getLogger("aiokafka.producer").warning("from a task that began in the trace, and outlives it")
    logging.getLogger("a").info("by itself")
    assert [line.get("trace_id") for line in lines()] == ["0af7651916cd43dd8448eb211c80319c", None, None]


def test_an_exception_is_one_line_too(lines: Callable[[], list[dict[str, Any]]]) -> None:
    try:
        raise RuntimeError("boom")
    except RuntimeError:
        logging.getLogger("a").exception("failed")
    (line,) = lines()
    assert line["level"] == "error"
    assert line["error"].endswith("RuntimeError: boom")


def test_what_json_cannot_say_is_written_all_the_same(lines: Callable[[], list[dict[str, Any]]]) -> None:
    logging.getLogger("a").info("said", extra={"words": "\ud800", "odd": set, "level": "mine"})
    (line,) = lines()
    assert line["words"] == "\ud800"
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


class Thinned:
    """A logger behind the filter, at a time that stands still until it is moved."""

    def __init__(self, limit: int = 100) -> None:
        self.now = 0.0
        self.passed: list[tuple[str, int]] = []
        self._filter = logs.Thinning(every_s=5.0, limit=limit, clock=lambda: self.now)

    def log(self, name: str, template: str, *args: object, error: Exception | None = None) -> bool:
        """Whether it passed."""
        trace = None if error is None else (type(error), error, None)
        record = logging.LogRecord(name, logging.ERROR, "", 0, template, args, trace)
        passed = self._filter.filter(record)
        if passed:
            self.passed.append((record.getMessage(), getattr(record, "left_out", 0)))
        return passed


def test_a_third_partys_flood_is_thinned_out_and_counted() -> None:
    log = Thinned()
    for number in range(300):
        log.log("aiokafka.client", "no node %s", number)
        log.now += 0.125
    assert log.passed[:3] == [("no node 0", 0), ("no node 40", 39), ("no node 80", 39)]
    for word in ("again", "and again"):
        log.now += 5.0
        log.log("aiokafka.client", "no node %s", word)
    assert log.passed[-2:] == [("no node again", 19), ("no node and again", 0)]
    assert sum(1 + left_out for _, left_out in log.passed) == 302


def test_only_the_same_words_of_the_same_logger_are_thinned_out() -> None:
    log = Thinned()
    said = [("aiokafka", "a"), ("aiokafka", "b"), ("kafka", "a")]
    assert all(log.log(*each) for each in said)
    assert not any(log.log(*each) for each in said)
    assert log.log("aiokafka", "a", error=ValueError("an error of another kind is not the same"))
    assert not log.log("aiokafka", "a", error=ValueError())
    assert log.log("aiokafka", "a", error=KeyError())


def test_our_own_lines_all_pass() -> None:
    log = Thinned()
    assert all(log.log("services.console.api.ordering_io", "order") for _ in range(10))


def test_what_is_remembered_of_third_parties_is_bounded() -> None:
    log = Thinned(limit=2)
    for word in "abcab":
        assert log.log("asyncio", f"a task died: {word}")
    assert not log.log("asyncio", "a task died: b")


def test_a_service_thins_out(lines: Callable[[], list[dict[str, Any]]]) -> None:
    for _ in range(20):
        logging.getLogger("aiokafka.consumer").error("no node %s", 0)
        logging.getLogger("ours").error("trouble")
    assert [line["logger"] for line in lines()].count("aiokafka.consumer") == 1
    assert len(lines()) == 21
