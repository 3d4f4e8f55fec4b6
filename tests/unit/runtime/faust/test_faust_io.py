"""The agent, from which nothing may escape, and what Faust is told at the start."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from types import SimpleNamespace
from typing import Any

import pytest
from mode.utils.queues import FlowControlEvent, ThrowableQueue

from services.runtime.faust import faust_io
from services.runtime.faust.faust_io import build_app
from services.runtime.faust.faust_recovery_io import HarnessTables
from services.runtime.health import Health
from services.runtime.machines.harness_io import Harness, Tuning
from services.runtime.machines.machine import MachineService, Record
from services.runtime.machines.pulse import Pulse
from services.runtime.settings import CommonSettings
from tests.support import toy
from tests.support.ending import Ended, note_ends


@pytest.fixture(autouse=True)
def ends(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the process was ended for."""
    return note_ends(monkeypatch, faust_io)


class Flow:
    """What the agent sees of the app and its stream."""

    def __init__(self, handle: Callable[[Any], Awaitable[None]] | None = None) -> None:
        self.control = FlowControlEvent(initially_suspended=False)
        self.queue: Any = ThrowableQueue(flow_control=self.control)
        self.acked: list[int] = []
        self.handled: list[int] = []
        self.events_in: list[Any] = []
        self.ending: BaseException | None = None
        harness = SimpleNamespace(handle=handle or self._handle, stopping=False)
        self.app: Any = SimpleNamespace(consumer_generation_id=3, flow_control=self.control, harness=harness)
        self.stream = SimpleNamespace(
            noack=lambda: SimpleNamespace(events=self._events), ack=self._ack, channel=SimpleNamespace(queue=self.queue)
        )

    @staticmethod
    def event(offset: int, generation: int = 3) -> Any:
        message = SimpleNamespace(
            generation_id=generation,
            partition=0,
            offset=offset,
            timestamp=1767225600.001,
            key=b"k",
            value=b"v",
            headers=(("h", b"1"),) if offset == 7 else None,
        )
        return SimpleNamespace(message=message)

    async def _events(self) -> Any:
        for each in self.events_in:
            yield each
        if self.ending is not None:
            raise self.ending

    async def _handle(self, group: Any) -> None:
        self.handled += [record.offset for _, record, _ in group]
        assert not self.acked, "acked before it was handled"

    async def _ack(self, event: Any) -> None:
        self.acked.append(event.message.offset)


async def test_what_waits_in_the_queue_goes_with_the_first_and_all_are_acked_after() -> None:
    flow = Flow()
    flow.events_in = [flow.event(5)]
    for offset in (6, 7):
        flow.queue.put_nowait(flow.event(offset))
    with pytest.raises(Ended):
        await faust_io._consume(flow.app, flow.stream)
    assert flow.handled == flow.acked == [5, 6, 7]


async def test_events_of_another_generation_or_of_a_stopped_flow_are_dropped() -> None:
    flow = Flow()
    flow.queue.put_nowait(flow.event(6, generation=2))
    flow.queue.put_nowait(flow.event(7))
    taken: list[Any] = []
    group = faust_io._group(flow.app, flow.queue, flow.event(5), taken)
    assert [(record.offset, headers) for _, record, headers in group] == [(5, ()), (7, (("h", b"1"),))]
    flow.control.suspend()
    assert not list(faust_io._group(flow.app, flow.queue, flow.event(8), taken))
    assert [event.message.offset for event in taken] == [5, 7]


async def test_the_append_time_survives_fausts_seconds() -> None:
    flow = Flow()
    ((partition, record, _),) = faust_io._group(flow.app, flow.queue, flow.event(5), [])
    assert (partition, record) == (0, Record(5, 1767225600001, b"k", b"v"))
    for stamp in range(1_767_225_600_000, 1_767_225_603_000):
        assert round(stamp / 1000.0 * 1000) == stamp


@pytest.mark.parametrize("error", [RuntimeError(), asyncio.CancelledError(), SystemExit()])
async def test_nothing_escapes_the_agent(ends: list[str], error: BaseException) -> None:
    """Faust would ack the event and go on with the next one."""

    async def fail(_: Any) -> None:
        raise error

    flow = Flow(fail)
    flow.events_in = [flow.event(5)]
    with pytest.raises(Ended):
        await faust_io._consume(flow.app, flow.stream)
    assert (ends, flow.acked) == (["the stream failed"], [])


async def test_a_stream_that_ends_by_itself_ends_the_process(ends: list[str]) -> None:
    flow = Flow()
    with pytest.raises(Ended):
        await faust_io._consume(flow.app, flow.stream)
    assert ends == ["the stream ended"]


async def test_our_own_stop_is_no_failure(ends: list[str]) -> None:
    flow = Flow()
    flow.app.harness.stopping = True
    await faust_io._consume(flow.app, flow.stream)
    flow.ending = asyncio.CancelledError()
    with pytest.raises(asyncio.CancelledError):
        await faust_io._consume(flow.app, flow.stream)
    assert ends == []


async def test_what_faust_is_told() -> None:
    settings = CommonSettings(prefix="p.", instance="7")
    service = MachineService("toy", toy.LOG, toy.STATE, toy.Counter)
    app = build_app(Harness(service, settings, Tuning(), Health()), settings, Pulse(1, lambda: 0.0))
    conf: Any = app.conf
    assert (conf.id, conf.consumer_group_instance_id) == ("p.toy", "p.toy-7")
    assert (conf.topic_disable_leader, conf.topic_allow_declare, conf.web_enabled) == (True, False, False)
    assert (conf.web_tables_enabled, conf.stream_wait_empty) == (False, False)
    assert (conf.broker_session_timeout, conf.producer_request_timeout) == (10, 30)
    assert conf.consumer_auto_offset_reset == "earliest"
    assert conf.processing_guarantee.value == "at_least_once"
    assert conf.broker_commit_every > 10**9
    assert isinstance(app.tables, HarnessTables)
    started = [type(each).__name__ for each in app.on_init_dependencies()]
    assert started == ["Consumer", "AgentManager", "Conductor", "HarnessTables"]
    thread: Any = vars(app.consumer)["_thread"]
    thread.thread_loop.close()


def test_a_build_without_cython_is_refused(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    faust_io._require_cython()
    monkeypatch.setattr("faust.streams._CStreamIterator", None)
    with pytest.raises(SystemExit) as end:
        faust_io._require_cython()
    assert end.value.code == 2
    assert "Cython" in capsys.readouterr().err
