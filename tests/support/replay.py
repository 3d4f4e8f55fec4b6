"""Does a machine survive being killed anywhere? Drives it as the harness does, without a broker.

@given(logs(), plans())
def test_replay(log, plan):
    assert_replay_safe(lambda: ChannelMachine(0), log, plan)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from hypothesis import strategies as st

from services.runtime.machines.machine import Machine, Output, Record
from services.runtime.machines.snapshots import LogBounds, MachineOnLog


@dataclass(frozen=True, slots=True)
class Plan:
    """Where things happen, each number being "before the n-th record" of the log; numbers past its end do nothing.

    snapshots: one is written. deaths: the process dies and another takes up from the last snapshot; a place named
    twice kills the successor there as well. lost: a snapshot is captured, and the process dies before it is written.
    """

    snapshots: tuple[int, ...] = ()
    deaths: tuple[int, ...] = ()
    lost: tuple[int, ...] = ()


def plans(length: int = 60) -> st.SearchStrategy[Plan]:
    """Plans for logs of about `length` records."""
    places = st.lists(st.integers(0, length), max_size=6).map(lambda numbers: tuple(sorted(numbers)))
    return st.builds(Plan, snapshots=places, deaths=places, lost=places)


@dataclass(slots=True)
class _Run:
    """The process that lives at the moment, and what outlives it."""

    build: Callable[[], Machine]
    log: Sequence[Record]
    stored: dict[bytes, bytes] = field(default_factory=dict)
    committed: int | None = None
    taken_up: int = 0

    def take_up(self) -> MachineOnLog:
        """A fresh machine from what is stored; the order of the snapshot's records is not promised, so it varies."""
        self.taken_up += 1
        keys = sorted(self.stored, reverse=self.taken_up % 2 == 0)
        # The log may have been cut off at the committed offset: nothing before it may be needed.
        start = self.log[0].offset if self.committed is None else self.committed
        bounds = LogBounds(start, self.log[-1].offset + 1, self.committed)
        return MachineOnLog(self.build(), {key: self.stored[key] for key in keys}, bounds)

    def write(self, machine: MachineOnLog) -> None:
        snapshot = machine.capture()
        if snapshot is None:
            return
        assert self.committed is None or snapshot.replay_from >= self.committed, "the rewind point fell"
        for key, value in snapshot.records():
            if value is None:
                self.stored.pop(key, None)
            else:
                self.stored[key] = value
        self.committed = snapshot.replay_from


def outputs_of(build: Callable[[], Machine], log: Sequence[Record]) -> list[tuple[Output, ...]]:
    """What one undisturbed machine says to each record of `log`, whose offsets are contiguous."""
    machine = MachineOnLog(build(), {}, LogBounds(log[0].offset, log[-1].offset + 1)) if log else None
    return [tuple(machine.take(record)) for record in log] if machine else []


def assert_replay_safe(build: Callable[[], Machine], log: Sequence[Record], plan: Plan) -> None:
    """The same log gives the same outputs to each record, however often the machine dies and wherever snapshots fall.

    `build` makes a fresh machine; `log` has contiguous offsets. Raises AssertionError naming the first record that
    was answered otherwise.
    """
    if not log:
        return
    truth = outputs_of(build, log)
    run = _Run(build, log)
    machine = run.take_up()
    deaths = sorted(plan.deaths + plan.lost)
    answered: set[int] = set()
    first = log[0].offset
    while (place := machine.position - first) < len(log):
        if place in plan.snapshots:
            run.write(machine)
        if place in deaths:
            deaths.remove(place)
            if place in plan.lost:
                machine.capture()
            machine = run.take_up()
            continue
        judged = machine.position >= machine.snapshot_at
        given = tuple(machine.take(log[place]))
        wanted = truth[place] if judged else ()
        assert given == wanted, f"offset {log[place].offset}: {given} after a replay, {wanted} before"
        if judged:
            answered.add(place)
    assert answered == set(range(len(log))), "a record was never judged"
