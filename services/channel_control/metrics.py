"""channel_control's metrics."""

from prometheus_client import Counter, Gauge, Histogram

from services.runtime.metrics import FAST_SECONDS

CALLS = Counter(
    "tidegate_control_platform_calls_total",
    "Calls of the platform, by what was asked (ask, put) and what came back: ok, or the kind of failure.",
    ["call", "answer"],
)
CALL_SECONDS = Histogram(
    "tidegate_control_platform_call_seconds", "One call, until its answer or its failure.", buckets=FAST_SECONDS
)
UNCONFIRMED = Gauge(
    "tidegate_control_unconfirmed_targets", "Targets whose wanted state the platform has yet to confirm.", ["partition"]
)
WAITING = Gauge(
    "tidegate_control_waiting_targets", "Targets with an order that waits for a person's approval.", ["partition"]
)
GOVERNED = Gauge(
    "tidegate_control_governed_channels",
    "Channels that automation has stopped or slowed within the governor's limits (granted), or wants to (waiting).",
    ["state"],
)
RAMPS = Gauge("tidegate_control_ramping_targets", "Targets with a hold that opens by itself, in steps.", ["partition"])
OVERRIDES = Gauge("tidegate_control_overridden_targets", "Targets that a person keeps running.", ["partition"])
AUTOMATION_OFF = Gauge("tidegate_control_automation_off", "1 while people have it switched off.", ["partition"])
DRIFTS = Counter(
    "tidegate_control_drifts_total", "Readings of a settled target that were not as the platform had confirmed."
)
PLATFORM_UP = Gauge(
    "tidegate_control_platform_up", "1 while the platform's last answer was good, 0 while it was not.", ["platform"]
)
