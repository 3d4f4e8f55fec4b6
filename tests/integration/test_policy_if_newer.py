"""What a start makes of a policy document, on a real broker."""

import uuid
from pathlib import Path

import pytest

from deploy.embedded.broker import Broker
from schemas.policy import PolicyRef
from schemas.topics import CHANNEL_COMMANDS, POLICY
from services.cli.__main__ import parser
from services.cli.settings import CliSettings
from services.runtime.kafka.kafka_io import ensure_topics, follow, read_compacted


@pytest.fixture
async def settings(broker: Broker) -> CliSettings:
    settings = CliSettings(kafka=broker.bootstrap, prefix=f"{uuid.uuid4().hex[:8]}.", cli_person="zhao")
    await ensure_topics(settings)
    return settings


async def test_a_start_puts_only_a_newer_policy_in_force(
    settings: CliSettings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "policy.yaml"

    async def start(document: str) -> tuple[int, str]:
        file.write_text(document)
        arguments = parser().parse_args(["policy", "apply", "--if-newer", str(file)])
        return await arguments.run(arguments, settings), capsys.readouterr().out

    async def active() -> str:
        ref = PolicyRef.model_validate_json((await read_compacted(settings, POLICY))[b"active"])
        return f"{ref.name}/{ref.version}"

    assert await start("{name: bank, version: 2}") == (
        0,
        "bank/2 is in force now (the first one, which needs no approval)\n",
    )
    assert await start("{name: bank, version: 1}") == (0, "bank/2 stays in force, bank/1 is not newer\n")
    assert await start("{name: other, version: 9}") == (0, "bank/2 stays in force, other/9 is not newer\n")
    assert await start("{name: bank, version: 2}") == (0, "bank/2 is in force\n")
    assert await active() == "bank/2"
    changed = "{name: bank, version: 2, max_silence: 1h}"
    assert (await start(changed))[0] == 1, "an edited document must not be passed over in silence"
    assert await start("{name: bank, version: 3}") == (0, "bank/3 is in force now\n")
    assert await active() == "bank/3"
    batches = follow(settings, CHANNEL_COMMANDS, [0])
    assert len((await anext(batches)).records) == 3, "once for each, and again for the one that was in force already"
    await batches.aclose()
