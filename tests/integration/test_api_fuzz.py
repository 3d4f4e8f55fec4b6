"""The HTTP APIs against their own OpenAPI documents: whatever is sent, the answer is one that the document promises."""

import asyncio
import sys
import uuid
from hashlib import sha256
from pathlib import Path

import pytest

from deploy.embedded.broker import Broker
from schemas.base import from_ms
from schemas.policy import Policy, PolicyRef
from schemas.readings import Reading, Standing, Tally
from schemas.topics import ALERT_STATE, CHANNEL_STATE, POLICY, READINGS
from services.runtime.kafka.kafka_io import ensure_topics, producer
from services.runtime.machines.machine import Output
from services.runtime.settings import CommonSettings
from tests.integration.http_service import running
from tests.integration.test_console import control
from tests.support.machines import send
from tests.unit.console.samples import alert, channel

CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"
SEED = "20261126"


@pytest.fixture
async def settings(broker: Broker) -> CommonSettings:
    settings = CommonSettings(kafka=broker.bootstrap, prefix=f"{uuid.uuid4().hex[:8]}.", partitions=2)
    await ensure_topics(settings)
    return settings


def environ_of(settings: CommonSettings, service: str, owners: Path) -> dict[str, str]:
    return {
        "TIDEGATE_KAFKA": settings.kafka,
        "TIDEGATE_PREFIX": settings.prefix,
        "TIDEGATE_PARTITIONS": str(settings.partitions),
        f"TIDEGATE_{service.upper()}_PORT": "0",
        f"TIDEGATE_{service.upper()}_TOKENS_FILE": str(owners),
    }


async def fuzz(url: str, folder: Path, examples: int) -> None:
    """Lets schemathesis send what it can think of; fails with what it found."""
    command = [
        sys.executable, "-m", "schemathesis.cli", "run", f"{url}/openapi.json", "--header", "Authorization: Bearer key",
        "--checks", CHECKS, "--max-examples", str(examples), "--seed", SEED, "--request-timeout", "40",
        "--generation-database", "none", "--phases", "examples,coverage,fuzzing",
    ]  # fmt: skip
    process = await asyncio.create_subprocess_exec(
        *command, cwd=folder, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    output, _ = await process.communicate()
    assert process.returncode == 0, output.decode()


async def test_the_console_answers_as_its_document_says(settings: CommonSettings, tmp_path: Path) -> None:
    owners = tmp_path / "people.yml"
    owners.write_text(f"- {{name: li.wei, sha256: {sha256(b'key').hexdigest()}, role: admin}}")
    states = [channel(f"channel:{name}", 1) for name in ("douyin", "weibo")]
    known = [Output(CHANNEL_STATE, each.target.encode(), each.model_dump_json().encode()) for each in states]
    policy = Policy(version=1)
    known += [
        Output(POLICY, policy.label.encode(), policy.model_dump_json().encode()),
        Output(POLICY, b"active", PolicyRef(name=policy.name, version=1).model_dump_json().encode()),
    ]
    values: dict[str, dict[str, Standing]] = {"cac_spike": {"channel:douyin": (0.3, 0.2, "breach")}}
    reading = Reading(writer="w", subject_kind="channel", at=from_ms(0), values=values)
    tally = Tally(writer="w", hour=from_ms(0), sums={"channel": {"douyin": {"clicks": 3.0}}})
    known += [Output(READINGS, b"w", each.model_dump_json().encode()) for each in (reading, tally)]
    known.append(Output(ALERT_STATE, (one := alert("fuzz")).alert_id.encode(), one.model_dump_json().encode()))
    async with producer(settings) as to:
        await send(settings, to, *known)
    with running("console", environ_of(settings, "console", owners), tmp_path / "log") as service:
        async with control(settings):
            await fuzz(service.url, tmp_path, 4)


async def test_the_gateway_answers_as_its_document_says(settings: CommonSettings, tmp_path: Path) -> None:
    owners = tmp_path / "senders.yml"
    owners.write_text(f"- {{name: app, sha256: {sha256(b'key').hexdigest()}, channels: '*', types: '*'}}")
    door = {"KEY": "k" * 32, "INSTITUTION": '{"name": {"en": "Demo Bank", "zh": "演示银行"}}', "PER_ADDRESS": "100000"}
    environ = environ_of(settings, "gateway", owners) | {
        f"TIDEGATE_GATEWAY_DOOR_{name}": value for name, value in door.items()
    }
    with running("gateway", environ, tmp_path / "log") as service:
        await fuzz(service.url, tmp_path, 15)
