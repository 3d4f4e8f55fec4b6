"""The indicators' metrics. Machines are pure and only count; this reads their numbers when somebody asks."""

from collections.abc import Iterable, Iterator
from typing import Any

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from services.indicators.machine import IndicatorMachine


class MachineCollector(Collector):
    """Tells of the machines that this process has built, the latest of each partition."""

    def __init__(self) -> None:
        self._machines: dict[int, IndicatorMachine] = {}

    def watch(self, machine: IndicatorMachine) -> IndicatorMachine:
        """Takes a machine up; it takes the place of an earlier one of its partition."""
        self._machines[machine.partition] = machine
        return machine

    def collect(self) -> Iterator[Metric]:
        """The numbers of all machines, each as it is at this moment."""
        machines = list(self._machines.values())
        yield _counter("verdicts", "Verdicts by indicator.", ["indicator", "verdict"], _pairs(machines, "verdicts"))
        yield _counter("alerts", "Alert facts, by what they say.", ["indicator", "status"], _pairs(machines, "alerts"))
        yield _counter("commands", "Commands given.", ["indicator", "command"], _pairs(machines, "commands"))
        yield _counter("shadow_trips", "Trips in shadow, told nobody.", ["indicator"], _singles(machines, "shadow"))
        yield _counter("rule_failures", "Times a rule raised.", ["indicator"], _singles(machines, "failures"))
        refused = [([str(each.partition)], each.seen.refused) for each in machines]
        yield _counter("policies_refused", "Policies that could not be judged by.", ["partition"], refused)
        ledger = [
            ([str(each.partition), fate], count)
            for each in machines
            for fate, count in zip(("folded", "too_late"), each.ledger.totals(), strict=True)
        ]
        yield _counter("events", "Events by fate, over the whole log.", ["partition", "fate"], ledger)
        yield from _gauges(machines)


def _gauges(machines: Iterable[IndicatorMachine]) -> Iterator[Metric]:
    episodes = GaugeMetricFamily("tidegate_indicators_open_episodes", "Episodes that stand.", labels=["partition"])
    clock = GaugeMetricFamily(
        "tidegate_indicators_clock_seconds",
        "The time that the marks have reached, in seconds since the epoch: it stands still when ingest does.",
        labels=["partition"],
    )
    for each in machines:
        episodes.add_metric([str(each.partition)], each.open_episodes)
        if each.standing.clock_ms is not None:
            clock.add_metric([str(each.partition)], each.standing.clock_ms / 1000)
    yield episodes
    yield clock


def _counter(name: str, text: str, labels: list[str], rows: Iterable[tuple[list[str], int]]) -> Metric:
    family = CounterMetricFamily(f"tidegate_indicators_{name}", text, labels=labels)
    totals: dict[tuple[str, ...], int] = {}
    for values, count in rows:
        totals[tuple(values)] = totals.get(tuple(values), 0) + count
    for key, total in sorted(totals.items()):
        family.add_metric(list(key), total)
    return family


def _pairs(machines: Iterable[IndicatorMachine], name: str) -> list[tuple[list[str], int]]:
    return [(list(key), count) for each in machines for key, count in _counts(each, name).items()]


def _singles(machines: Iterable[IndicatorMachine], name: str) -> list[tuple[list[str], int]]:
    return [([key], count) for each in machines for key, count in _counts(each, name).items()]


def _counts(machine: IndicatorMachine, name: str) -> dict[Any, int]:
    """A copy, since the machine goes on counting."""
    return dict(getattr(machine.seen, name))
