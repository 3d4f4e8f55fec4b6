"""What the stand-in platform keeps: the state of each target, the faults it was told to make, and the calls it got."""

import json
from collections import deque
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from schemas.channels import WantedState

MAX_CALLS = 10_000


class Fault(BaseModel):
    """One way to go wrong, `times` times, or until it is cleared.

    fail: answers `status` and does nothing. stall: does what it is asked, and answers, only after `seconds`.
    forget: says that it did it, and did not. lose: does it, and breaks the connection instead of answering.
    """

    model_config = ConfigDict(extra="forbid")

    kind: Literal["fail", "stall", "forget", "lose"]
    method: Literal["GET", "PUT", "any"] = "any"
    target: str | None = None
    times: Annotated[int, Field(ge=1)] | None = None
    status: Annotated[int, Field(ge=300, le=599)] = 503
    retry_after: Annotated[int, Field(ge=0)] | None = None
    seconds: Annotated[float, Field(ge=0)] = 30.0

    def is_for(self, method: str, target: str) -> bool:
        """Whether it strikes this call."""
        return self.method in ("any", method) and self.target in (None, target)


@dataclass(slots=True)
class Call:
    """One call as it came in, and what became of it; `answered` is None while it is under way, 0 if never."""

    n: int
    at: str
    method: str
    target: str
    generation: int | None = None
    status: str | None = None
    factor: float | None = None
    idempotency_key: str | None = None
    fault: str | None = None
    applied: bool = False
    answered: int | None = None


@dataclass
class PlatformState:
    """`file`, if given, keeps the targets over a restart."""

    file: Path | None = None
    targets: dict[str, WantedState] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    calls: deque[Call] = field(default_factory=lambda: deque(maxlen=MAX_CALLS))
    count: int = 0

    def load(self) -> None:
        """Takes over what the file holds, if it is there. Raises ValueError for a file of something else."""
        if self.file is not None and self.file.exists():
            kept = json.loads(self.file.read_text("utf-8"))
            self.targets = {name: WantedState.model_validate(state) for name, state in kept.items()}

    def begin(self, method: str, target: str, idempotency_key: str | None = None) -> Call:
        """Notes a call."""
        self.count += 1
        at = datetime.now(UTC).isoformat(timespec="milliseconds")
        call = Call(self.count, at, method, target, idempotency_key=idempotency_key)
        self.calls.append(call)
        return call

    def strike(self, method: str, target: str) -> Fault | None:
        """The fault that this call meets, used up once."""
        for number, fault in enumerate(self.faults):
            if fault.is_for(method, target):
                if fault.times == 1:
                    del self.faults[number]
                elif fault.times is not None:
                    self.faults[number] = fault.model_copy(update={"times": fault.times - 1})
                return fault
        return None

    def put(self, wanted: WantedState) -> bool:
        """Takes an order; False if a newer one is here already. The same order again changes nothing."""
        present = self.targets.get(wanted.target)
        if present is not None and wanted.generation < present.generation:
            return False
        self.targets[wanted.target] = wanted
        self._keep()
        return True

    def forget_all(self) -> None:
        """Loses every target."""
        self.targets.clear()
        self._keep()

    def log(self, after: int) -> list[dict[str, Any]]:
        """The calls that came after call number `after`."""
        return [asdict(call) for call in self.calls if call.n > after]

    def _keep(self) -> None:
        if self.file is None:
            return
        text = json.dumps({name: state.model_dump(mode="json") for name, state in self.targets.items()})
        half = self.file.with_suffix(".new")
        half.write_text(text, "utf-8")
        half.replace(self.file)  # whole or not at all
