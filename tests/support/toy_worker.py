"""A real worker process with a toy machine: `python -m tests.support.toy_worker`, told by TIDEGATE_* and TOY_*.

TOY_MACHINE: Counter or Recent. TOY_BOOM: a file; while it exists, a record `boom` raises. TOY_SNAPSHOT_S,
TOY_SESSION_S, TOY_ACK_S: tuning.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from services.runtime.faust.faust_io import run
from services.runtime.machines.harness_io import Tuning
from services.runtime.machines.machine import Machine, MachineService, Output, Record
from services.runtime.settings import CommonSettings, load
from tests.support import toy


def _build(partition: int) -> Machine:
    machine: toy.Counter = getattr(toy, os.environ.get("TOY_MACHINE", "Counter"))(partition)
    boom = os.environ.get("TOY_BOOM")
    if boom:
        sound = machine.apply

        def apply(record: Record) -> Iterable[Output]:
            if record.value == b"boom" and Path(boom).exists():
                raise RuntimeError("boom")
            return sound(record)

        machine.apply = apply  # type: ignore[method-assign]
    return machine


def main() -> None:
    """Runs until SIGTERM."""
    tuning = Tuning(
        snapshot_s=float(os.environ.get("TOY_SNAPSHOT_S", "10")),
        session_s=float(os.environ.get("TOY_SESSION_S", "6")),
        ack_s=float(os.environ.get("TOY_ACK_S", "60")),
    )
    service = MachineService("toy", toy.LOG, toy.STATE, _build)
    run(service, load(CommonSettings, os.environ), tuning=tuning)


if __name__ == "__main__":
    main()
