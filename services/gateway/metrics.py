"""The gateway's metrics."""

from prometheus_client import Counter, Gauge

EVENTS = Counter(
    "tidegate_gateway_events_total",
    "Events received, by outcome: accepted (acknowledged by the broker), rejected, unacknowledged.",
    ["outcome"],
)
COMPLAINTS = Counter(
    "tidegate_gateway_complaints_total",
    "Complaints through the door, by outcome: accepted (acknowledged by the broker), not_sent (the form was shown "
    "again), too_many, unacknowledged.",
    ["outcome"],
)
IN_WORK_BYTES = Gauge("tidegate_gateway_in_work_bytes", "Bytes of the requests that are being worked on.")
