"""Alerting's metrics."""

from collections.abc import Iterator

from prometheus_client import Counter, Gauge, Histogram
from prometheus_client.core import Metric

from services.alerting.machine import AlertingMachine
from services.alerting.watching.watch import Look
from services.runtime.machine_metrics import MachineCollector, gauge
from services.runtime.metrics import SLOW_SECONDS

ATTEMPTS = Counter(
    "tidegate_alerting_webhook_attempts_total",
    "Attempts to deliver a message, by receiver and what came back: 2xx, 3xx, 4xx, 5xx, or none.",
    ["receiver", "answer"],
)
ATTEMPT_SECONDS = Histogram(
    "tidegate_alerting_webhook_attempt_seconds",
    "One attempt, until its answer or its failure.",
    ["receiver"],
    buckets=SLOW_SECONDS,
)
DELIVERIES = Counter(
    "tidegate_alerting_deliveries_total",
    "Messages that are no longer due, by outcome: delivered, failed (given up), recorded (there is no receiver).",
    ["outcome"],
)
for _outcome in ("delivered", "failed", "recorded"):
    DELIVERIES.labels(_outcome)
DELAY_SECONDS = Histogram(
    "tidegate_alerting_delivery_delay_seconds",
    "From the moment a message became due to its delivery.",
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 30, 300, 3600, 86_400),
)
TARGET_UP = Gauge(
    "tidegate_alerting_target_up", "1 while a receiver's last answer was good, 0 while it was not.", ["receiver"]
)
HEARTBEATS = Counter(
    "tidegate_alerting_heartbeats_total",
    "Times that the outside watchdog was to be told that alerting gets on, and whether it was.",
    ["told"],
)
WATCHED_LAG = Gauge(
    "tidegate_alerting_watched_lag_records",
    "Records that a service has not committed, by its log and partition; snapshots lie up to ten seconds behind.",
    ["service", "topic", "partition"],
)
UNFORESEEN = Counter(
    "tidegate_alerting_unforeseen_errors_total",
    "Bugs that were fenced off so that the rest goes on, by the part that stumbled; the log has each.",
    ["part"],
)
for _part in ("deliverer", "renderer", "watchdog"):
    UNFORESEEN.labels(_part)


class AlertingCollector(MachineCollector[AlertingMachine]):
    """Tells what the machines have yet to tell people."""

    def families(self, machines: dict[int, AlertingMachine]) -> Iterator[Metric]:
        """By partition."""
        yield gauge(
            "tidegate_alerting_due_messages",
            "Messages that are due and not delivered yet.",
            ["partition"],
            [([partition], each.waiting()) for partition, each in machines.items()],
        )


def expect(receiver: str) -> None:
    """Messages may go there. Of series that begin with the first one nobody can tell that they grew."""
    TARGET_UP.labels(receiver).set(1)
    ATTEMPTS.labels(receiver, "2xx")
    ATTEMPT_SECONDS.labels(receiver)


def show(look: Look) -> None:
    """What the watchdog has seen."""
    for service, places in look.readers.items():
        for (topic, partition), place in places.items():
            WATCHED_LAG.labels(service, topic, partition).set(max(0, place.end - place.position))
