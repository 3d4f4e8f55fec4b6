"""Decisions derived again from a real log, and the story of an alert told from it."""

import json
import time
import uuid
from argparse import Namespace
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete
from pydantic import SecretStr

from deploy.embedded.broker import Broker
from schemas.alerts import AlertState
from schemas.base import Bilingual, from_ms
from schemas.commands import Command
from schemas.policy import Policy, PolicyInForce
from schemas.topics import ALERT_STATE, CHANNEL_COMMANDS, COMPLAINT_EVENTS, POLICY
from services.cli.backtest.pipeline import Pipeline, RawRecord
from services.cli.proof import explain_io, verify_io
from services.cli.settings import CliSettings
from services.console.jobs.proving_io import Prover
from services.runtime.ids import derive
from services.runtime.kafka.kafka_io import ensure_topics, follow, producer
from tests.support.indicator_log import commands
from tests.support.waiting import eventually

KEY = "a key of sixteen bytes or more"
WHO = {"channel_id": "douyin", "entry": "one_click", "ip": "203.0.113.7"}


@pytest.fixture
async def settings(broker: Broker) -> CliSettings:
    """A cluster on which complaints paused a channel and had an address frozen."""
    made = CliSettings(kafka=broker.bootstrap, prefix=f"{uuid.uuid4().hex[:8]}.", ingest_pseudonym_key=SecretStr(KEY))
    await ensure_topics(made)
    return made


async def send(settings: CliSettings, *records: tuple[str, bytes | None, bytes]) -> None:
    """Records `(topic, key, value)`, one after the other."""
    kafka = producer(settings)
    await kafka.start()
    try:
        for topic, key, value in records:
            await kafka.send_and_wait(settings.prefix + topic, value, key=key)
    finally:
        await kafka.stop()


def complaint(number: int, at_ms: int) -> bytes:
    event = {"event_id": f"e-{number}", "type": "complaint_opened", "occurred_at": from_ms(at_ms).isoformat()}
    return json.dumps({**event, **WHO, "complaint_id": f"c-{number}", "account_id": f"a-{number}"}).encode()


async def decided(settings: CliSettings) -> list[Command]:
    """Sends complaints, some of them twice, decides as the services do, and puts the orders on their topic."""
    policy = Policy.model_validate(
        {"version": 1, "indicators": {"complaint_volume": {"thresholds": {"complaints": 20, "per_person": 100}}}}
    )
    await send(
        settings,
        (POLICY, policy.label.encode(), policy.model_dump_json().encode()),
        (CHANNEL_COMMANDS, b"policy", PolicyInForce(policy=policy).model_dump_json().encode()),
    )
    now_ms = time.time_ns() // 1_000_000
    numbers = [*range(30), 3, 29]
    await send(settings, *((COMPLAINT_EVENTS, f"k-{n % 2}".encode(), complaint(n, now_ms + n)) for n in numbers))
    pipeline = Pipeline(policy, KEY.encode(), ["channel", "actor"])
    pipeline.mark(now_ms)
    found: list[Command] = []
    batches = follow(settings, COMPLAINT_EVENTS)
    async for batch in batches:
        records = [RawRecord(r.topic, r.partition, r.offset, r.timestamp_ms, r.value) for r in batch.records]
        found += commands(pipeline.feed(records, max(each.stamp_ms for each in records)))
        if batch.caught_up:
            break
    await batches.aclose()
    assert {each.command for each in found} == {"pause", "freeze", "escalate"}
    await give(settings, *found)
    return found


async def give(settings: CliSettings, *orders: Command) -> None:
    await send(
        settings,
        *((CHANNEL_COMMANDS, each.target.encode(), each.model_dump_json(by_alias=True).encode()) for each in orders),
    )


async def verified(settings: CliSettings, command_id: str | None = None, **more: Any) -> int:
    """The exit code of `tidegate verify`."""
    asked = {"command_id": command_id, "all": command_id is None, "alert": None, "since": None, "json": False} | more
    return await verify_io.verify(Namespace(**asked), settings)


def with_value(command: Command, value: float) -> Command:
    """The same order for another reason, with an id that belongs to it."""
    assert command.evidence is not None
    alert_id = derive("another alert")
    evidence = command.evidence.model_copy(update={"value": value})
    command_id = derive(alert_id, command.command, command.target, str(command.level))
    return command.model_copy(update={"command_id": command_id, "alert_id": alert_id, "evidence": evidence})


async def test_what_was_decided_is_proved_and_what_was_altered_differs(
    settings: CliSettings, capsys: pytest.CaptureFixture[str]
) -> None:
    orders = await decided(settings)
    assert await verified(settings) == 0
    assert f"{len(orders)}" in capsys.readouterr().out
    for each in orders:
        assert await verified(settings, each.command_id) == 0
    pause = next(each for each in orders if each.command == "pause")
    forged = with_value(pause, 19.5)
    await give(settings, forged)
    assert await verified(settings, forged.command_id) == 1
    assert "evidence.value: says 19.5, derived " in capsys.readouterr().out
    assert await verified(settings) == 1
    assert await verified(settings, pause.command_id) == 0


async def test_programs_are_told_of_each_step_and_of_all_orders_of_an_alert(
    settings: CliSettings, capsys: pytest.CaptureFixture[str]
) -> None:
    pause = next(each for each in await decided(settings) if each.command == "pause")
    assert await verified(settings, alert=pause.alert_id, json=True, all=False) == 0
    *steps, last = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert steps[-1]["read"] == steps[-1]["of"] > 0
    assert last["finding"] == {
        "command_id": pause.command_id,
        "command": "pause",
        "target": "channel:douyin",
        "level": 1,
        "outcome": "proved",
        "differences": [],
        "notes": [],
        "notes_zh": [],
    }
    assert await verified(settings, alert=derive("nothing"), json=True, all=False) == 3
    assert "no order of an indicator for alert" in capsys.readouterr().err


async def test_the_console_proves_an_alert_in_a_process_of_its_own(
    settings: CliSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    pause = next(each for each in await decided(settings) if each.command == "pause")
    monkeypatch.setenv("TIDEGATE_KAFKA", settings.kafka)
    monkeypatch.setenv("TIDEGATE_PREFIX", settings.prefix)
    prover, alert_id = Prover(), str(pause.alert_id)
    assert prover.start(alert_id, "li.wei")
    await eventually(lambda: (one := prover.look(alert_id)) is not None and one.outcome is not None, "the end", 60)
    found = prover.look(alert_id)
    assert found is not None
    assert (found.outcome, found.why) == ("proved", "")
    assert [(each.command, each.outcome) for each in found.findings] == [("pause", "proved")]
    assert found.read == found.of > 0


async def test_one_id_never_stands_for_two_orders(settings: CliSettings) -> None:
    orders = await decided(settings)
    await give(settings, orders[0])
    assert await verified(settings) == 0
    await give(settings, orders[0].model_copy(update={"issued_at": from_ms(0)}))
    assert await verified(settings, orders[0].command_id) == 1


async def test_what_cannot_be_derived_says_why(settings: CliSettings, capsys: pytest.CaptureFixture[str]) -> None:
    orders = await decided(settings)
    resume = Command(
        command_id=derive("resume"),
        command="resume",
        target="channel:douyin",
        issued_by="person:li",
        issued_at=orders[0].issued_at,
    )
    await give(settings, resume)
    assert await verified(settings, resume.command_id) == 3
    assert "ordered by person:li" in capsys.readouterr().out
    assert await verified(settings, derive("nothing")) == 3
    keyless = settings.model_copy(update={"ingest_pseudonym_key": None})
    assert await verified(keyless) == 3
    assert "TIDEGATE_INGEST_PSEUDONYM_KEY" in capsys.readouterr().out
    pause = next(each for each in orders if each.command == "pause")
    assert await verified(keyless, pause.command_id) == 0, "that people are the same is seen with any key"
    await forget(settings, 1)
    assert await verified(settings, pause.command_id) == 3
    assert "has no longer all" in capsys.readouterr().out


async def test_an_actor_that_was_named_by_the_key_before_is_proved_with_it(
    settings: CliSettings, capsys: pytest.CaptureFixture[str]
) -> None:
    await decided(settings)
    changed = settings.model_copy(update={"ingest_pseudonym_key": SecretStr("a newer key than the one before")})
    assert await verified(changed) == 1
    assert "TIDEGATE_CLI_OLD_PSEUDONYM_KEY" in capsys.readouterr().out
    assert await verified(changed.model_copy(update={"cli_old_pseudonym_key": SecretStr("some other old key")})) == 1
    assert await verified(changed.model_copy(update={"cli_old_pseudonym_key": SecretStr(KEY)})) == 0


async def forget(settings: CliSettings, offset: int) -> None:
    """The log begins there from now on, as when its retention is over."""
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.kafka)
    await admin.start()
    try:
        topic = settings.prefix + COMPLAINT_EVENTS
        await admin.delete_records({TopicPartition(topic, n): RecordsToDelete(offset) for n in range(2)})
    finally:
        await admin.close()


async def test_an_alert_is_told(settings: CliSettings, capsys: pytest.CaptureFixture[str]) -> None:
    pause = next(each for each in await decided(settings) if each.command == "pause")
    alert = AlertState(
        alert_id=str(pause.alert_id),
        status="open",
        severity="critical",
        indicator="complaint_volume",
        subject="channel:douyin",
        level=1,
        title=pause.reason or Bilingual(en="", zh=""),
        summary=Bilingual(en="", zh=""),
        opened_at=pause.issued_at,
        event_time=pause.event_time,
        value=20.0,
        threshold=20.0,
        evidence=pause.evidence,
    )
    value = json.dumps(json.loads(alert.model_dump_json(by_alias=True)) | {"seq": 1}).encode()
    await send(settings, (ALERT_STATE, alert.alert_id.encode(), value))
    assert await explain_io.run(Namespace(alert_id=alert.alert_id, lang="zh"), settings) == 0
    told = capsys.readouterr().out
    assert "渠道 douyin：今日投诉" in told
    assert f"tidegate verify {pause.command_id}" in told
    assert await explain_io.run(Namespace(alert_id=derive("nothing"), lang="en"), settings) == 3
