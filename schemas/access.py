"""Who reads and writes what: one row for each principal of Kafka, from which its rights are derived.

The least that each needs. Who writes a topic may not read it unless its row says so, and nothing but ingest, and people
who account for history, sees raw events, where personal data is. Names are logical, as in `topics`: the prefix of the
settings comes in front of every topic, group and transaction.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final, Literal

from schemas.topics import (
    ALERT_STATE,
    ALERTS,
    AUDIT,
    CHANNEL_COMMANDS,
    CHANNEL_STATE,
    DEAD_LETTERS,
    FRAMES_TOPICS,
    POLICY,
    RAW_TOPICS,
    READINGS,
    STATE_ALERTING,
    STATE_CHANNEL_CONTROL,
    STATE_TOPICS,
    SUBJECTS,
    TOPICS,
    frames,
    indicators_state,
)

Operation = Literal["Create", "Describe", "DescribeConfigs", "Read", "Write"]
"""As Kafka spells them."""
Resource = Literal["group", "topic", "transactionalId"]

INGEST_GROUP: Final = "ingest"
POLICY_WRITER: Final = "policy"
"""The transactional id of whoever changes the policy."""
POLICY_TOPICS: Final = (POLICY, AUDIT, ALERTS)
"""What is written with a new policy, besides the commands."""
EVERY_TOPIC: Final = tuple(TOPICS)
NOTHING_PERSONAL: Final = tuple(topic for topic in TOPICS if topic not in (*RAW_TOPICS, DEAD_LETTERS))
"""Those in which nothing personal may be: what ingest writes, save for what it rejects, and what comes of it."""


@dataclass(frozen=True, slots=True)
class Right:
    """What may be done to one resource, or with `prefixed` to all whose name begins so."""

    resource: Resource
    name: str
    operations: tuple[Operation, ...]
    prefixed: bool = False


@dataclass(frozen=True, slots=True)
class Access:
    """One principal.

    compares: topics whose settings it looks at besides those that it reads or writes, since a start with others than
    ours is refused. joins: its consumer group. watches: groups whose progress it looks at. transactions: what its
    transactional ids begin with, or with `one_transaction` the only one. creates: topics that are missing.
    """

    name: str
    reads: tuple[str, ...] = ()
    writes: tuple[str, ...] = ()
    compares: tuple[str, ...] = ()
    joins: str | None = None
    watches: tuple[str, ...] = ()
    transactions: str | None = None
    one_transaction: bool = False
    creates: bool = False

    def rights(self) -> Iterator[Right]:
        """In the order of the topics, then groups, then transactions.

        An idempotent producer needs no right of its own, and who may read or write may describe (both since Kafka 2.8).
        """
        seen = {*self.reads, *self.writes, *self.compares}
        yield from (Right("topic", topic, self._operations(topic)) for topic in EVERY_TOPIC if topic in seen)
        if self.joins is not None:
            yield Right("group", self.joins, ("Describe", "Read"))
        yield from (Right("group", group, ("Describe",)) for group in self.watches if group != self.joins)
        if self.transactions is not None:
            own: tuple[Operation, ...] = ("Describe", "Write")
            yield Right("transactionalId", self.transactions, own, prefixed=not self.one_transaction)

    def _operations(self, topic: str) -> tuple[Operation, ...]:
        wanted: tuple[tuple[Operation, bool], ...] = (
            ("Create", self.creates),
            ("Describe", True),
            ("DescribeConfigs", True),
            ("Read", topic in self.reads),
            ("Write", topic in self.writes),
        )
        return tuple(operation for operation, has in wanted if has)


def _machine(name: str, log: str, state: str, writes: tuple[str, ...], reads: tuple[str, ...] = ()) -> Access:
    """A machine on a log: it also keeps snapshots, in transactions of its own, and compares all topics at its start."""
    return Access(name, (log, state, *reads), (state, *writes), EVERY_TOPIC, joins=name, transactions=f"{name}-")


def indicators(subject: str) -> str:
    """The name of the indicators of one subject, which is also their group's."""
    return f"indicators-{subject}"


def _services() -> Iterator[Access]:
    # Its door for complaints promises an answer by what the policy says.
    yield Access("gateway", (POLICY,), RAW_TOPICS)
    yield Access(
        "ingest", (*RAW_TOPICS, POLICY), (*FRAMES_TOPICS, DEAD_LETTERS), compares=EVERY_TOPIC, joins=INGEST_GROUP
    )
    for each in SUBJECTS:
        yield _machine(
            indicators(each), frames(each), indicators_state(each), (CHANNEL_COMMANDS, ALERTS, AUDIT, READINGS)
        )
    yield _machine(
        "channel_control",
        CHANNEL_COMMANDS,
        STATE_CHANNEL_CONTROL,
        (CHANNEL_COMMANDS, CHANNEL_STATE, ALERTS, AUDIT),
        reads=(READINGS,),
    )
    alerting = _machine(
        # Its watchdog looks at the marks in the frames of the first subject, and at how far everybody is.
        "alerting",
        ALERTS,
        STATE_ALERTING,
        (ALERTS, ALERT_STATE, AUDIT),
        reads=(POLICY, FRAMES_TOPICS[0]),
    )
    yield replace(alerting, watches=(INGEST_GROUP, *map(indicators, SUBJECTS), "channel_control"))
    yield Access(
        # What changes the policy does so in one transaction, at the console as on the command line.
        "console",
        (CHANNEL_STATE, ALERT_STATE, AUDIT, POLICY, DEAD_LETTERS, READINGS),
        (CHANNEL_COMMANDS, *POLICY_TOPICS),
        transactions=POLICY_WRITER,
        one_transaction=True,
    )


def _people() -> Iterator[Access]:
    """The command line, and what runs beside the services."""
    yield Access("topics", compares=EVERY_TOPIC, creates=True)
    yield Access(
        "policy",
        (POLICY,),
        (CHANNEL_COMMANDS, *POLICY_TOPICS),
        transactions=POLICY_WRITER,
        one_transaction=True,
    )
    # `dead-letters open`, which takes ingest's key besides
    yield Access("letters", (DEAD_LETTERS,))
    # `audit heads`, `audit verify` and `audit export`
    yield Access("audit", (AUDIT,))
    # `explain`, `incident`, `drill take-down` and `drill outage`
    yield Access("analyst", (POLICY, ALERTS, ALERT_STATE, CHANNEL_STATE, AUDIT, READINGS))
    # `drill leak`, which searches all that must hold nothing personal
    yield Access("leak-drill", NOTHING_PERSONAL)
    # `archive`, `backtest`, `ledger` and `verify`, which go back to raw events.
    yield Access("history", (*RAW_TOPICS, *STATE_TOPICS, POLICY, CHANNEL_COMMANDS), watches=(INGEST_GROUP,))
    # Whoever adds workers where a group is behind.
    groups = (INGEST_GROUP, *map(indicators, SUBJECTS))
    yield Access("scaler", compares=(*RAW_TOPICS, *FRAMES_TOPICS), watches=groups)


SERVICES: Final[Mapping[str, Access]] = MappingProxyType({each.name: each for each in _services()})
"""By the name of the service; the indicators of each subject are one."""
PEOPLE: Final[Mapping[str, Access]] = MappingProxyType({each.name: each for each in _people()})
"""By what is done."""
EVERYONE: Final[Mapping[str, Access]] = MappingProxyType({**SERVICES, **PEOPLE})
