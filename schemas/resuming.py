"""Resuming: how a hold that an indicator placed is opened again once its trouble has eased, by the policy."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Annotated, Any, Final

from pydantic import AfterValidator, BeforeValidator

from schemas.channels import HoldKind
from schemas.closed import Closed, Duration

GUARDRAIL_PAUSES: Final = frozenset({"complaint_volume", "complaint_rate"})
"""The indicators whose pauses protect customers; every take-down does."""


def is_guardrail(indicator: str, kind: str) -> bool:
    """Whether such a hold protects customers, rather than slowing on a signal."""
    return kind == "take_down" or (kind == "pause" and indicator in GUARDRAIL_PAUSES)


def _steps(value: list[float]) -> list[float]:
    if not value or any(not 0 < each <= 1 for each in value) or value != sorted(set(value)) or value[-1] != 1:
        raise ValueError("must be rising shares of the traffic that end with 1.0, such as [0.25, 0.5, 1.0]")
    return value


def _auto(value: Any) -> Any:
    """Says in one sentence what a union would say in several."""
    wrong = value.values() if isinstance(value, dict) else [value]
    if value is not None and not all(isinstance(each, bool) for each in wrong):
        raise ValueError("is true, false, or a mapping from throttle, pause, freeze and take_down to these")
    return value


def _some_time(value: timedelta) -> timedelta:
    if not timedelta(0) < value <= timedelta(days=30):
        raise ValueError("must be more than nothing and at most 30d")
    return value


Steps = Annotated[list[float], AfterValidator(_steps)]
SomeTime = Annotated[Duration, AfterValidator(_some_time)]
Auto = Annotated[bool | dict[HoldKind, bool] | None, BeforeValidator(_auto)]


class ResumePolicy(Closed):
    """What the policy says of resuming, for one indicator or one subject. What is left out is as for Resume."""

    steps: Steps | None = None
    watch: SomeTime | None = None
    wait: SomeTime | None = None
    longest_wait: SomeTime | None = None
    auto: Auto = None
    """Whether a hold opens by itself, for all kinds or by kind; else a person lifts it."""


class Resume(Closed):
    """How one kind of hold of one indicator is resumed."""

    steps: Steps = [0.25, 0.5, 1.0]
    """Shares of the traffic: a quarter is enough to see whether the trouble comes back, and harms a quarter as much."""
    watch: SomeTime = timedelta(minutes=10)
    """Per step, and after the last: two panes of five minutes, so that one closes with nothing but that step in it."""
    wait: SomeTime = timedelta(minutes=10)
    """From the end of the episode (which itself takes `clear.hold`) to the first step; doubles with each relapse."""
    longest_wait: SomeTime = timedelta(hours=4)
    """A relapse that would make the wait longer needs a person: after five in a row with the defaults."""
    auto: bool = True


def resume_of(layers: Sequence[ResumePolicy], indicator: str, kind: HoldKind) -> Resume:
    """What is said later stands over what is said earlier. Where nothing is said a guardrail needs a person."""
    auto = not is_guardrail(indicator, kind)
    said: dict[str, Any] = {}
    for layer in layers:
        said |= {name: value for name, value in layer if name != "auto" and value is not None}
        own = layer.auto.get(kind) if isinstance(layer.auto, dict) else layer.auto
        auto = auto if own is None else own
    return Resume.model_validate({**said, "auto": auto})
