"""`tidegate policy` on a real Kafka: one change at a time, taken up while everything runs."""

import asyncio
import contextlib
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from statistics import median

import httpx
import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from deploy.embedded.broker import Broker
from schemas.audit import AuditRecord
from schemas.frames import Mark, decode
from schemas.policy import Policy, PolicyInForce
from schemas.policy_topic import PolicyTopic
from schemas.topics import ALERTS, AUDIT, CHANNEL_COMMANDS, POLICY, SUBJECTS, frames
from services.cli.audit.audit_io import check as check_audit
from services.runtime.kafka import kafka_io
from services.runtime.kafka.kafka_io import Received
from services.runtime.settings import CommonSettings
from tests.integration import test_console, test_gateway
from tests.integration.http_service import running, until, until_ready
from tests.support.command_line import tidegate
from tests.support.ingest import Ingests, ingests

ROOT = Path(__file__).parents[2]
CALM = "indicators: {complaint_volume: {maturity: notify}}"
TAKEN_UP_WITHIN_MS = 2000


@pytest.fixture
async def system(broker: Broker, tmp_path: Path) -> AsyncIterator[Ingests]:
    async with ingests(broker.bootstrap, tmp_path) as found:
        yield found


def document(folder: Path, version: int, text: str = CALM) -> str:
    path = folder / f"{uuid.uuid4().hex[:6]}.yaml"
    path.write_text(f"version: {version}\n{text}\n")
    return str(path)


async def records(settings: CommonSettings, topic: str) -> list[Received]:
    """All that is in a topic."""
    found: list[Received] = []
    async with contextlib.aclosing(kafka_io.follow(settings, topic)) as batches:
        async for batch in batches:
            found += batch.records
            if batch.caught_up:
                break
    return found


async def topic_of(settings: CommonSettings) -> PolicyTopic:
    topic = PolicyTopic()
    for key, value in (await kafka_io.read_compacted(settings, POLICY)).items():
        topic.fold(key, value)
    return topic


async def test_a_change_goes_its_way_from_the_document_to_the_logs(system: Ingests, tmp_path: Path) -> None:
    settings = system.settings
    assert await tidegate(settings, "policy", "apply", document(tmp_path, 1)) == (
        0,
        "default/1 is in force now (the first one, which needs no approval)",
    )
    code, said = await tidegate(settings, "policy", "apply", document(tmp_path, 2, "tresholds: 1"), "--as", "zhao")
    assert (code, said.endswith(".yaml:2: tresholds: is not known; is it misspelt, or in the wrong place?")) == (
        1,
        True,
    )
    auto = document(tmp_path, 2, "max_silence: 1h")
    assert (await tidegate(settings, "policy", "apply", auto))[1].startswith("say who you are")
    code, said = await tidegate(settings, "policy", "apply", auto, "--as", "zhao", "--note", "calm enough")
    assert (code, "approve default/2" in said) == (0, True)
    assert (await topic_of(settings)).active == "default/1"
    assert (await tidegate(settings, "policy", "approve", "2", "--as", "zhao"))[0] == 1
    code, said = await tidegate(settings, "policy", "approve", "2", "--as", "li")
    assert (code, said.startswith("1 of 2 people agree.")) == (0, True)
    assert await tidegate(settings, "policy", "approve", "2", "--as", "wang") == (0, "default/2 is in force now")
    assert await tidegate(settings, "policy", "rollback", "1", "--as", "li") == (0, "default/3 is in force now")
    again = document(tmp_path, 4, "max_silence: 1h")
    assert (await tidegate(settings, "policy", "apply", again, "--as", "zhao"))[0] == 0
    assert (await tidegate(settings, "policy", "withdraw", "4", "--as", "li", "--note", "no"))[0] == 1
    code, said = await tidegate(settings, "policy", "reject", "4", "--as", "li", "--note", "too soon")
    assert (code, said) == (0, "default/4 is rejected; default/3 stays in force")
    assert "rejected by person:li" in (await tidegate(settings, "policy", "history"))[1]
    assert (await tidegate(settings, "policy", "diff", auto, "3"))[1].splitlines() == [
        "version: 2 → 3",
        "max_silence: 1h → 2h",
        "indicators.complaint_volume.maturity.pause: auto → notify",
    ]
    assert "maturity: notify" in (await tidegate(settings, "policy", "show"))[1]
    stressed = await tidegate(settings, "stress", "--policy", "in-force", "/dev/null")
    assert stressed[1].startswith("1 of 1 materials would fail (100.0%) under default/3"), stressed
    assert "→ default/3" in (await tidegate(settings, "policy", "history"))[1]
    older = await tidegate(settings, "policy", "apply", "--if-newer", document(tmp_path, 1))
    assert older == (0, "default/3 stays in force, default/1 is not newer")
    assert await tidegate(settings, "policy", "apply", document(tmp_path, 3)) == (0, "default/3 is in force")

    audit = [AuditRecord.model_validate_json(each.value or b"") for each in await records(settings, AUDIT)]
    assert sorted((each.what, each.who, each.target, each.outcome) for each in audit) == [
        ("apply_policy", "person:zhao", "policy:default/2", "waiting"),
        ("apply_policy", "person:zhao", "policy:default/4", "waiting"),
        ("apply_policy", "system", "policy:default/1", "done"),
        ("approve_policy", "person:li", "policy:default/2", "waiting"),
        ("approve_policy", "person:wang", "policy:default/2", "done"),
        ("reject_policy", "person:li", "policy:default/4", "done"),
        ("roll_back_policy", "person:li", "policy:default/3", "done"),
    ]
    chains = await check_audit(settings)
    assert (chains.findings, sum(end.number for end in chains.ends.values())) == ([], 7)
    for log in (CHANNEL_COMMANDS, ALERTS):
        for partition in range(settings.partitions):
            told = [each for each in await records(settings, log) if each.partition == partition]
            versions = [PolicyInForce.model_validate_json(each.value or b"").policy.version for each in told]
            assert versions == [1, 2, 3, 3], "each change, and once more for what is in force already"
            assert [each.offset for each in told] == list(range(len(told))), "without a gap, as machines demand"


async def test_the_logs_are_told_of_a_change_that_is_late_to_show(system: Ingests, tmp_path: Path) -> None:
    """A commit is answered before everybody can read what it wrote; a transaction that is open before it makes that
    long."""
    settings, others = system.settings, kafka_io.producer(system.settings, transactional_id="before")
    await others.start()
    try:
        await others.begin_transaction()
        await others.send_and_wait(settings.prefix + POLICY, b"", b"not ours", partition=0)
        applying = asyncio.create_task(tidegate(settings, "policy", "apply", document(tmp_path, 1)))
        await until_written(settings, 2)
        assert not (await asyncio.wait([applying], timeout=1))[0], "it is not done before the logs are told"
        await others.abort_transaction()
    finally:
        await others.stop()
    assert (await applying)[0] == 0
    for log in (CHANNEL_COMMANDS, ALERTS):
        assert {each.partition for each in await records(settings, log)} == set(range(settings.partitions))


async def until_written(settings: CommonSettings, count: int) -> None:
    """So many records are on the policy topic, committed or not."""
    at = TopicPartition(settings.prefix + POLICY, 0)
    client = AIOKafkaConsumer(bootstrap_servers=settings.kafka)
    await client.start()
    try:
        async with asyncio.timeout(20):
            while (await client.end_offsets([at]))[at] < count:  # noqa: ASYNC110 - it is the broker that knows
                await asyncio.sleep(0.05)
    finally:
        await client.stop()


async def test_two_people_at_once_lose_nothing_silently(system: Ingests, tmp_path: Path) -> None:
    settings = system.settings
    await tidegate(settings, "policy", "apply", document(tmp_path, 1))
    people = [
        tidegate(
            settings, "policy", "apply", document(tmp_path, 2, f"max_silence: {hours}h\n{CALM}"), "--as", f"p{hours}"
        )
        for hours in range(3, 8)
    ]
    answers = await asyncio.gather(*people)
    won = [hours for hours, (code, _) in enumerate(answers, start=3) if code == 0]
    assert len(won) == 1, answers
    lost = [said for code, said in answers if code]
    reasons = ("somebody else", "another content", "Kafka did not answer for it")
    assert all(any(reason in said for reason in reasons) for said in lost), lost
    assert not any("Traceback" in said for said in lost if "Kafka" not in said), lost
    policy = (await topic_of(settings)).in_force()
    assert policy is not None
    assert policy.max_silence.total_seconds() == won[0] * 3600
    assert (await check_audit(settings)).findings == []
    told = [each for each in await records(settings, CHANNEL_COMMANDS) if each.partition == 0]
    assert PolicyInForce.model_validate_json(told[-1].value or b"").policy == policy


async def first_marks(settings: CommonSettings, subject: str, label: str) -> list[Received]:
    """Of each partition the first mark that carries a policy; it tells its document."""
    found: dict[int, Received] = {}
    async with asyncio.timeout(20), contextlib.aclosing(kafka_io.follow(settings, frames(subject))) as batches:
        async for batch in batches:
            for each in batch.records:
                mark = decode(each.value or b"")
                if isinstance(mark, Mark) and mark.policy == label and each.partition not in found:
                    assert Policy.model_validate_json(mark.document or b"").label == label
                    found[each.partition] = each
            if len(found) == settings.partitions:
                break
    return list(found.values())


async def first_told(settings: CommonSettings, log: str, version: int) -> list[Received]:
    """Of each partition of a machine's own log the first record of a policy."""
    found: dict[int, Received] = {}
    for each in await records(settings, log):
        if PolicyInForce.model_validate_json(each.value or b"").policy.version == version:
            found.setdefault(each.partition, each)
    assert len(found) == settings.partitions
    return list(found.values())


@contextlib.asynccontextmanager
async def onlookers(
    settings: CommonSettings, folder: Path
) -> AsyncIterator[dict[str, Callable[[int], Awaitable[bool]]]]:
    """A console and a gateway as processes; by name, whether it shows a version of the policy."""
    door = {
        "TIDEGATE_GATEWAY_DOOR_KEY": "0123456789abcdef" * 2,
        "TIDEGATE_GATEWAY_DOOR_INSTITUTION": '{"name": {"en": "Demo Bank", "zh": "演示银行"}}',
    }
    viewer = {"Authorization": "Bearer viewer"}
    with (
        running("console", test_console.environ_of(settings, folder), folder / "console.log") as console,
        running("gateway", test_gateway.environ_of(settings, folder) | door, folder / "gateway.log") as gateway,
    ):
        async with (
            httpx.AsyncClient(base_url=console.url, headers=viewer, trust_env=False) as inside,
            httpx.AsyncClient(base_url=gateway.url, trust_env=False) as outside,
        ):
            await until_ready(inside)
            await until_ready(outside)

            async def in_console(version: int) -> bool:
                return bool((await inside.get("/api/v1/policies")).json()["active"] == f"default/{version}")

            async def at_the_door(version: int) -> bool:
                return f">channel of {version}<" in (await outside.get("/complaints?lang=en")).text

            yield {"the console": in_console, "the gateway's door": at_the_door}


async def seen_ms(shows: Callable[[int], Awaitable[bool]], version: int) -> int:
    """When somebody shows a version, by the clock that the broker stamps records with."""

    async def look() -> bool:
        return await shows(version)

    await until(look)
    return time.time_ns() // 1_000_000


def named(version: int) -> str:
    """A document with a channel by whose name the door tells the version."""
    name = f"channel of {version}"
    return f"{CALM}\ndirectory: {{channels: {{douyin: {{name: {{en: {name}, zh: {name}}}}}}}}}"


async def test_a_change_is_taken_up_by_everybody_within_two_seconds(system: Ingests, tmp_path: Path) -> None:
    """The logs by the broker's stamps; the console and the door, which are asked all the while, by what they show."""
    settings = system.settings
    await tidegate(settings, "policy", "apply", document(tmp_path, 1, named(1)))
    process = system.start()
    await process.until_said("policy in force")
    for subject in SUBJECTS:
        await first_marks(settings, subject, "default/1")
    delays: dict[str, list[int]] = {}
    async with onlookers(settings, tmp_path) as looking:
        for version in range(2, 6):
            file = document(tmp_path, version, named(version))
            watching = [asyncio.create_task(seen_ms(shows, version)) for shows in looking.values()]
            code, said = await tidegate(settings, "policy", "apply", file, "--as", "zhao")
            assert code == 0, said
            shown = await asyncio.gather(*watching)
            active = [each for each in await records(settings, POLICY) if each.key == b"active"][-1]
            told = {name: [at_ms] for name, at_ms in zip(looking, shown, strict=True)}
            told |= {
                log: [each.timestamp_ms for each in await first_told(settings, log, version)]
                for log in (CHANNEL_COMMANDS, ALERTS)
            }
            for subject in SUBJECTS:
                marks = await first_marks(settings, subject, f"default/{version}")
                told[f"marks of {subject}"] = [each.timestamp_ms for each in marks]
            for name, at in told.items():
                delays.setdefault(name, []).extend(each - active.timestamp_ms for each in at)
    for name, found in delays.items():
        print(f"{name}: {min(found)} to {max(found)} ms after the change")
    late = {name: found for name, found in delays.items() if median(found) > TAKEN_UP_WITHIN_MS}
    assert late == {}, "a machine that stands still for a moment is no reason, but usually it is in time"
    assert {name: found for name, found in delays.items() if max(found) > 5 * TAKEN_UP_WITHIN_MS} == {}
