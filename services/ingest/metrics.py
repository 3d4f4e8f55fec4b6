"""The metrics of ingest: a closed registry, each with a word on what it is for."""

from prometheus_client import Counter, Gauge, Histogram

from services.runtime.metrics import FAST_SECONDS

RECORDS = Counter(
    "tidegate_ingest_records_total",
    "Records of a raw topic by what became of them: valid, duplicate, dead, control.",
    ["topic", "outcome"],
)
DEAD_LETTERS = Counter(
    "tidegate_ingest_dead_letters_total",
    "Records that are no valid events, by the first thing that is wrong with them.",
    ["topic", "reason"],
)
ROWS = Counter("tidegate_ingest_rows_total", "Rows sent to the frames of a subject.", ["subject"])
FRAMES = Counter("tidegate_ingest_frames_total", "Frames acknowledged, without marks.")
POLL_SECONDS = Histogram(
    "tidegate_ingest_poll_seconds", "From a poll's answer to its last acknowledgement.", buckets=FAST_SECONDS
)
DELAY_SECONDS = Histogram(
    "tidegate_ingest_delay_seconds",
    "From the append time of a poll's oldest record to the acknowledgement of its frames.",
    buckets=(0.005, 0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.25, 0.5, 1, 5, 30),
)
MARKS = Counter("tidegate_ingest_marks_total", "Marks acknowledged, one for all partitions.")
POLICY_VERSION = Gauge("tidegate_ingest_policy_version", "The version of the policy that goes out with the marks.")
PAUSED = Gauge(
    "tidegate_ingest_partition_paused",
    "1 while a source partition is not read because too many of its records are bad.",
    ["topic", "partition"],
)
