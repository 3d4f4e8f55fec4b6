"""From raw records to commands in one process, on virtual time."""

import json
from typing import Any

from schemas.base import from_ms
from schemas.commands import Command
from schemas.events import TOPIC_OF
from schemas.policy import Policy
from services.cli.backtest.pipeline import Pipeline, RawRecord
from tests.support.indicator_log import TEN, commands

KEY = b"a key of sixteen bytes or more"
MINUTE = 60_000


def raw(offset: int, at_ms: int, what: str, **fields: Any) -> RawRecord:
    event = {"event_id": f"e-{offset}", "type": what, "occurred_at": from_ms(at_ms).isoformat(), **fields}
    return RawRecord(TOPIC_OF[what], 0, offset, at_ms, json.dumps(event).encode())


def complaints(number: int) -> list[RawRecord]:
    said = {"channel_id": "douyin", "entry": "hotline"}
    return [
        raw(n, TEN + n * 1000, "complaint_opened", complaint_id=f"c-{n}", account_id=f"a-{n}", **said)
        for n in range(number)
    ]


def ordered(found: list[Command]) -> list[tuple[str, str]]:
    return [(each.command, each.target) for each in found]


def test_the_twentieth_complaint_pauses_the_channel_at_its_time() -> None:
    pipeline = Pipeline(Policy(version=1), KEY)
    pipeline.mark(TEN)
    assert commands(pipeline.feed(complaints(19), TEN + 19_000)) == []
    (command,) = commands(pipeline.feed(complaints(20)[19:], TEN + 20_000))
    assert ordered([command]) == [("pause", "channel:douyin")]
    assert command.event_time == from_ms(TEN + 5 * MINUTE), "the end of its pane"
    assert command.issued_at == from_ms(TEN + 20_000)


def test_it_makes_no_difference_how_records_are_fed() -> None:
    found = []
    for size in (1, 7, 60):
        pipeline = Pipeline(Policy(version=1), KEY)
        records = complaints(60)
        outputs = []
        for begin in range(0, len(records), size):
            outputs += pipeline.feed(records[begin : begin + size], TEN + 60_000)
        outputs += pipeline.mark(TEN + 60 * MINUTE)
        found.append([(each.command, each.target, each.level) for each in commands(outputs)])
    assert found[0] == found[1] == found[2] == [("pause", "channel:douyin", 1), ("pause", "channel:douyin", 2)]


def test_what_is_no_event_is_counted_and_the_rest_goes_on() -> None:
    pipeline = Pipeline(Policy(version=1), KEY)
    bad = [RawRecord("complaint-events", 0, offset, TEN, b"{") for offset in range(1000)]
    good = [RawRecord(each.topic, 0, 1000 + n, each.stamp_ms, each.value) for n, each in enumerate(complaints(20))]
    assert len(commands(pipeline.feed([*bad, *good], TEN + 20_000))) == 1
    assert pipeline.counts == {"read": 1020, "dead": 1000}
