"""The order of things in the harness, with Kafka and Faust replaced by what notes the calls."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Sequence
from types import SimpleNamespace
from typing import Any

import pytest
from prometheus_client import REGISTRY

from services.runtime.health import Health
from services.runtime.machines import harness_io
from services.runtime.machines.harness_io import Harness, Tuning
from services.runtime.machines.machine import Machine, MachineService, Output, Record
from services.runtime.machines.snapshots import LogBounds, MachineOnLog, Snapshot
from services.runtime.settings import CommonSettings
from services.runtime.tracing.traces import Headers
from tests.support import toy
from tests.support.ending import Ended, note_ends
from tests.support.waiting import eventually

EMPTY = LogBounds(0, 100)


class Store:
    """Snapshots in memory."""

    def __init__(self, said: list[str]) -> None:
        self.said = said
        self.records: dict[bytes, bytes] = {}
        self.failure: Exception | None = None

    async def take_over(self, partition: int) -> dict[bytes, bytes]:
        self.said.append(f"take over {partition}")
        return dict(self.records)

    async def write(self, partition: int, snapshot: Snapshot) -> None:
        if self.failure is not None:
            raise self.failure
        self.said.append(f"write {partition} at {snapshot.next_offset}")

    async def close(self) -> None:
        self.said.append("release")


class Outputs:
    """Sends nothing, and acknowledges when it may."""

    def __init__(self, said: list[str]) -> None:
        self.said = said
        self.may = asyncio.Event()
        self.may.set()
        self.failure: Exception | None = None

    async def start(self) -> None:
        self.said.append("start")

    async def stop(self) -> None:
        self.said.append("stop")

    async def send(self, outputs: Sequence[Output], patience_s: float) -> None:
        self.said.append(f"send {len(outputs)}")
        await self.may.wait()
        if self.failure is not None:
            raise self.failure
        self.said.append("acknowledged")


class Companion:
    """Notes what it is told."""

    def __init__(self, said: list[str]) -> None:
        self.said = said

    async def start(self, partition: int, machine: Machine) -> None:
        self.said.append(f"companion starts {partition}")

    async def stop(self, partition: int) -> None:
        self.said.append(f"companion stops {partition}")

    def kick(self, partition: int) -> None:
        self.said.append(f"kick {partition}")


class Stage:
    """A harness and what happened to it."""

    def __init__(self, tuning: Tuning, build: Any = toy.Counter) -> None:
        self.said: list[str] = []
        self.built: list[Machine] = []
        self.store, self.outputs = Store(self.said), Outputs(self.said)

        def built(partition: int) -> Machine:
            self.built.append(build(partition))
            return self.built[-1]

        service = MachineService("toy", toy.LOG, toy.STATE, built, Companion(self.said))
        self.harness = Harness(service, CommonSettings(), tuning, Health())
        parts: Any = self.harness
        parts._snapshots, parts._outputs = self.store, self.outputs

    async def own(self, *partitions: int) -> None:
        await self.harness.load(dict.fromkeys(partitions, EMPTY))
        await self.harness.activate()
        self.said.clear()


@pytest.fixture(autouse=True)
def ends(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the process was ended for."""
    return note_ends(monkeypatch, harness_io)


def records(*offsets: int, partition: int = 0, headers: Headers = ()) -> Iterator[tuple[int, Record, Headers]]:
    return iter([(partition, Record(offset, 0, b"a", b""), headers) for offset in offsets])


async def test_it_returns_only_when_all_outputs_are_acknowledged() -> None:
    stage = Stage(Tuning())
    await stage.own(0)
    stage.outputs.may.clear()
    handling = asyncio.create_task(stage.harness.handle(records(0, 1)))
    await eventually(lambda: "send 2" in stage.said, "the outputs leave")
    assert not handling.done()
    stage.outputs.may.set()
    await handling
    assert stage.said == ["send 2", "acknowledged", "kick 0"]


async def test_a_snapshot_waits_for_the_group_under_way() -> None:
    """Or it would count records whose outputs are not out yet, and a death would lose those."""
    stage = Stage(Tuning())
    await stage.own(0)
    stage.outputs.may.clear()
    handling = asyncio.create_task(stage.harness.handle(records(0, 1)))
    await eventually(lambda: "send 2" in stage.said, "the outputs leave")
    revoking = asyncio.create_task(stage.harness.revoke())
    await asyncio.sleep(0.01)
    assert not any(each.startswith("write") for each in stage.said)
    stage.outputs.may.set()
    await asyncio.gather(handling, revoking)
    assert stage.said[-4:] == ["acknowledged", "kick 0", "write 0 at 2", "release"]


async def test_a_group_ends_at_its_size_and_leaves_the_rest() -> None:
    stage = Stage(Tuning(group_records=2))
    await stage.own(0)
    rest = records(0, 1, 2)
    await stage.harness.handle(rest)
    assert [record.offset for _, record, _ in rest] == [2]


async def test_records_of_partitions_that_are_not_ours_are_dropped() -> None:
    stage = Stage(Tuning())
    await stage.own(0)
    await stage.harness.handle(records(0, partition=1))
    assert stage.said == ["send 0", "acknowledged"]
    await stage.harness.revoke()
    stage.said.clear()
    await stage.harness.handle(records(0))
    assert "kick 0" not in stage.said


async def test_every_load_is_afresh() -> None:
    stage = Stage(Tuning())
    await stage.own(0)
    await stage.harness.handle(records(0))
    await stage.harness.load({0: EMPTY})
    assert len(stage.built) == 2
    assert stage.said[-2:] == ["release", "take over 0"]
    await stage.harness.handle(records(0))  # offset 0 is what a fresh machine needs
    assert stage.harness.partitions() == [0]


async def test_recovery_ends_with_the_last_record_that_was_there() -> None:
    def recovered() -> float:
        return REGISTRY.get_sample_value("tidegate_machine_recovery_seconds_count", {"topic": toy.LOG}) or 0

    stage, before = Stage(Tuning()), recovered()
    await stage.harness.load({0: LogBounds(0, 2)})
    await stage.harness.activate()
    await stage.harness.handle(records(0))
    assert recovered() == before
    await stage.harness.handle(records(1))
    await stage.harness.handle(records(2))
    assert recovered() == before + 1
    await stage.harness.load({0: LogBounds(0, 0)})
    await stage.harness.activate()
    assert recovered() == before + 2


async def test_the_companion_lives_between_load_and_release() -> None:
    stage = Stage(Tuning())
    await stage.harness.load({0: EMPTY, 1: EMPTY})
    assert not any(each.startswith("companion") for each in stage.said)
    await stage.harness.activate()
    assert stage.said[-2:] == ["companion starts 0", "companion starts 1"]
    await stage.harness.handle(records(0))
    await stage.harness.close()
    assert [each for each in stage.said if not each.startswith(("send", "ack"))][-6:] == [
        "kick 0",
        "companion stops 0",
        "companion stops 1",
        "write 0 at 1",
        "release",
        "stop",
    ]


async def test_only_what_a_snapshot_holds_may_be_committed() -> None:
    stage = Stage(Tuning(), toy.Recent)
    await stage.own(0)
    commits: list[dict[int, int]] = []

    async def commit() -> None:
        commits.append(stage.harness.committable())

    stage.harness.commit = commit
    await stage.harness.handle(records(*range(100)))
    assert stage.harness.committable() == {}
    await stage.harness.revoke()
    assert commits == [{0: 60}]


async def test_snapshots_come_by_themselves_while_the_log_moves() -> None:
    stage = Stage(Tuning(snapshot_s=0.01))
    await stage.own(0)
    await stage.harness.handle(records(0))
    await eventually(lambda: "write 0 at 1" in stage.said, "a snapshot")
    await asyncio.sleep(0.05)
    assert stage.said.count("write 0 at 1") == 1
    await stage.harness.revoke()


@pytest.mark.parametrize(
    ("offsets", "reason"), [((1,), "GapError: offset 1"), ((0, 2), "GapError: offset 2")], ids=["first", "later"]
)
async def test_a_gap_ends_the_process_before_anything_is_sent(
    ends: list[str], offsets: tuple[int, ...], reason: str
) -> None:
    stage = Stage(Tuning())
    await stage.own(0)
    with pytest.raises(Ended):
        await stage.harness.handle(records(*offsets))
    assert ends[0].startswith(reason)
    assert stage.said == []


@pytest.mark.parametrize("error", [RuntimeError, asyncio.CancelledError, SystemExit])
async def test_whatever_escapes_a_machine_ends_the_process(ends: list[str], error: type[BaseException]) -> None:
    class Failing(toy.Counter):
        def apply(self, record: Record) -> Sequence[Output]:
            raise error

    stage = Stage(Tuning(), Failing)
    await stage.own(0)
    with pytest.raises(Ended):
        await stage.harness.handle(records(0))
    assert ends == ["a record could not be applied"]


async def test_outputs_without_acknowledgement_end_the_process(ends: list[str]) -> None:
    stage = Stage(Tuning())
    await stage.own(0)
    stage.outputs.failure = TimeoutError()
    with pytest.raises(Ended):
        await stage.harness.handle(records(0))
    assert ends == ["outputs were not acknowledged"]


async def test_a_snapshot_that_fails_ends_the_process(ends: list[str]) -> None:
    stage = Stage(Tuning())
    await stage.own(0)
    await stage.harness.handle(records(0))
    stage.store.failure = OSError()
    with pytest.raises(Ended):
        await stage.harness.revoke()
    assert ends == ["a snapshot could not be written"]


async def test_a_log_that_does_not_fit_ends_the_process(ends: list[str]) -> None:
    stage = Stage(Tuning())
    with pytest.raises(Ended):
        await stage.harness.load({0: LogBounds(0, 9, committed=4)})
    assert ends[0].startswith("LostSnapshotError")


async def test_ownership_is_checked_before_outputs_leave() -> None:
    """A process that is frozen while it applies must not send what another has answered since."""
    stage = Stage(Tuning())
    await stage.own(0)
    checks = iter([None, Ended("frozen")])

    def check() -> None:
        failure = next(checks)
        if failure is not None:
            raise failure

    stage.harness.check_ownership = check
    with pytest.raises(Ended):
        await stage.harness.handle(records(0))
    assert stage.said == []


async def test_a_partition_that_stands_still_ends_the_process(ends: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    now = time.monotonic()
    monkeypatch.setattr(harness_io, "time", SimpleNamespace(monotonic=lambda: now, perf_counter=time.perf_counter))
    stage = Stage(Tuning(stall_s=10))
    await stage.own(0)
    stage.harness.observe({0: 0})
    now += 11
    stage.harness.observe({0: 0})  # nothing to read: no stall
    stage.harness.observe({0: 5})
    assert ends == []
    now += 11
    with pytest.raises(Ended):
        stage.harness.observe({0: 5})
    assert ends == ["no progress although there are records"]


class Noting:
    """Notes the records whose span would begin and end."""

    def __init__(self, said: list[str]) -> None:
        self.said = said

    def since(self) -> int:
        return 1

    def note(self, partition: int, record: Record, headers: Headers, outputs: Any, since_ns: int) -> Any:
        self.said.append(f"span of {partition}/{record.offset} in {len(headers)}")
        return outputs

    def exemplar(self, partition: int, record: Record) -> dict[str, str]:
        self.said.append(f"exemplar of {partition}/{record.offset}")
        return {"trace_id": "1"}

    def end(self) -> None:
        self.said.append("spans end")


async def test_spans_last_until_the_acknowledgement_and_records_that_are_folded_again_have_none() -> None:
    stage = Stage(Tuning(), toy.Recent)
    before = MachineOnLog(toy.Recent(0), {}, EMPTY)
    for offset in range(3):
        before.take(Record(offset, 0, b"a", b""))
    snapshot = before.capture()
    assert snapshot is not None
    stage.store.records = {key: value for key, value in snapshot.records() if value is not None}
    await stage.own(0)
    parts: Any = stage.harness
    parts._spans = Noting(stage.said)
    await stage.harness.handle(records(0, 1, 2, 3, headers=(("traceparent", b""),)))
    assert stage.said == [
        *("span of 0/3 in 1", "send 1", "acknowledged", "exemplar of 0/3", "kick 0", "spans end"),
    ]
