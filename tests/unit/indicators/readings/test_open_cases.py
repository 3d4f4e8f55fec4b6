"""Complaints that wait for an answer, as people are told of them."""

from typing import Any

import msgspec

from schemas.base import from_ms
from schemas.readings import Cases, OpenCase
from services.indicators import snapshot
from services.indicators.machine import build
from services.indicators.readings.herald import CASES
from services.indicators.subjects.cases import ComplaintStore
from tests.support.indicator_log import TEN
from tests.unit.indicators.readings.herald_says import last_sums, readings, said, telling
from tests.unit.indicators.world import HOUR, MINUTE, SECOND, World


def cases(world: World) -> list[Cases]:
    return [each for each in said(world.outputs) if isinstance(each, Cases)]


def test_complaints_are_counted_with_their_answers() -> None:
    world = telling("complaint")
    about = {"channel_id": "douyin", "product_id": "wenli-1", "entry": "hotline", "segment": "high_net_worth"}
    for n in range(3):
        world.raw("complaint_opened", n, complaint_id=f"c-{n}", **about)
    world.raw("complaint_opened", 5, complaint_id="c-0", **about)
    world.raw("complaint_answered", HOUR, complaint_id="c-0")
    world.raw("complaint_answered", 3 * HOUR, complaint_id="c-1")
    world.mark(4 * HOUR)
    sums = last_sums(world)
    for each in sums.values():
        assert each["channel"]["douyin"] == each["product"]["wenli-1"]
    assert [each["channel"]["douyin"] for each in sums.values()] == [
        {"complaints": 3.0},
        {"answered": 1.0, "answered_in_time": 1.0, "answer_seconds": 3600.0},
        {"answered": 1.0, "answer_seconds": 10799.0},
    ]
    assert sums[from_ms(TEN)]["segment"] == {"high_net_worth": {"complaints": 3.0}}
    assert readings(world)[-1].counts == {"complaint_sla": {"warning": 0, "breach": 1, "open": 1}}


def open_case(at: float, **more: Any) -> OpenCase:
    return OpenCase(at=from_ms(TEN + int(at)), channel="douyin", entry="one_click", **more)


def complain(world: World, name: str, at: float, **more: Any) -> None:
    world.raw("complaint_opened", at, complaint_id=name, channel_id="douyin", entry="one_click", text="private", **more)


def test_who_waits_is_told_once_and_once_more_when_answered() -> None:
    world = telling("complaint")
    complain(world, "c-1", 0, product_id="wenli-1")
    complain(world, "c-2", SECOND, segment="high_net_worth")
    world.mark(MINUTE)
    world.mark(2 * MINUTE)
    world.raw("complaint_answered", 3 * MINUTE, complaint_id="c-1")
    world.mark(6 * MINUTE)
    first, last = cases(world)
    assert first.waiting == {"c-1": open_case(0, product="wenli-1"), "c-2": open_case(SECOND, high_net_worth=True)}
    assert (first.settled, last.waiting, last.settled) == ([], {}, ["c-1"])
    assert "private" not in "".join(each.model_dump_json() for each in cases(world))


def test_who_waits_for_long_is_told_again_every_day() -> None:
    world = telling("complaint")
    complain(world, "c-1", 0)
    for minute in range(1, 24 * 60 + 2):
        world.mark(minute * MINUTE)
    assert [list(each.waiting) for each in cases(world)] == [["c-1"], ["c-1"]]


def test_many_complaints_are_told_in_messages_that_a_batch_can_hold() -> None:
    world = telling("complaint")
    names = [f"{n:04}{'件' * 196}" for n in range(CASES + 10)]
    world.raw_events(
        [
            (
                "complaint_opened",
                n,
                {"complaint_id": name, "channel_id": "道" * 200, "product_id": "品" * 200, "entry": "branch"},
            )
            for n, name in enumerate(names)
        ]
    )
    world.mark(MINUTE)
    told = cases(world)
    assert [name for each in told for name in each.waiting] == names
    assert len(told) == 2
    assert max(len(each.model_dump_json().encode()) for each in told) < 256 * 1024


def test_what_was_open_before_there_was_such_a_message_is_told_after_a_restart() -> None:
    world = World("complaint")
    complain(world, "c-1", 0)
    world.mark(MINUTE)
    records = dict(world.machine.changed())
    progress = msgspec.structs.replace(snapshot.decode_progress(records[snapshot.MACHINE] or b""), cases=None)
    successor = build("complaint", 0, readings=True)
    records[snapshot.MACHINE] = snapshot.encode(progress)
    successor.load((key, value) for key, value in records.items() if value is not None)
    assert isinstance(successor._store, ComplaintStore)
    assert successor._store.untold == {"c-1"}
