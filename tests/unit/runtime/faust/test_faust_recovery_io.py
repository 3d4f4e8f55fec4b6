"""Partitions are taken up in an order that loses nothing, and not at all when they are gone again."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from faust.tables.recovery import RebalanceAgain, Recovery
from faust.types import TP

from services.runtime.faust import faust_recovery_io
from services.runtime.faust.faust_recovery_io import HarnessRecovery, HarnessTables
from services.runtime.machines.snapshots import LogBounds
from tests.support import toy
from tests.support.ending import Ended, note_ends

LOG = TP(toy.LOG, 0), TP(toy.LOG, 1)


@pytest.fixture(autouse=True)
def ends(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the process was ended for."""
    return note_ends(monkeypatch, faust_recovery_io)


class Scene(HarnessRecovery):
    """The recovery with everything around it noting what it is asked."""

    def __init__(self, overtaken_at: str = "") -> None:
        self.said: list[str] = []
        self._round = 1
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


async def test_partitions_that_are_already_being_revoked_are_not_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    """The generation is still the same: it changes only when the next one is assigned."""
    scene = Scene()
    monkeypatch.setattr(Recovery, "on_rebalance", lambda *_: asyncio.sleep(0))
    await scene.on_rebalance(set(), set(), set(), 3)
    scene.app.rebalancing_count += 1
    await scene._resume_streams(3)
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
