"""`tidegate audit` on a real Kafka: what was written verifies, and copies that somebody altered do not."""

import asyncio
import csv
import json
import os
import subprocess
import sys
import uuid
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from pydantic import SecretStr

from deploy.embedded.broker import Broker
from schemas.topics import AUDIT, TOPICS
from services.cli.__main__ import parser
from services.cli.settings import CliSettings
from services.runtime.ids import derive
from services.runtime.kafka.kafka_io import ensure_topics, producer
from tests.support.waiting import eventually
from tests.unit.cli.audit.logs import TARGETS, WRITERS, Log, record, resealed, written

PEM = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


async def cluster(broker: Broker, folder: Path) -> CliSettings:
    """Topics of its own; heads go to `folder`."""
    settings = CliSettings(
        kafka=broker.bootstrap,
        prefix=f"{uuid.uuid4().hex[:8]}.",
        cli_audit_key=SecretStr(PEM),
        cli_audit_heads=folder,
    )
    await ensure_topics(settings, [TOPICS[AUDIT]])
    return settings


async def put(settings: CliSettings, log: Log) -> None:
    async with producer(settings) as kafka:
        for partition, records in log.items():
            for key, value in records:
                await kafka.send_and_wait(settings.prefix + AUDIT, value, key=key, partition=partition)


async def audit(settings: CliSettings, *arguments: str) -> int:
    """The exit code of `tidegate audit …`."""
    parsed = parser().parse_args(["audit", *arguments])
    return int(await parsed.run(parsed, settings))


def story(count: int = 40) -> Log:
    return written(record(n, WRITERS[n // 4 % 2], TARGETS[n % 4]) for n in range(count))


def rewritten(log: Log) -> None:
    """Everything anew, with another author and in order."""
    log.update(written(record(n, WRITERS[n // 4 % 2], TARGETS[n % 4], who="person:nobody") for n in range(40)))


def changed(log: Log) -> None:
    key, value = log[0][3]
    log[0][3] = key, resealed(json.loads(value) | {"why": "for another reason"})


def removed(log: Log) -> None:
    del log[0][3]


def swapped(log: Log) -> None:
    first = json.loads(log[0][2][1])["writer"]
    other = next(n for n in range(3, 20) if json.loads(log[0][n][1])["writer"] == first)
    log[0][2], log[0][other] = log[0][other], log[0][2]


def cut_off(log: Log) -> None:
    del log[1][-3:]


@pytest.mark.parametrize(
    ("alter", "says", "without_heads"),
    [
        (changed, "one of the two was rewritten", 1),
        (removed, "missing before it", 1),
        (swapped, "out of its order", 1),
        (cut_off, "cut off", 0),
        (rewritten, "contradicts what was signed", 0),
    ],
)
async def test_a_copy_that_was_altered_is_found(
    broker: Broker,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    alter: Callable[[Log], None],
    says: str,
    without_heads: int,
) -> None:
    original, copy = await cluster(broker, tmp_path), await cluster(broker, tmp_path)
    log = story()
    await put(original, log)
    assert await audit(original, "heads") == 0
    assert await audit(original, "verify") == 0
    capsys.readouterr()
    alter(log)
    await put(copy, log)
    assert await audit(copy, "verify") == 1
    assert says in capsys.readouterr().out
    no_heads = copy.model_copy(update={"cli_audit_heads": None})
    assert await audit(no_heads, "verify") == without_heads
    assert "note: no signed heads were given" in capsys.readouterr().out


async def test_heads_go_on_from_the_last_and_tell_what_does_not_follow(
    broker: Broker, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings, log = await cluster(broker, tmp_path / "heads"), story()
    first: Log = {partition: records[:10] for partition, records in log.items()}
    rest: Log = {partition: records[10:] for partition, records in log.items()}
    await put(settings, first)
    assert await audit(settings, "heads") == 0
    assert await audit(settings, "heads") == 0
    await put(settings, rest)
    assert await audit(settings, "heads") == 0
    said = capsys.readouterr().out.splitlines()
    assert said == [
        "read 20 records, signed 4 heads",
        "read 2 records, signed 0 heads",
        "read 22 records, signed 4 heads",
    ]
    (file,) = (tmp_path / "heads").iterdir()
    lines = file.read_bytes().splitlines()
    file.write_bytes(b"\n".join(lines)[:-20])  # the last line is half there, as after a death
    assert await audit(settings, "verify") == 0
    assert await audit(settings, "heads") == 0
    assert len(file.read_bytes().splitlines()) == len(lines)
    assert await audit(settings, "verify") == 0
    forged = json.loads(rest[0][-1][1])
    forged["chain"]["number"] += 2
    await put(settings, {0: [(rest[0][-1][0], resealed(forged))]})
    assert await audit(settings, "heads") == 1
    assert await audit(settings, "verify") == 1


async def test_the_public_half_is_enough_to_verify_and_without_any_nothing_can_be_told(
    broker: Broker, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = await cluster(broker, tmp_path / "heads")
    assert await audit(settings, "verify", "--heads", str(tmp_path)) == 3
    await put(settings, story())
    assert await audit(settings, "heads") == 0
    capsys.readouterr()
    assert await audit(settings, "key") == 0
    public = tmp_path / "public.pem"
    public.write_text(capsys.readouterr().out)
    guest = settings.model_copy(update={"cli_audit_key": None})
    assert await audit(guest, "verify", "--public-key", str(public)) == 0
    assert "4 signed heads agree" in capsys.readouterr().out
    assert await audit(guest, "verify") == 3
    assert "no audit key is given" in capsys.readouterr().err
    assert await audit(guest, "key") == await audit(guest, "heads") == 2


async def test_records_that_were_deleted_from_the_beginning_are_missing(
    broker: Broker, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = await cluster(broker, tmp_path / "heads")
    await put(settings, story())
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.kafka)
    await admin.start()
    await admin.delete_records({TopicPartition(settings.prefix + AUDIT, 0): RecordsToDelete(before_offset=2)})
    await admin.close()
    assert await audit(settings.model_copy(update={"cli_audit_heads": None}), "verify") == 1
    assert "are missing before it" in capsys.readouterr().out


async def test_the_audit_of_a_time_is_handed_over(
    broker: Broker, tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    settings, hold = await cluster(broker, tmp_path), derive("hold")
    said = [
        record(0, at="2026-11-25T23:59:59Z"),
        record(1, at="2026-11-26T10:00:00Z", outcome="waiting", holds=[hold], why="=HYPERLINK(1)"),
        record(2, at="2026-11-26T10:05:00Z", target=TARGETS[1], why="投诉"),
        record(3, at="2026-11-26T10:06:00Z"),
        record(4, at="2026-11-27T00:00:01Z", what="approve", holds=[hold]),
    ]
    log = written(said)
    for records in log.values():
        records += records[1:3]  # as after a death
    await put(settings, log)
    times = ("--from", "2026-11-26T00:00:00Z", "--to", "2026-11-27T00:00:00Z")
    file = tmp_path / "audit.csv"
    assert await audit(settings, "export", *times, "--out", str(file)) == 0
    with file.open(encoding="utf-8-sig", newline="") as lines:
        rows = list(csv.DictReader(lines))
    assert [row["audit_id"] for row in rows] == [each["audit_id"] for each in said[1:4]]
    assert (rows[0]["approved_by"], rows[0]["why"], rows[1]["why"]) == ("person:li", "'=HYPERLINK(1)", "投诉")
    assert not await asyncio.to_thread((tmp_path / "audit.csv.part").exists)
    capsysbinary.readouterr()
    await put(settings, {0: [(b"channel:a", b"no record")]})
    assert await audit(settings, "export", *times, "--format", "jsonl") == 1
    said_now = capsysbinary.readouterr()
    assert [json.loads(line)["audit_id"] for line in said_now.out.splitlines()] == [row["audit_id"] for row in rows]
    assert b"1 records could not be read" in said_now.err
    assert await audit(settings, "export", "--from", "yesterday") == 2


async def test_heads_are_signed_again_and_again_and_a_death_leaves_no_half_line(broker: Broker, tmp_path: Path) -> None:
    settings, folder, log = await cluster(broker, tmp_path / "heads"), tmp_path / "heads", story()
    key = tmp_path / "key.pem"
    key.write_text(PEM)
    environ = {name: value for name, value in os.environ.items() if not name.startswith("TIDEGATE_")} | {
        "TIDEGATE_KAFKA": settings.kafka,
        "TIDEGATE_PREFIX": settings.prefix,
        "TIDEGATE_CLI_AUDIT_KEY_FILE": str(key),
        "TIDEGATE_CLI_AUDIT_HEADS": str(folder),
    }

    def is_signed(wanted: int) -> bool:
        return sum(len(file.read_bytes().splitlines()) for file in folder.glob("*.jsonl")) >= wanted

    for start, wanted in ((0, 4), (10, 8)):
        await put(settings, {partition: records[start : start + 10] for partition, records in log.items()})
        command = (sys.executable, "-m", "services.cli", "audit", "heads", "--follow", "0.2")
        process = await asyncio.create_subprocess_exec(*command, env=environ, stdout=subprocess.DEVNULL)
        try:
            await eventually(partial(is_signed, wanted), f"{wanted} heads", 60)
        finally:
            process.kill()
            await process.wait()
    assert await audit(settings, "verify") == 0
