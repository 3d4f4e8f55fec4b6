"""Ingest on a real broker: what it takes, what it refuses, and what it says of itself."""

from __future__ import annotations

import itertools
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from deploy.embedded.broker import Broker
from schemas.frames import END_OF_SOURCE, ChannelFrame, Mark, source_of
from schemas.policy import Policy
from schemas.topics import SUBJECTS
from services.ingest.marks import roster
from services.ingest.sources.ledger import Ledger
from services.ingest.sources.sealing import Sealer
from services.runtime.kafka import kafka_io
from tests.support.ingest import SEAL_KEY, Ingests, ingests
from tests.unit.ingest.samples import raw

POLICY = Policy(version=1)
EVENTS = "channel-events"
SECRET = "203.0.113.199"


def _click(event_id: str, **changes: Any) -> bytes:
    return raw("click", event_id=event_id, **changes)


def _strange() -> list[tuple[bytes | None, str]]:
    """Records that have broken services before, and the field that their dead letter names."""
    head = raw("click", ip=SECRET)[:-1]
    return [
        (None, ""),
        (b"", ""),
        (b"x" * 2 * 1024 * 1024, ""),
        (b"\x00" * 100, ""),
        (head + b',"more":"\x00"}', ""),
        (head + b',"count":NaN}', "count"),
        (head + b',"more":NaN}', ""),
        (head + b',"more":' + b"[" * 100_000, ""),
        (head + b',"more":' + b"[" * 100_000 + b"]" * 100_000 + b"}", ""),
        (head + b',"account_id":"\\ud800"}', ""),
        (head + b',"account_id":"\xed\xa0\x80"}', ""),
        (head + b',"account_id":"\\u0000"}', "account_id"),
        (head + b',"occurred_at":"2999-01-01T00:00:00Z"}', "occurred_at"),
        (head + b',"type":"policy_change","title":"x"}', "type"),
    ]


@pytest.fixture
async def system(broker: Broker, tmp_path: Path) -> AsyncIterator[Ingests]:
    async with ingests(broker.bootstrap, tmp_path) as found:
        yield found


async def test_a_strange_record_is_a_dead_letter_and_the_next_is_served(system: Ingests) -> None:
    strange = _strange()
    pairs = [(value, _click(f"after-{number}")) for number, (value, _) in enumerate(strange)]
    await system.send([(EVENTS, 0, value) for pair in pairs for value in pair])
    await system.publish(POLICY)
    process = system.start()
    ledgers = await system.until_read()

    assert await system.rows("channel") == [(0, 2 * number + 1) for number in range(len(strange))]
    ledger = ledgers[EVENTS, 0]
    assert (ledger.read, ledger.valid, ledger.dead) == (2 * len(strange), len(strange), len(strange))
    letters = {letter.offset: letter for letter in await system.dead_letters()}
    assert {offset: letter.errors[0].field for offset, letter in letters.items()} == {
        2 * number: field for number, (_, field) in enumerate(strange)
    }
    for number, (value, _) in enumerate(strange):
        letter = letters[2 * number]
        assert (letter.topic, letter.partition, letter.size) == (EVENTS, 0, len(value or b""))
        assert Sealer(SEAL_KEY).open(letter.raw) == (value or b"")[: 64 * 1024]
    written = "".join(letter.model_dump_json() for letter in letters.values()) + process.text
    assert SECRET not in written
    assert SECRET not in (await process.get("/metrics")).text
    assert await process.stop() == 0


async def test_all_raw_topics_are_read_and_the_books_say_where_everything_went(system: Ingests) -> None:
    await system.publish(POLICY)
    process = system.start()
    await system.send(
        [
            (EVENTS, 0, _click("1")),
            (EVENTS, 0, _click("1")),
            (EVENTS, 1, _click("1", ip=...)),
            (EVENTS, 1, raw("content_removed")),
            ("complaint-events", 0, raw("complaint_opened")),
            ("complaint-events", 1, raw("complaint_closed")),
            ("conversion-events", 0, raw("conversion")),
            ("mention-events", 1, raw("mention")),
            ("market-events", 0, raw("rate")),
        ]
    )
    ledgers = await system.until_read()

    def counts(topic: str, partition: int) -> tuple[int, int, int, dict[str, int]]:
        each = ledgers[topic, partition]
        return each.read, each.valid, each.duplicate, dict(+each.routed)

    assert counts(EVENTS, 0) == (2, 1, 1, {"channel": 1, "actor": 1})
    assert counts(EVENTS, 1) == (2, 2, 0, {"channel": 1, "content": 1})
    assert counts("complaint-events", 0) == (1, 1, 0, {"channel": 1, "complaint": 1})
    assert counts("complaint-events", 1) == (1, 1, 0, {"complaint": 1})
    assert counts("conversion-events", 0) == (1, 1, 0, {"channel": 1})
    assert counts("mention-events", 1) == (1, 1, 0, {"brand": 1})
    assert counts("market-events", 0) == (1, 1, 0, {"market": 1})
    assert ledgers["market-events", 1] == Ledger()
    for subject in SUBJECTS:
        rows = await system.rows(subject)
        assert len(rows) == len(set(rows)) == sum(each.routed[subject] for each in ledgers.values())
    assert await system.rows("actor") == [(0, 0)]
    metrics = (await process.get("/metrics")).text
    assert 'tidegate_ingest_records_total{outcome="duplicate",topic="channel-events"} 1.0' in metrics
    assert (await process.get("/readyz")).status_code == 200


async def test_nothing_is_read_before_there_is_a_policy_and_the_next_one_takes_over_at_a_point_of_the_log(
    system: Ingests,
) -> None:
    await system.send([(EVENTS, 0, _click("1", ip="10.0.0.1"))])
    process = system.start()
    await process.until_said("no policy is published yet, waiting for one")
    assert (await process.get("/readyz")).json()["parts"]["reading"] == "waiting for a policy"
    assert (await process.get("/healthz")).status_code == 200
    assert await system.frames("channel") == {0: [], 1: []}

    await system.publish(POLICY)
    await system.until_read()
    for frames in [*(await system.frames("channel")).values(), *(await system.frames("actor")).values()]:
        first = frames[0]
        assert isinstance(first, Mark), "before any frame"
        assert Policy.model_validate_json(first.document or b"") == POLICY
        assert all(frame.document is None for frame in frames[1:] if isinstance(frame, Mark)), "told once"
    assert len(await system.rows("actor")) == 1

    await system.publish(Policy(version=2, shared_addresses=["10.0.0.0/8"]))
    await system.until_mark(lambda mark: mark.policy == "default/2" and mark.document, "with the next policy")
    await system.send([(EVENTS, 0, _click("2", ip="10.0.0.1")), (EVENTS, 0, _click("3", ip="192.0.2.1"))])
    await system.until_read()
    assert await system.rows("actor") == [(0, 0), (0, 2)], "a shared address is no actor"


async def test_a_broken_policy_leaves_the_one_before_in_force(system: Ingests) -> None:
    await system.publish(POLICY)
    process = system.start()
    await process.until_said("policy in force")
    async with kafka_io.producer(system.settings) as producer:
        topic = system.settings.prefix + "policy"
        await producer.send_and_wait(topic, b'{"version": 2, "tresholds": 1}', b"default/2")
        await producer.send_and_wait(topic, b'{"v": 1, "name": "default", "version": 2}', b"active")
    said = await process.until_said("a record on the policy topic is not taken")
    assert "tresholds" in said["reason"]
    await system.send([(EVENTS, 0, _click("1"))])
    await system.until_read()
    assert {mark.policy for mark in await system.marks()} == {"default/1"}


async def test_marks_move_the_time_of_every_source_while_nothing_comes(system: Ingests) -> None:
    await system.publish(POLICY)
    system.start()
    complete = await system.until_mark(lambda mark: len(mark.read) == len(mark.roster), "of all sources")
    assert complete.roster == roster(2)

    def has_moved_on(mark: Mark) -> bool:
        return mark.wall_ms >= complete.wall_ms + 2_500 and all(
            other.time_ms >= one.time_ms + 1_500 and 0 <= mark.wall_ms - other.time_ms < 5_000
            for one, other in zip(complete.read, mark.read, strict=True)
        )

    later = await system.until_mark(has_moved_on, "later, of every source")
    assert [each.source for each in later.read] == [each.source for each in complete.read]
    marks = await system.marks()
    gaps = [other.wall_ms - one.wall_ms for one, other in itertools.pairwise(marks)]
    assert sorted(gaps)[len(gaps) // 2] < 2_000, "once a second"
    for subject in ("channel", "actor"):
        assert [mark.wall_ms for mark in await system.marks(subject, 1)][: len(marks)] == [m.wall_ms for m in marks]


async def test_a_mark_says_only_what_is_acknowledged_before_it(system: Ingests) -> None:
    await system.publish(POLICY)
    system.start()
    for burst in range(3):
        await system.send([(EVENTS, 0, _click(f"{burst}-{number}")) for number in range(200)])
        await system.until_mark(lambda mark, n=burst: _next(mark, 0) == 200 * (n + 1), "of the burst")
    (frames,) = [
        frames
        for frames in (await system.frames("channel")).values()
        if any(isinstance(frame, ChannelFrame) for frame in frames)
    ]
    framed = 0
    for frame in frames:
        if isinstance(frame, ChannelFrame):
            (part,) = frame.slices
            assert part.first == framed
            framed = part.next
        else:
            assert isinstance(frame, Mark)
            assert (_next(frame, 0) or 0) <= framed
    assert framed == 600


def _next(mark: Mark, source: int) -> int | None:
    return next((read.next for read in mark.read if read.source == source), None)


async def test_on_the_events_clock_time_is_what_was_read_and_ends_with_the_source(
    broker: Broker, tmp_path: Path
) -> None:
    async with ingests(broker.bootstrap, tmp_path, clock="events", partitions=1) as system:
        await system.publish(POLICY)
        process = system.start()
        at = 1_672_531_200_000
        source = source_of("complaint-events", 0)

        def time_of(mark: Mark) -> int | None:
            return next((read.time_ms for read in mark.read if read.source == source), None)

        complaint = raw("complaint_opened", occurred_at="2023-01-01T00:00:00Z")
        await system.send([("complaint-events", 0, complaint)])
        mark = await system.until_mark(lambda mark: time_of(mark) == at, "of the event's time")
        assert [read.source for read in mark.read] == [source], "the others have no time yet"
        assert mark.clock == "events"
        await system.send([("complaint-events", 0, b"2023-01-02T00:00:00Z")], headers=[("tidegate-control", b"time")])
        await system.until_mark(lambda mark: time_of(mark) == at + 86_400_000, "of the control record's time")
        await system.until_read()
        process.kill()
        system.start()
        first = await system.until_mark(lambda mark: mark.document and _next(mark, source) == 2, "after a restart")
        assert time_of(first) == at + 86_400_000, "the time read outlives the process"
        await system.send([("complaint-events", 0, b"")], headers=[("tidegate-control", b"end")])
        await system.until_mark(lambda mark: time_of(mark) == END_OF_SOURCE + at + 86_400_000, "of the end")
        ledger = (await system.until_read())["complaint-events", 0]
        assert (ledger.read, ledger.valid, ledger.control, ledger.dead) == (3, 1, 2, 0)


async def test_a_partition_full_of_bad_records_is_paused_and_the_others_are_read_on(system: Ingests) -> None:
    await system.publish(POLICY)
    process = system.start(TIDEGATE_INGEST_BAD_PAUSE_S="3600")
    await system.send([(EVENTS, 0, b"{")] * 1_000)
    said = await process.until_said("partition paused")
    assert (said["partition"], said["at_offset"]) == ("channel-events/0", 200)
    await system.send([(EVENTS, 1, _click("1")), (EVENTS, 0, _click("2"))])
    await system.until_mark(lambda mark: _next(mark, 1) == 1, "of the other partition")
    parts = (await process.get("/readyz")).json()["parts"]
    assert "too many bad records" in parts["partition channel-events/0"]
    assert (await process.get("/healthz")).status_code == 200, "a restart is for people to decide"
    metrics = (await process.get("/metrics")).text
    assert 'tidegate_ingest_partition_paused{partition="0",topic="channel-events"} 1.0' in metrics
    assert len(await system.dead_letters()) == 200, "the rest is still in the topic"

    assert await process.stop() == 0
    system.start(TIDEGATE_INGEST_BAD_LEAST="100000")
    ledgers = await system.until_read()
    assert (ledgers[EVENTS, 0].dead, ledgers[EVENTS, 0].valid) == (1_000, 1)


async def test_a_paused_partition_is_tried_again_by_itself(system: Ingests) -> None:
    await system.publish(POLICY)
    process = system.start(TIDEGATE_INGEST_BAD_PAUSE_S="1")
    await system.send([*[(EVENTS, 0, b"{")] * 450, (EVENTS, 0, _click("1"))])
    ledgers = await system.until_read()
    assert (ledgers[EVENTS, 0].dead, ledgers[EVENTS, 0].valid) == (450, 1)
    pauses = [said["reason"] for said in process.said("partition paused")]
    assert ["in 1 s" in pauses[0], "in 2 s" in pauses[1], len(pauses)] == [True, True, 2]
    assert [said["at_offset"] for said in process.said("partition resumed")] == [200, 400]


async def test_transactions_that_were_given_up_are_no_events(system: Ingests) -> None:
    await system.publish(POLICY)
    system.start()
    topic = system.settings.prefix + EVENTS
    async with kafka_io.producer(system.settings, transactional_id="sender") as producer:
        for number, commit in enumerate((False, True, False)):
            await producer.begin_transaction()
            await producer.send_and_wait(topic, _click(f"{number}"), partition=0)
            await (producer.commit_transaction() if commit else producer.abort_transaction())
    async with kafka_io.producer(system.settings, transactional_id="sender"):
        pass  # The broker writes the marker after it has answered; a successor's start is what waits for it.
    await system.send([(EVENTS, 0, _click("last"))])
    ledger = (await system.until_read())[EVENTS, 0]
    assert (ledger.read, ledger.valid) == (2, 2), "the markers count as read offsets, not as records"
    assert await system.rows("channel") == [(0, 2), (0, 6)]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"TIDEGATE_INGEST_PSEUDONYM_KEY": ""}, "TIDEGATE_INGEST_PSEUDONYM_KEY: is required"),
        ({"TIDEGATE_INGEST_DEAD_LETTER_KEY": "short"}, "TIDEGATE_INGEST_DEAD_LETTER_KEY: must be 32 bytes"),
        ({"TIDEGATE_PARTITIONS": "3"}, "channel-events: partitions is 2, must be 3"),
    ],
)
async def test_what_has_to_be_mended_first_ends_it_at_once_with_the_reason(
    system: Ingests, changes: dict[str, str], reason: str
) -> None:
    process = system.start(**changes)
    assert await process.ended() == 2
    assert reason in process.text


async def test_only_events_are_in_the_log_of_the_process(system: Ingests) -> None:
    await system.publish(POLICY)
    process = system.start()
    await process.until_said("policy in force")
    for line in process.text.splitlines():
        assert json.loads(line)["level"] == "info"
