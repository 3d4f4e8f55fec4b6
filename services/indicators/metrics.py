"""The indicators' metrics."""

from collections.abc import Iterable, Iterator
from typing import Any

from prometheus_client.core import Metric

from services.indicators.machine import IndicatorMachine
from services.runtime.machine_metrics import MachineCollector, Rows, counter, gauge

_P = "tidegate_indicators_"


class IndicatorCollector(MachineCollector[IndicatorMachine]):
    """Tells of the machines of one subject."""

    def families(self, machines: dict[int, IndicatorMachine]) -> Iterator[Metric]:
        """Counters are of this process; the gauges tell how the log stands."""
        all_ = list(machines.values())
        yield counter(f"{_P}verdicts", "Verdicts.", ["indicator", "verdict"], _pairs(all_, "verdicts"))
        alerts = [*_none_yet(all_), *_pairs(all_, "alerts")]
        yield counter(f"{_P}alerts", "Alert facts, by what they say.", ["indicator", "status"], alerts)
        yield counter(f"{_P}commands", "Commands given.", ["indicator", "command"], _pairs(all_, "commands"))
        yield counter(f"{_P}shadow_trips", "Trips in shadow, told nobody.", ["indicator"], _singles(all_, "shadow"))
        yield counter(f"{_P}rule_failures", "Times a rule raised.", ["indicator"], _singles(all_, "failures"))
        yield counter(
            f"{_P}policies_refused",
            "Policies that could not be judged by.",
            ["partition"],
            [([partition], each.seen.refused) for partition, each in machines.items()],
        )
        yield counter(
            f"{_P}events",
            "Events by fate, over the whole log.",
            ["partition", "fate"],
            [
                ([partition, fate], count)
                for partition, each in machines.items()
                for fate, count in zip(("folded", "too_late"), each.ledger.totals(), strict=True)
            ],
        )
        yield from _standing(machines)


def _standing(machines: dict[int, IndicatorMachine]) -> Iterator[Metric]:
    yield gauge(
        f"{_P}open_episodes",
        "Episodes that stand.",
        ["partition"],
        [([partition], each.open_episodes) for partition, each in machines.items()],
    )
    yield gauge(
        f"{_P}clock_seconds",
        "The time that the marks have reached, in seconds since the epoch: it stands still when ingest does.",
        ["partition"],
        [
            ([partition], each.standing.clock_ms / 1000)
            for partition, each in machines.items()
            if each.standing.clock_ms is not None
        ],
    )
    yield gauge(
        f"{_P}policy_version",
        "The version of the policy that is judged by.",
        ["partition"],
        [([partition], each.policy_version) for partition, each in machines.items() if each.policy_version is not None],
    )


def _none_yet(machines: Iterable[IndicatorMachine]) -> Rows:
    """Every rule from the start on: of a series that begins with its first alert nobody can tell that it grew."""
    return [((name, status), 0) for each in machines for name in each.indicators for status in ("open", "resolved")]


def _pairs(machines: Iterable[IndicatorMachine], name: str) -> Rows:
    return [(key, count) for each in machines for key, count in _counts(each, name).items()]


def _singles(machines: Iterable[IndicatorMachine], name: str) -> Rows:
    return [([key], count) for each in machines for key, count in _counts(each, name).items()]


def _counts(machine: IndicatorMachine, name: str) -> dict[Any, int]:
    """A copy, since the machine goes on counting."""
    return dict(getattr(machine.seen, name))
