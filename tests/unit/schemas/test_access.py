"""Who may read and write what."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from schemas import access, topics
from schemas.access import EVERY_TOPIC, EVERYONE, PEOPLE, SERVICES, Access, Right
from services.indicators.machine import STORES
from services.ingest.sources.group_io import GROUP
from services.policies.changing_io import WRITER

ROOT = Path(__file__).resolve().parents[3]
ROOMS = {name: ("indicators" if name.startswith("indicators-") else name) for name in SERVICES}
PERSONAL = {*topics.RAW_TOPICS, topics.DEAD_LETTERS}


def readers(topic: str) -> set[str]:
    return {name for name, each in SERVICES.items() if topic in each.reads}


def writers(topic: str) -> set[str]:
    return {name for name, each in SERVICES.items() if topic in each.writes}


def named_in(room: str) -> Iterator[str]:
    """The topics that a service's code names."""
    for path in (ROOT / "services" / room).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module == "schemas.topics":
                values = [getattr(topics, alias.name) for alias in node.names]
            elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "topics":
                values = [getattr(topics, node.attr, None)]
            else:
                continue
            for value in values:
                found = value if isinstance(value, tuple) else (value,)
                yield from (each for each in found if each in EVERY_TOPIC)


def test_every_topic_has_writers_and_readers() -> None:
    state = set(topics.STATE_TOPICS)
    for topic in EVERY_TOPIC:
        written = writers(topic) | {name for name, each in PEOPLE.items() if topic in each.writes}
        assert written, topic
        assert readers(topic), topic
        if topic in state:
            assert written == readers(topic), "snapshots are their machine's alone"
            assert len(written) == 1


def test_raw_events_end_in_ingest() -> None:
    for topic in topics.RAW_TOPICS:
        assert readers(topic) == {"ingest"}
        assert writers(topic) == {"gateway"}
    assert {name for name, each in PEOPLE.items() if PERSONAL & {*each.reads}} == {"history", "letters"}
    assert {*PEOPLE["leak-drill"].reads} == {*EVERY_TOPIC} - PERSONAL


def test_only_ingest_writes_frames_and_only_one_reads_each() -> None:
    for subject in topics.SUBJECTS:
        topic = topics.frames(subject)
        assert writers(topic) == {"ingest"}
        assert readers(topic) - {"alerting"} == {access.indicators(subject)}


def test_only_channel_control_says_what_is_held_and_only_alerting_what_is_alerted() -> None:
    assert writers(topics.CHANNEL_STATE) == {"channel_control"}
    assert writers(topics.ALERT_STATE) == {"alerting"}
    people = {"console", "policy"}
    assert {name for name, each in EVERYONE.items() if topics.POLICY in each.writes} == people
    assert {EVERYONE[name].transactions for name in people} == {access.POLICY_WRITER}, "they fence each other"
    assert {name for name, each in EVERYONE.items() if each.creates} == {"topics"}


@pytest.mark.parametrize("name", SERVICES)
def test_what_the_code_of_a_service_names_it_may_use(name: str) -> None:
    row = SERVICES[name]
    assert {*named_in(ROOMS[name])} <= {*row.reads, *row.writes, *row.compares}


def test_groups_and_transactions_are_those_of_the_code() -> None:
    assert access.INGEST_GROUP == GROUP
    assert access.POLICY_WRITER == WRITER
    assert {access.indicators(subject) for subject in STORES} == {name for name in SERVICES if ROOMS[name] != name}
    groups = [each.joins for each in EVERYONE.values() if each.joins is not None]
    assert len(groups) == len({*groups})


def test_no_transaction_is_within_the_reach_of_another() -> None:
    owners = [each for each in EVERYONE.values() if each.transactions not in (None, access.POLICY_WRITER)]
    owners.append(PEOPLE["policy"])
    for one in owners:
        for other in owners:
            assert one is other or not str(other.transactions).startswith(str(one.transactions))


def test_the_rights_of_a_row() -> None:
    row = Access(
        "x",
        reads=("alerts",),
        writes=("audit",),
        compares=("policy",),
        joins="g",
        watches=("g", "h"),
        transactions="x-",
    )
    assert [*row.rights()] == [
        Right("topic", "policy", ("Describe", "DescribeConfigs")),
        Right("topic", "alerts", ("Describe", "DescribeConfigs", "Read")),
        Right("topic", "audit", ("Describe", "DescribeConfigs", "Write")),
        Right("group", "g", ("Describe", "Read")),
        Right("group", "h", ("Describe",)),
        Right("transactionalId", "x-", ("Describe", "Write"), prefixed=True),
    ]
    assert [*Access("y", transactions="p", one_transaction=True).rights()] == [
        Right("transactionalId", "p", ("Describe", "Write"))
    ]
    assert next(iter(PEOPLE["topics"].rights())).operations == ("Create", "Describe", "DescribeConfigs")
