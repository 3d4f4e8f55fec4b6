"""An archive, and behind it the topics: every record once, wherever one ends and the other begins."""

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from aiokafka import TopicPartition
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.backtest import Report
from schemas.base import from_ms
from services.cli import __main__ as cli
from services.cli.archive.alike import Alike
from services.cli.archive.pieces import ArchiveError
from services.cli.backtest import backtest_log_io, raw_log_io
from services.cli.backtest.pipeline import RawRecord
from services.cli.backtest.raw_log_io import Archived, raw_log
from services.runtime.settings import CommonSettings
from tests.unit.cli.archive.test_parquet_io import archive_of
from tests.unit.cli.backtest.stories import Story
from tests.unit.cli.backtest.test_pipeline import KEY
from tests.unit.ingest.samples import AT_MS, raw

SETTINGS = CommonSettings(kafka="k:1", prefix="p.", partitions=2)
TOPIC = "channel-events"
SOURCES = [(TOPIC, 0), (TOPIC, 1)]
EVER = 2**42


@dataclass
class Message:
    offset: int
    timestamp: int
    value: bytes
    headers: tuple[()] = ()


@dataclass
class Client:
    """A consumer of topics that are full already; `oldest`: before which offset they keep nothing."""

    logs: dict[tuple[str, int], list[RawRecord]]
    oldest: int = 0
    places: dict[TopicPartition, int] = field(default_factory=dict)

    async def start(self) -> None: ...
    async def stop(self) -> None: ...
    def assign(self, partitions: list[TopicPartition]) -> None: ...

    def _log(self, at: TopicPartition) -> list[RawRecord]:
        return self.logs.get((at.topic.removeprefix("p."), at.partition), [])

    async def beginning_offsets(self, partitions: list[TopicPartition]) -> dict[TopicPartition, int]:
        return {each: min(self.oldest, len(self._log(each))) for each in partitions}

    async def end_offsets(self, partitions: list[TopicPartition]) -> dict[TopicPartition, int]:
        return {each: len(self._log(each)) for each in partitions}

    async def offsets_for_times(self, times: dict[TopicPartition, int]) -> dict[TopicPartition, Any]:
        later = {
            at: [each for each in self._log(at) if each.stamp_ms >= time and each.offset >= self.oldest]
            for at, time in times.items()
        }
        return {at: found[0] if found else None for at, found in later.items()}

    def seek(self, at: TopicPartition, offset: int) -> None:
        self.places[at] = offset

    async def position(self, at: TopicPartition) -> int:
        return self.places[at]

    async def getmany(self, *partitions: TopicPartition, timeout_ms: int, max_records: int) -> dict[Any, Any]:
        found = {at: self._log(at)[self.places[at] :][:3] for at in partitions}
        self.places |= {at: self.places[at] + len(records) for at, records in found.items()}
        return {
            at: [Message(each.offset, each.stamp_ms, each.value or b"") for each in records]
            for at, records in found.items()
        }


def log_of(partition: int, steps: list[int]) -> list[RawRecord]:
    stamps = [AT_MS + sum(steps[: n + 1]) for n in range(len(steps))]
    values = [
        raw("click", event_id=f"{partition}-{n}", occurred_at=from_ms(at).isoformat()) for n, at in enumerate(stamps)
    ]
    return [RawRecord(TOPIC, partition, n, at, value) for n, (at, value) in enumerate(zip(stamps, values, strict=True))]


async def read(
    client: Client, archived: Archived | None, monkeypatch: pytest.MonkeyPatch
) -> tuple[list[RawRecord], Any]:
    monkeypatch.setattr(raw_log_io, "consumer", lambda *_, **__: client)
    async with raw_log(SETTINGS, 0, EVER, archived) as log:
        blocks = [each async for each in log.blocks()]
        ends = [end_ms for _, end_ms in blocks]
        assert ends == sorted(set(ends))
        return [record for records, _ in blocks for record in records], log


def cut(logs: dict[tuple[str, int], list[RawRecord]], positions: dict[tuple[str, int], int]) -> Archived:
    kept = {at: Alike(KEY).records(logs[at][:position]) for at, position in positions.items()}
    total = sum(map(len, kept.values()))
    return Archived({at: iter(records) for at, records in kept.items()}, positions, total, Alike(KEY))


STEPS = st.lists(st.sampled_from([0, 1, 1_000, 200_000, 2_000_000]), max_size=12)


@settings(max_examples=40, deadline=None)
@given(STEPS, STEPS, st.integers(0, 12), st.integers(0, 12))
async def test_every_record_once_wherever_the_archive_ends(
    one: list[int], two: list[int], first: int, second: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        logs = {(TOPIC, 0): log_of(0, one), (TOPIC, 1): log_of(1, two)}
        positions = {at: min(n, len(logs[at])) for at, n in zip(SOURCES, (first, second), strict=True)}
        found, log = await read(Client(logs), cut(logs, positions), patch)
        whole, _ = await read(Client(logs), None, patch)
        wanted = [(each.topic, each.partition, each.offset, each.stamp_ms) for each in whole]
        assert [(each.topic, each.partition, each.offset, each.stamp_ms) for each in found] == wanted
        alike = {
            each: record for at in SOURCES for each, record in zip(logs[at], Alike(KEY).records(logs[at]), strict=True)
        }
        assert found == [alike[each] for each in whole], "as if all had been archived"
        assert log.gaps == []
        rest = [each.stamp_ms for at in SOURCES for each in logs[at][positions[at] :]]
        parts = [(part.of, part.first, part.last) for part in log.reach.within(0)]
        assert parts == ([("topics", from_ms(min(rest)), from_ms(max(rest)))] if rest else [])


async def test_what_left_the_topics_before_it_was_archived_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    logs = {(TOPIC, 0): log_of(0, [1] * 10)}
    archived = cut(logs, {(TOPIC, 0): 4})
    found, log = await read(Client(logs, oldest=6), archived, monkeypatch)
    assert [each.offset for each in found] == [0, 1, 2, 3, 6, 7, 8, 9]
    assert log.gaps == ["channel-events/0 4-6"]


async def test_an_archive_of_another_system_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    logs = {(TOPIC, 0): log_of(0, [1] * 3)}
    archived = Archived({}, {(TOPIC, 0): 9}, 0, Alike(KEY))
    with pytest.raises(ArchiveError, match="goes up to 9, the topic to 3: is it that of another system"):
        await read(Client(logs), archived, monkeypatch)


def test_a_backtest_reads_the_archive_and_then_the_topics(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    story = Story()
    story.complaints(30)
    whole = [each for each in story.records() if each.topic == "complaint-events"]
    kept = [replace(each, offset=number) for number, each in enumerate(whole)]
    archive_of(tmp_path / "archive", kept[:18])
    client = Client({("complaint-events", 0): kept}, oldest=20)

    async def at_once(_: object) -> None: ...

    monkeypatch.setattr(raw_log_io, "consumer", lambda *_, **__: client)
    monkeypatch.setattr(backtest_log_io, "wait_for_broker", at_once)
    policy, data = tmp_path / "policy.yaml", tmp_path / "report.json"
    policy.write_text("version: 2\nindicators: {complaint_volume: {thresholds: {complaints: 28}}}")
    monkeypatch.setenv("TIDEGATE_KAFKA", "k:1")

    end = from_ms(kept[-1].stamp_ms + 1).isoformat()

    def tested(*more: str) -> Report:
        said = ["--archive", tmp_path / "archive", "--policy", policy, "--json", data, "--to", end, *more]
        monkeypatch.setattr("sys.argv", ["tidegate", "backtest", *map(str, said)])
        assert cli.main() == 0
        return Report.model_validate_json(data.read_bytes())

    alone, both = tested(), tested("--topics")
    assert (alone.source.records, [part.of for part in alone.source.parts]) == (18, ["archive"])
    assert (both.source.records, [part.of for part in both.source.parts]) == (28, ["archive", "topics"])
    assert both.source.parts[0].last < both.source.parts[1].first
    assert any("complaint-events/0 18-20" in note.en for note in both.notes), "what nobody has is named"
    assert any("other names than in the archive" in note.en for note in both.notes)
    tripped = [[trip.tripped is not None for trip in each.runs[0].trips] for each in (alone, both)]
    assert tripped == [[False], [True]], "18 complaints come near the limit, 28 reach it, none of them twice"
