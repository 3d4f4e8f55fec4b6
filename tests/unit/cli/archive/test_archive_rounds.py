"""`tidegate archive`, round after round, while Kafka comes and goes."""

from pathlib import Path

import pytest
from aiokafka.errors import KafkaConnectionError

from services.cli import __main__ as cli
from services.cli.archive import archive_io
from services.cli.archive.pieces import ArchiveError


@pytest.fixture
def rounds(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What came of each: Kafka is away twice, then somebody ends it."""
    found: list[str] = []

    def consumer(*_: object, **__: object) -> None:
        found.append("away" if len(found) < 2 else "ended")
        raise KafkaConnectionError if found[-1] == "away" else ArchiveError("enough")

    async def at_once(_: object) -> None: ...

    monkeypatch.setattr(archive_io, "consumer", consumer)
    monkeypatch.setattr(archive_io, "wait_for_broker", at_once)
    monkeypatch.setenv("TIDEGATE_KAFKA", "k:1")
    monkeypatch.setenv("TIDEGATE_INGEST_PSEUDONYM_KEY", "k" * 32)
    return found


def archive(monkeypatch: pytest.MonkeyPatch, folder: Path, *more: str) -> int:
    monkeypatch.setattr("sys.argv", ["tidegate", "archive", "--to", str(folder), *more])
    return cli.main()


def test_a_round_without_kafka_is_told_and_the_next_one_tries_again(
    rounds: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert archive(monkeypatch, tmp_path, "--follow", "0.001") == 1
    assert rounds == ["away", "away", "ended"]
    assert capsys.readouterr().err.count("not archived this time: KafkaConnectionError") == 2


def test_without_a_next_round_the_exit_code_says_so(
    rounds: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert archive(monkeypatch, tmp_path) == 1
    assert rounds == ["away"]
