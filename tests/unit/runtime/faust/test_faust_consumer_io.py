"""What stock Faust would lose over a rebalance or commit too early, against the override that prevents it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Future
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka.errors import ConsumerStoppedError
from faust.types import TP

from services.runtime.faust.faust_consumer_io import FULL_S, QUIET_S, Consumer
from services.runtime.settings import CommonSettings
from tests.support import toy
from tests.support.waiting import eventually

LOG = TP(toy.LOG, 0), TP(toy.LOG, 1)


class Fetches(Consumer):
    """A consumer whose fetches and deliveries are scripted."""

    def __init__(self, active: set[TP]) -> None:
        self._active_partitions = active
        self._paused_partitions = set()
        self._buffered_partitions = set()
        self.flow_active = True
        self.app = SimpleNamespace(consumer_generation_id=1, should_stop=False)  # type: ignore[assignment]
        self.asked: list[Any] = []
        self.patience: list[float] = []
        self.delivered: list[Any] = []
        self.found: dict[TP, list[Any]] = {}
        self.while_fetching: Callable[[], object] = lambda: None
        self.on_delivery: Callable[[], object] = lambda: None
        self.fetching: Future[Any] | None = None
        self._thread = SimpleNamespace(fetch=self._fetch)  # type: ignore[assignment]
        self.callback = self._deliver

    def _fetch(self, partitions: Any, timeout: float) -> Future[Any]:
        self.asked.append(partitions)
        self.patience.append(timeout)
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


async def test_a_fetch_ends_soon_only_while_a_partition_is_held_back() -> None:
    consumer = Fetches(set(LOG))
    await consumer._fetch_once()
    consumer._buffered_partitions = {LOG[0]}
    await consumer._fetch_once()
    assert consumer.patience == [QUIET_S, FULL_S], "a quiet process sleeps"


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
