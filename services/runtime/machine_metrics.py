"""Metrics of machines. They are pure and only count; this reads their numbers when somebody asks."""

from abc import abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from typing import Generic, TypeVar
from weakref import WeakValueDictionary

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

M = TypeVar("M")
Rows = Iterable[tuple[Sequence[object], float]]
"""The values of the labels, and the number."""


class MachineCollector(Collector, Generic[M]):
    """Tells of the machines that this process has, the latest of each partition.

    One that was given up to another process is forgotten with its machine: two would tell of it otherwise.
    """

    def __init__(self) -> None:
        self._machines: WeakValueDictionary[int, M] = WeakValueDictionary()

    def watch(self, partition: int, machine: M) -> M:
        """Takes a machine up; it takes the place of an earlier one of its partition."""
        self._machines[partition] = machine
        return machine

    def collect(self) -> Iterator[Metric]:
        """The numbers of all machines, each as it is at this moment."""
        return self.families(dict(self._machines))

    @abstractmethod
    def families(self, machines: dict[int, M]) -> Iterator[Metric]:
        """What there is to tell of the machines, by partition."""


def counter(name: str, text: str, labels: list[str], rows: Rows) -> Metric:
    """A counter; rows of the same labels are added up."""
    family = CounterMetricFamily(name, text, labels=labels)
    for values, total in _summed(rows):
        family.add_metric(values, total)
    return family


def gauge(name: str, text: str, labels: list[str], rows: Rows) -> Metric:
    """A gauge; rows of the same labels are added up."""
    family = GaugeMetricFamily(name, text, labels=labels)
    for values, total in _summed(rows):
        family.add_metric(values, total)
    return family


def _summed(rows: Rows) -> Iterator[tuple[list[str], float]]:
    totals: dict[tuple[str, ...], float] = {}
    for values, number in rows:
        key = tuple(map(str, values))
        totals[key] = totals.get(key, 0) + number
    return ((list(key), total) for key, total in sorted(totals.items()))
