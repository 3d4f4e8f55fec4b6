"""The files of an archive, and a backtest's way through them."""

import subprocess
import sys
from collections.abc import Iterable
from datetime import date
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

from schemas.events import EVENTS, TOPIC_OF
from schemas.policy import Policy
from services.cli.archive import parquet_io
from services.cli.archive.archived_log_io import ArchivedLog
from services.cli.archive.columns import columns_of
from services.cli.archive.parquet_io import Filling, pieces_in, read, writing
from services.cli.archive.pieces import ArchiveError, by_day
from services.cli.archive.rows import Masking, Row
from services.cli.backtest.pipeline import Pipeline, RawRecord
from services.ingest.reading.records import Records
from tests.support.indicator_log import TEN, commands
from tests.unit.cli.backtest.test_pipeline import KEY, MINUTE, complaints
from tests.unit.cli.backtest.test_pipeline import raw as raw_record
from tests.unit.ingest.samples import AT_MS, TYPES, event, raw, records

DAY = date(2026, 11, 23)
DAY_MS = 86_400_000
EVER = 4_102_444_800_000


def keep(folder: Path, topic: str, given: Records, partition: int = 0) -> list[Row]:
    """Archives records as one round does; their rows."""
    filling, masking, kept = Filling(folder, topic, partition, given.first), Masking(topic, KEY), []
    for day, some in by_day(given):
        rows = masking.rows(partition, some)
        filling.add(day, rows, some.next)
        kept += rows
    filling.finish()
    return kept


def whole(topic: str, rows: Iterable[Row]) -> list[Row]:
    """With a null where a column is missing."""
    return [{name: row.get(name) for name in columns_of(topic)} for row in rows]


def rows_in(folder: Path) -> list[Row]:
    found = pieces_in(folder)
    return [
        row
        for topic in EVENTS
        for part in found.partitions(topic)
        for p in found.of(topic, part)
        for row in whole(topic, read(folder, p))
    ]


def of_topic(topic: str, **more: object) -> list[bytes]:
    return [raw(kind, **(event(kind) | more)) for kind in TYPES if TOPIC_OF[kind] == topic]


@pytest.mark.parametrize("topic", EVENTS)
def test_rows_come_back_as_they_were_with_their_nulls(topic: str, tmp_path: Path) -> None:
    optional = of_topic(topic, product_id="p-1", segment="silver", text="烦", disclosure_share=0.25)
    kept = keep(tmp_path, topic, records(*of_topic(topic), *optional, b"{", None))
    assert rows_in(tmp_path) == whole(topic, kept)


def test_no_byte_of_any_file_is_personal(tmp_path: Path) -> None:
    hidden = {
        "ip": "203.0.113.7",
        "account_id": "account-4711",
        "text": "我的电话是13800138000",
        "url": "https://x.example/4711",
    }
    for topic in EVENTS:
        values = of_topic(topic, **({} if topic == "market-events" else hidden))
        keep(tmp_path, topic, records(*values, b'{"account_id": "account-4711"'))
    # Uncompressed, or nobody could find anything.
    for path in [each for each in tmp_path.rglob("*") if each.is_file()]:
        parquet.write_table(parquet.read_table(path), path, compression="none", use_dictionary=False)
        found = path.read_bytes()
        assert [word for word in ("203.0.113.7", "4711", "13800138000") if word.encode() in found] == []
    assert len(rows_in(tmp_path)) == len(TYPES) + len(EVENTS)
    assert "我的电话是***" in {row.get("text") for row in rows_in(tmp_path)}


def test_files_are_cut_by_day_and_tell_where_to_go_on(tmp_path: Path) -> None:
    stamps = [AT_MS, AT_MS + DAY_MS, AT_MS + DAY_MS]
    keep(tmp_path, "channel-events", Records(7, 12, [7, 8, 10], stamps, [raw("click")] * 3))
    files = sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*.parquet"))
    assert files == [
        "channel-events/day=2026-11-23/0-7-8.parquet",
        "channel-events/day=2026-11-24/0-8-12.parquet",
    ]
    assert pieces_in(tmp_path).position("channel-events", 0) == 12


def test_a_file_is_written_once_it_is_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet_io, "FILE_BYTES", 1000)
    filling, masking = Filling(tmp_path, "channel-events", 0, 0), Masking("channel-events", KEY)
    for offset in range(20):
        filling.add(DAY, masking.rows(0, records(raw("click"), first=offset)), offset + 1)
    assert 1 < len(filling.written) < 20
    filling.finish()
    assert [row["offset"] for row in rows_in(tmp_path)] == list(range(20))


def test_what_a_killed_one_left_unfinished_is_not_there_and_done_again(tmp_path: Path) -> None:
    keep(tmp_path, "channel-events", records(raw("click"), raw("click")))
    filling = Filling(tmp_path, "channel-events", 0, 2)
    filling.add(DAY, Masking("channel-events", KEY).rows(0, records(raw("click"), first=2)), 3)
    (tmp_path / ".unfinished").write_bytes(b"PAR1 half a file")
    del filling  # killed before it was finished
    assert pieces_in(tmp_path).position("channel-events", 0) == 2
    keep(tmp_path, "channel-events", records(raw("click"), first=2))
    assert [row["offset"] for row in rows_in(tmp_path)] == [0, 1, 2]
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".un")] == []


def test_files_of_an_earlier_and_of_a_later_release_are_read(tmp_path: Path) -> None:
    keep(tmp_path, "mention-events", records(raw("mention", segment="silver")))
    (path,) = tmp_path.rglob("*.parquet")
    table = parquet.read_table(path)
    parquet.write_table(table.drop_columns(["segment"]).append_column("later", pa.array([1])), path)
    (row,) = rows_in(tmp_path)
    assert row["segment"] is None
    (record,) = ArchivedLog(tmp_path, 0, EVER).records()
    assert record.value is not None and b"segment" not in record.value and b"later" not in record.value


def test_a_file_that_another_tool_has_put_back_is_read(tmp_path: Path) -> None:
    keep(tmp_path, "mention-events", records(raw("mention"), raw("mention")))
    before = rows_in(tmp_path)
    (path,) = tmp_path.rglob("*.parquet")
    table = parquet.read_table(path).slice(1)
    fine = [
        field.with_type(pa.timestamp("us", "UTC")) if field.name.endswith("_at") else field for field in table.schema
    ]
    parquet.write_table(table.cast(pa.schema(fine)), path)
    assert rows_in(tmp_path) == before[1:]


def test_a_broken_file_is_named(tmp_path: Path) -> None:
    keep(tmp_path, "mention-events", records(raw("mention")))
    (path,) = tmp_path.rglob("*.parquet")
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(ArchiveError, match=r"mention-events/day=2026-11-23/0-0-1\.parquet cannot be read"):
        list(ArchivedLog(tmp_path, 0, EVER).records())


def test_two_cannot_write_at_once(tmp_path: Path) -> None:
    with writing(tmp_path / "new"), pytest.raises(ArchiveError, match="somebody else"), writing(tmp_path / "new"):
        pass
    with writing(tmp_path / "new"):
        pass


def test_without_pyarrow_it_is_said_what_to_install() -> None:
    code = (
        "import sys; sys.modules['pyarrow'] = None\n"
        "from pathlib import Path\n"
        "from services.cli.archive.archived_log_io import ArchivedLog\n"
        "ArchivedLog(Path('x'), 0, 1)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "an archive needs pyarrow: pip install 'tidegate[archive]'" in done.stderr


# -- read as a log


def archive_of(folder: Path, given: list[RawRecord]) -> None:
    for topic in {each.topic for each in given}:
        own = [each for each in given if each.topic == topic]
        offsets = [each.offset for each in own]
        found = Records(0, offsets[-1] + 1, offsets, [each.stamp_ms for each in own], [each.value for each in own])
        keep(folder, topic, found)


def test_partitions_are_merged_by_append_time_between_two_times(tmp_path: Path) -> None:
    for partition, stamps in enumerate([[0, 4, 4, 9], [1, 3, 2, 8]]):
        values: list[bytes | None] = [raw("click", occurred_at="1970-01-01T00:00:00Z")] * 4
        keep(tmp_path, "channel-events", Records(0, 4, [0, 1, 2, 3], stamps, values), partition)
    log = ArchivedLog(tmp_path, 1, 9)
    found = [(each.partition, each.offset, each.stamp_ms) for each in log.records()]
    assert found == [(1, 0, 1), (1, 1, 3), (1, 2, 3), (0, 1, 4), (0, 2, 4), (1, 3, 8)]
    assert (log.total, log.gaps) == (8, [])


def test_only_days_that_are_asked_for_are_read(tmp_path: Path) -> None:
    stamps = [AT_MS, AT_MS + DAY_MS, AT_MS + 3 * DAY_MS]
    given = Records(0, 3, [0, 1, 2], stamps, [raw("click")] * 3)
    keep(tmp_path, "channel-events", given)
    keep(tmp_path, "channel-events", records(raw("click"), first=9, stamp=AT_MS + 4 * DAY_MS))
    first, *_ = pieces_in(tmp_path).of("channel-events", 0)
    (tmp_path / first.path).write_bytes(b"broken")
    log = ArchivedLog(tmp_path, AT_MS + DAY_MS, AT_MS + 3 * DAY_MS)
    assert [each.offset for each in log.records()] == [1]
    assert log.gaps == ["channel-events/0 3-9 (2026-11-26 – 2026-11-27)"]


def test_a_backtest_from_an_archive_trips_as_from_the_raw_records(tmp_path: Path) -> None:
    said = {"channel_id": "douyin"}
    clicks = [raw_record(n, TEN + n, "click", ip=f"203.0.113.{n % 3}", **said) for n in range(3000)]
    given = [*complaints(60), *clicks, RawRecord("channel-events", 0, 3000, TEN + 3000, b"{")]
    given.sort(key=lambda each: each.stamp_ms)
    archive_of(tmp_path, given)
    policy = Policy(version=1, shared_addresses=["203.0.113.2"])
    found = []
    for archived, log in ((False, given), (True, list(ArchivedLog(tmp_path, 0, EVER).records()))):
        pipeline = Pipeline(policy, KEY, archived=archived)
        pipeline.mark(TEN)
        outputs = pipeline.feed(log, TEN + 60_000) + pipeline.mark(TEN + 60 * MINUTE)
        found.append((outputs, pipeline.counts))
    assert found[0] == found[1]
    tripped = {command.target.partition(":")[0] for command in commands(found[0][0])}
    assert tripped == {"channel", "actor"}
    assert len({command.target for command in commands(found[0][0])}) == 3
