"""Every topic there is: its name, partitions, how long it keeps what, and how large a record may be.

The names are logical; the prefix of the settings is put in front where Kafka is spoken to. All topics carry the
broker's append time, so that a record's timestamp is part of the log and the same in every replay.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

DAY_MS = 86_400_000
FOREVER = -1
MIB = 1024 * 1024
RECORD_BYTES = 4 * MIB
"""The largest value on raw, frames and state topics."""
LARGE_BATCH_BYTES = RECORD_BYTES + 64 * 1024
"""The limit that Kafka applies is on a batch: the largest record with its key, its headers and the batch's own."""

CHANNEL_EVENTS = "channel-events"
COMPLAINT_EVENTS = "complaint-events"
CONVERSION_EVENTS = "conversion-events"
MENTION_EVENTS = "mention-events"
MARKET_EVENTS = "market-events"
RAW_TOPICS = (CHANNEL_EVENTS, COMPLAINT_EVENTS, CONVERSION_EVENTS, MENTION_EVENTS, MARKET_EVENTS)
"""What senders write."""

SUBJECTS = ("channel", "product", "actor", "complaint", "content", "brand", "market")
"""What an indicator can be about; each has a frames topic of its own."""

DEAD_LETTERS = "dead-letters"
POLICY = "policy"
CHANNEL_COMMANDS = "channel-commands"
ALERTS = "alerts"
ALERT_STATE = "alert-state"
CHANNEL_STATE = "channel-state"
READINGS = "readings"
AUDIT = "audit"


def frames(subject: str) -> str:
    """The frames topic of a subject; an unknown subject raises ValueError."""
    if subject not in SUBJECTS:
        raise ValueError(f"no subject is called {subject!r}; there are {', '.join(SUBJECTS)}")
    return f"frames.{subject}"


def indicators_state(subject: str) -> str:
    """The snapshots of the indicators of one subject; an unknown subject raises ValueError."""
    return f"state.indicators.{frames(subject).removeprefix('frames.')}"


FRAMES_TOPICS = tuple(frames(subject) for subject in SUBJECTS)
STATE_CHANNEL_CONTROL = "state.channel_control"
STATE_ALERTING = "state.alerting"
STATE_TOPICS = (*(indicators_state(subject) for subject in SUBJECTS), STATE_CHANNEL_CONTROL, STATE_ALERTING)
"""Snapshots of the machines, one partition for each partition of the machine's log."""


@dataclass(frozen=True, slots=True)
class Topic:
    """One topic as it must be on the cluster.

    `retention_ms` is -1 for ever; `max_message_bytes` bounds a batch, and so a record with all that is around it.
    """

    name: str
    retention_ms: int
    cleanup: Literal["delete", "compact"] = "delete"
    max_message_bytes: int = MIB
    single: bool = False
    """One partition, whatever the settings say: it is small, and its order is one."""

    def partitions(self, count: int) -> int:
        """Its partitions where the settings say `count`."""
        return 1 if self.single else count

    def required(self) -> dict[str, str]:
        """The topic configuration that must be so, as Kafka spells it; another value on the cluster is refused."""
        return {
            "cleanup.policy": self.cleanup,
            "max.message.bytes": str(self.max_message_bytes),
            "message.timestamp.type": "LogAppendTime",
            "retention.bytes": str(FOREVER),
            "retention.ms": str(self.retention_ms),
        }

    def tuning(self) -> dict[str, str]:
        """What we set at creation besides, and an operator may change.

        The cleaner never touches the newest segment. Kafka's default of 1 GB or a week would leave all of a compacted
        topic uncompacted, and a start would read every snapshot of that week.
        """
        if self.cleanup == "delete":
            return {}
        return {"segment.bytes": str(16 * MIB), "segment.ms": str(DAY_MS // 24), "min.cleanable.dirty.ratio": "0.3"}


def _all() -> list[Topic]:
    return [
        # Past what an event may be, so that an oversized one can be explained as a dead letter.
        *(Topic(name, 14 * DAY_MS, max_message_bytes=LARGE_BATCH_BYTES) for name in RAW_TOPICS),
        *(Topic(name, 7 * DAY_MS, max_message_bytes=LARGE_BATCH_BYTES) for name in FRAMES_TOPICS),
        *(Topic(name, FOREVER, "compact", max_message_bytes=LARGE_BATCH_BYTES) for name in STATE_TOPICS),
        Topic(DEAD_LETTERS, 30 * DAY_MS, single=True),
        Topic(POLICY, FOREVER, "compact", single=True),
        Topic(CHANNEL_COMMANDS, 30 * DAY_MS),
        Topic(ALERTS, 30 * DAY_MS),
        Topic(ALERT_STATE, FOREVER, "compact"),
        Topic(CHANNEL_STATE, FOREVER, "compact"),
        Topic(READINGS, 35 * DAY_MS),
        Topic(AUDIT, FOREVER),
    ]


TOPICS: Mapping[str, Topic] = MappingProxyType({topic.name: topic for topic in _all()})
"""The closed registry by logical name."""
