"""The metrics of the plumbing that all services share: a closed registry, each with a word on what it is for.

A service keeps its own in its `metrics.py`, in the same way: `tidegate_<service>_…`, base units, `_total` for counters,
and only labels with few values (a topic, a partition, a part; never a channel, an IP or an id).
"""

from prometheus_client import Counter, Gauge, Histogram, Info

FAST_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5)
"""Buckets for what should take milliseconds."""
SLOW_SECONDS = (0.1, 0.25, 0.5, 1, 2, 3, 5, 10, 20, 60)
"""Buckets for what people wait for."""

# Kafka

RECORDS_READ = Counter("tidegate_kafka_records_read_total", "Records read, by topic.", ["topic"])
RECORDS_SENT = Counter("tidegate_kafka_records_sent_total", "Records acknowledged by the broker, by topic.", ["topic"])
SEND_SECONDS = Histogram(
    "tidegate_kafka_send_seconds",
    "From handing a batch of outputs to the producer to the last acknowledgement.",
    buckets=FAST_SECONDS,
)
LAG_RECORDS = Gauge(
    "tidegate_kafka_lag_records",
    "Records on a partition that this process owns and has not handled yet.",
    ["topic", "partition"],
)
BROKER_UP = Gauge("tidegate_kafka_up", "1 while the broker answers this process, 0 while it is waited for.")

# Machines: the harness of the stateful services

APPLY_SECONDS = Histogram(
    "tidegate_machine_apply_seconds", "A machine's work on one batch of records.", ["topic"], buckets=FAST_SECONDS
)
DELAY_SECONDS = Histogram(
    "tidegate_machine_delay_seconds",
    "From a record's append time to the acknowledgement of its outputs.",
    ["topic"],
    buckets=(0.005, 0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.25, 0.5, 1, 5, 30),
)
SNAPSHOT_SECONDS = Histogram(
    "tidegate_snapshot_seconds", "One snapshot transaction, begin to commit.", ["topic"], buckets=FAST_SECONDS
)
SNAPSHOT_RECORDS = Counter("tidegate_snapshot_records_total", "Records written in snapshots.", ["topic"])
SNAPSHOT_BYTES = Counter("tidegate_snapshot_bytes_total", "Keys and values written in snapshots.", ["topic"])
LOAD_SECONDS = Histogram(
    "tidegate_machine_load_seconds",
    "From a partition's assignment to its machine being ready to go on.",
    ["topic"],
    buckets=SLOW_SECONDS,
)

RECOVERY_SECONDS = Histogram(
    "tidegate_machine_recovery_seconds",
    "From a partition's assignment to the last of the records that lay on its log then being applied.",
    ["topic"],
    buckets=SLOW_SECONDS,
)

# HTTP

HTTP_SECONDS = Histogram(
    "tidegate_http_request_seconds",
    "From a request's head to the end of its answer, by the template of its route and the status code.",
    ["route", "status"],
    buckets=FAST_SECONDS,
)

# The process

BUILD = Info("tidegate_build", "Always 1; the release that runs.")

PART_OK = Gauge("tidegate_health_part_ok", "1 while this part of the process reports that it is well.", ["part"])
