"""Each way in which stock Faust would lose something, against the override that prevents it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka.errors import ConsumerStoppedError
from faust.tables.recovery import RebalanceAgain
from faust.types import TP
from mode.utils.queues import FlowControlEvent, ThrowableQueue

from services.runtime import faust_app_io, faust_io
from services.runtime.faust_app_io import Consumer, HarnessRecovery, HarnessTables, build_app
from services.runtime.harness_io import Harness, Tuning
from services.runtime.health import Health
from services.runtime.machine import MachineService, Record
from services.runtime.pulse import Pulse
from services.runtime.settings import CommonSettings
from services.runtime.snapshots import LogBounds
from tests.support import toy
from tests.support.waiting import eventually

LOG = TP(toy.LOG, 0), TP(toy.LOG, 1)


class Ended(BaseException):
    """Stands for the end of the process."""


@pytest.fixture(autouse=True)
def ends(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the process was ended for."""
    reasons: list[str] = []

    def end(reason: str, error: BaseException | None = None, **_: object) -> None:
        reasons.append(reason)
        raise Ended(reason) from error

    monkeypatch.setattr(faust_io, "end_process", end)
    monkeypatch.setattr(faust_app_io, "end_process", end)
    return reasons


# -- the consumer


class Fetches(Consumer):
    """A consumer whose fetches and deliveries are scripted."""

    def __init__(self, active: set[TP]) -> None:
        self._active_partitions = active
        self._paused_partitions = set()
        self._buffered_partitions = set()
        self.flow_active = True
        self.app = SimpleNamespace(consumer_generation_id=1, should_stop=False)  # type: ignore[assignment]
        self.asked: list[Any] = []
        self.delivered: list[Any] = []
        self.found: dict[TP, list[Any]] = {}
        self.while_fetching: Callable[[], object] = lambda: None
        self.on_delivery: Callable[[], object] = lambda: None
        self.fetching: Future[Any] | None = None
        self._thread = SimpleNamespace(fetch=self._fetch)  # type: ignore[assignment]
        self.callback = self._deliver

    def _fetch(self, partitions: Any, timeout: float) -> Future[Any]:
        self.asked.append(partitions)
        self.while_fetching()
        fetching: Future[Any] = Future()
        if self.fetching is None:
            fetching.set_result(self.found)
        else:
            self.fetching = fetching
        return fetching

    def _to_message(self, tp: TP, record: Any) -> Any:
        return record

    async def _deliver(self, message: Any) -> None:
        self.delivered.append(message)
        self.on_delivery()


async def test_a_fetch_gets_a_copy_that_no_rebalance_can_empty() -> None:
    active = set(LOG)
    consumer = Fetches(active)
    consumer.while_fetching = active.clear
    await consumer._fetch_once()
    assert consumer.asked == [frozenset(LOG)]


async def test_without_partitions_nothing_is_fetched() -> None:
    consumer = Fetches(set())
    await consumer._fetch_once()
    assert consumer.asked == [], "aiokafka would take an empty set for all partitions"


@pytest.mark.parametrize("what", ["generation", "flow"])
async def test_records_of_an_assignment_that_has_ended_are_not_delivered(what: str) -> None:
    consumer = Fetches(set(LOG))
    consumer.found = {LOG[0]: ["first", "second"], LOG[1]: ["third"]}

    def rebalance() -> None:
        if what == "generation":
            consumer.app.consumer_generation_id = 2
        else:
            consumer.flow_active = False

    consumer.on_delivery = rebalance
    await consumer._fetch_once()
    assert consumer.delivered == ["first"]


async def test_records_that_were_fetched_before_a_rebalance_are_not_delivered_after() -> None:
    consumer = Fetches(set(LOG))
    consumer.found = {LOG[0]: ["first"]}
    consumer.while_fetching = lambda: setattr(consumer.app, "consumer_generation_id", 2)
    await consumer._fetch_once()
    assert consumer.delivered == []


async def test_a_fetch_does_not_outlive_the_flow() -> None:
    """It would take the first records of the next assignment, from behind the seek."""
    consumer = Fetches(set(LOG))
    consumer.fetching = Future()
    consumer.can_resume_flow, consumer.suspend_flow = asyncio.Event(), asyncio.Event()
    fetching = asyncio.create_task(consumer._fetch_once())
    await eventually(lambda: bool(consumer.asked), "a fetch is under way")
    consumer.stop_flow()
    await fetching
    assert consumer.fetching.cancelled()


@pytest.mark.parametrize("error", [asyncio.CancelledError, ConsumerStoppedError])
@pytest.mark.parametrize("stopping", [True, False])
async def test_only_our_own_stop_ends_the_fetching_in_silence(error: type[BaseException], stopping: bool) -> None:
    class Failing(Fetches):
        should_stop = False

        async def _fetch_once(self) -> None:
            raise error

    consumer = Failing(set(LOG))
    consumer.app.should_stop = stopping  # type: ignore[misc]
    draining = consumer._drain_messages(SimpleNamespace(should_stop=False))
    if stopping:
        await draining
    else:
        with pytest.raises(error):
            await draining


def test_the_snapshots_decide_what_is_committed() -> None:
    consumer = Fetches(set(LOG))
    consumer._acked = {LOG[0]: [1, 2, 3]}
    consumer._acked_index = {LOG[0]: {1, 2, 3}}
    consumer._gap = {}
    consumer._committed_offset = {LOG[0]: None, LOG[1]: 7}
    harness = SimpleNamespace(service=SimpleNamespace(topic=toy.LOG), committable=lambda: {0: 2, 1: 7})
    consumer.app = SimpleNamespace(kafka_settings=CommonSettings(), harness=harness)  # type: ignore[assignment]
    assert consumer._filter_committable_offsets([LOG[0]]) == {LOG[0]: 2}, "not 4, which was acked"
    assert not consumer._acked, "or it would grow for ever"


# -- the agent


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
            generation_id=generation, partition=0, offset=offset, timestamp=1767225600.001, key=b"k", value=b"v"
        )
        return SimpleNamespace(message=message)

    async def _events(self) -> Any:
        for each in self.events_in:
            yield each
        if self.ending is not None:
            raise self.ending

    async def _handle(self, group: Any) -> None:
        self.handled += [record.offset for _, record in group]
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
    assert [record.offset for _, record in group] == [5, 7]
    flow.control.suspend()
    assert not list(faust_io._group(flow.app, flow.queue, flow.event(8), taken))
    assert [event.message.offset for event in taken] == [5, 7]


async def test_the_append_time_survives_fausts_seconds() -> None:
    flow = Flow()
    ((partition, record),) = faust_io._group(flow.app, flow.queue, flow.event(5), [])
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


# -- taking partitions up


class Scene(HarnessRecovery):
    """The recovery with everything around it noting what it is asked."""

    def __init__(self, overtaken_at: str = "") -> None:
        self.said: list[str] = []
        self.overtaken_at = overtaken_at
        self.failure: dict[str, BaseException] = {}
        say, act = self._say, self._act
        consumer = SimpleNamespace(
            assignment=lambda: set(LOG),
            earliest_offsets=lambda *tps: act("starts", dict.fromkeys(tps, 0)),
            highwaters=lambda *tps: act("ends", dict.fromkeys(tps, 9)),
            seek_to_committed=lambda: act("committed", {LOG[0]: 4, LOG[1]: None}),
            perform_seek=lambda: act("perform seek"),
            seek_wait=lambda wanted: act(f"seek {sorted((tp.partition, at) for tp, at in wanted.items())}"),
            resume_partitions=lambda tps: say(f"resume {len(tps)} partitions"),
            resume_flow=lambda: say("resume flow"),
        )
        harness = SimpleNamespace(load=self._load, activate=lambda: act("activate"), stopping=False)
        self.app: Any = SimpleNamespace(
            consumer=consumer,
            harness=harness,
            consumer_generation_id=3,
            rebalancing_count=1,
            flow_control=SimpleNamespace(resume=lambda: say("resume flow control")),
            on_rebalance_complete=SimpleNamespace(send=lambda: act("complete")),
            on_rebalance_end=lambda: say("end"),
            _fetcher=SimpleNamespace(maybe_start=lambda: act("fetcher")),
        )
        self.tables: Any = SimpleNamespace(on_actives_ready=lambda: None, on_standbys_ready=lambda: None)
        self.completed = asyncio.Event()

    async def _wait(self, coro: Any, timeout: Any = None) -> None:
        await coro

    def _say(self, what: str) -> None:
        self.said.append(what)
        if what == self.overtaken_at:
            self.app.rebalancing_count += 1
        if what in self.failure:
            raise self.failure[what]

    async def _act(self, what: str, answer: Any = None) -> Any:
        self._say(what)
        return answer

    async def _load(self, bounds: dict[int, LogBounds]) -> dict[int, int]:
        assert bounds == {0: LogBounds(0, 9, 4), 1: LogBounds(0, 9, None)}
        self._say("load")
        return {0: 4, 1: 0}


async def test_partitions_are_taken_up_in_this_order() -> None:
    scene = Scene()
    await scene._resume_streams(3)
    assert scene.said[-9:] == [
        "load",
        "resume flow control",  # Faust does that last, which clears queues that were just filled
        "perform seek",
        "seek [(0, 4), (1, 0)]",  # to 0 as well
        "activate",
        "resume 2 partitions",
        "resume flow",
        "fetcher",
        "end",
    ]


@pytest.mark.parametrize("moment", ["complete", "load", "perform seek", "seek [(0, 4), (1, 0)]", "activate"])
async def test_a_flow_that_a_new_rebalance_has_stopped_is_not_resumed(moment: str) -> None:
    scene = Scene(overtaken_at=moment)
    await scene._resume_streams(3)
    assert "resume flow" not in scene.said
    assert not scene.completed.is_set()


async def test_a_generation_that_is_over_is_not_loaded() -> None:
    scene = Scene()
    await scene._resume_streams(2)
    assert "load" not in scene.said


@pytest.mark.parametrize("error", [OSError(), asyncio.CancelledError()])
async def test_a_load_that_fails_ends_the_process(ends: list[str], error: BaseException) -> None:
    scene = Scene()
    scene.failure["load"] = error
    with pytest.raises(Ended):
        await scene._resume_streams(3)
    assert ends == ["partitions could not be taken up"]


async def test_a_load_that_a_rebalance_cancels_does_not(ends: list[str]) -> None:
    scene = Scene()
    scene.failure["load"] = RebalanceAgain()
    with pytest.raises(RebalanceAgain):
        await scene._resume_streams(3)
    scene = Scene(overtaken_at="load")
    scene.failure["load"] = OSError()
    await scene._resume_streams(3)
    assert ends == []


# -- the app


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


async def test_the_tables_start_without_a_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []

    async def note(what: str) -> None:
        said.append(what)

    tables: Any = object.__new__(HarnessTables)
    tables._update_channels = lambda: note("channels")
    tables._recovery = SimpleNamespace(start=lambda: note("recovery"))
    tables.sleep = lambda _: note("sleep")
    await tables.on_start()
    assert said == ["channels", "recovery"]


def test_a_build_without_cython_is_refused(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    faust_io._require_cython()
    monkeypatch.setattr("faust.streams._CStreamIterator", None)
    with pytest.raises(SystemExit) as end:
        faust_io._require_cython()
    assert end.value.code == 2
    assert "Cython" in capsys.readouterr().err
