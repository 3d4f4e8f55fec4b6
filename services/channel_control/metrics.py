"""channel_control's metrics."""

from collections import Counter as Tally
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from typing import Final, get_args

from prometheus_client import Counter, Gauge, Histogram
from prometheus_client.core import Metric

from schemas import automation
from schemas.channels import Hold, HoldKind
from services.channel_control.governing.governor import channels, products
from services.channel_control.holding.holds import acts, waits
from services.channel_control.machine import ControlMachine
from services.channel_control.ramps.ramps import is_due
from services.runtime.machine_metrics import MachineCollector, gauge
from services.runtime.metrics import FAST_SECONDS

_P: Final = "tidegate_control_"

CALLS = Counter(
    "tidegate_control_platform_calls_total",
    "Calls of the platform, by what was asked (ask, put) and what came back: ok, or the kind of failure.",
    ["call", "answer"],
)
CALL_SECONDS = Histogram(
    "tidegate_control_platform_call_seconds", "One call, until its answer or its failure.", buckets=FAST_SECONDS
)
CONFIRMATION_SECONDS = Histogram(
    "tidegate_control_confirmation_seconds",
    "From the append of an order that holds a target to the platform showing it, by the kind of the hold.",
    ["kind"],
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60, 600, 3600),
)
for _kind in get_args(HoldKind):
    CONFIRMATION_SECONDS.labels(_kind)
UNFORESEEN = Counter(
    "tidegate_control_unforeseen_errors_total",
    "Bugs that were fenced off so that the rest goes on, by the part that stumbled; the log has each.",
    ["part"],
)
for _part in ("reconciler", "watcher"):
    UNFORESEEN.labels(_part)
DRIFTS = Counter(
    "tidegate_control_drifts_total", "Readings of a settled target that were not as the platform had confirmed."
)
PLATFORM_UP = Gauge(
    "tidegate_control_platform_up", "1 while the platform's last answer was good, 0 while it was not.", ["platform"]
)


class ControlCollector(MachineCollector[ControlMachine]):
    """Tells how the targets stand. confirmed: whether there is any platform, without which nothing ever is. awake:
    whether an indicator looks at a moment; see `Attention`."""

    def __init__(
        self,
        *,
        confirmed: bool = True,
        awake: Callable[[str, datetime], bool] = lambda _, __: True,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        super().__init__()
        self._confirmed = confirmed
        self._awake = awake
        self._now = now

    def families(self, machines: dict[int, ControlMachine]) -> Iterator[Metric]:
        """Gauges, by partition where a whole machine is meant."""

        def each(name: str, text: str, of: Callable[[ControlMachine], float]) -> Metric:
            return gauge(f"{_P}{name}", text, ["partition"], [([at], of(it)) for at, it in machines.items()])

        if self._confirmed:
            text = "Targets whose wanted state the platform has yet to confirm."
            yield each("unconfirmed_targets", text, _unconfirmed)
        yield each("waiting_targets", "Targets with an order that waits for a person's approval.", _waiting)
        yield each("ramping_targets", "Targets with a hold that opens by itself, in steps.", _ramping)
        yield gauge(
            f"{_P}unwatched_targets",
            "Targets that were to open further and do not, since the indicator that would see a relapse sleeps.",
            ["indicator"],
            [([indicator], 1) for it in machines.values() for indicator in self._sleepers(it)],
        )
        yield each("overridden_targets", "Targets that a person keeps running.", _overridden)
        yield each("automation_off", "1 while people have it switched off.", _automation_off)
        yield from _governed(machines.values())
        yield gauge(
            f"{_P}holds",
            "Holds that stand, by what they are on, their kind, and whether they act, wait for people or are masked.",
            ["target_kind", "kind", "state"],
            [row for it in machines.values() for row in _holds(it)],
        )
        yield gauge(
            f"{_P}policy_version",
            "The version of the policy in force on the log of the orders.",
            ["partition"],
            [([at], it.policy_version) for at, it in machines.items() if it.policy_version is not None],
        )

    def _sleepers(self, machine: ControlMachine) -> Iterator[str]:
        """For each target whose next step is due the indicators that it waits for."""
        now = self._now()
        for target in machine.ramping.values():
            if not machine.asks(target, now):
                due = (hold for hold in target.holds if is_due(hold, now) and machine.resumes(target, hold))
                named = {hold.indicator for hold in due if hold.indicator is not None}
                yield from (indicator for indicator in named if not self._awake(indicator, now))


def _governed(machines: Iterable[ControlMachine]) -> Iterator[Metric]:
    stops = [
        (state, asked)
        for it in machines
        if it.governor is not None
        for state, asked in (("granted", it.governor.granted), ("waiting", it.governor.waiting))
    ]
    text = "{} within the governor's limits (granted), or wants to (waiting)."
    yield gauge(
        f"{_P}governed_channels",
        text.format("Channels that automation stops or slows"),
        ["state"],
        [([state], channels(asked)) for state, asked in stops],
    )
    yield gauge(
        f"{_P}governed_products",
        text.format("Products of which automation stops promotions"),
        ["state"],
        [([state], products(asked)) for state, asked in stops],
    )


def _unconfirmed(machine: ControlMachine) -> int:
    return len(machine.unsettled)


def _waiting(machine: ControlMachine) -> int:
    return len(machine.waiting)


def _ramping(machine: ControlMachine) -> int:
    return len(machine.ramping)


def _overridden(machine: ControlMachine) -> int:
    return sum(target.override is not None for target in machine.timed.values())


def _automation_off(machine: ControlMachine) -> bool:
    return bool(machine.target(automation.TARGET).holds)


def _holds(machine: ControlMachine) -> Iterator[tuple[tuple[str, ...], int]]:
    found: Tally[tuple[str, ...]] = Tally()
    for name, target in machine.held.items():
        found.update((name.partition(":")[0], hold.kind, _state(hold)) for hold in target.holds)
    yield from found.items()


def _state(hold: Hold) -> str:
    """`record`: it only tells that it was asked for."""
    if acts(hold):
        return "acting"
    if waits(hold):
        return "waiting"
    return "masked" if hold.masked else "record"
