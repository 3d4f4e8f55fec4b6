"""The stand-in receiver: it accepts what the reference library verifies, and nothing else."""

import os
import subprocess
import sys
import time

import pytest

from services.alerting.sending.signing import headers
from services.alerting.telling import Due
from tests.integration.alerting_bench import SECRET, Receiver, receiver
from tests.unit.alerting.facts import ALERTS


def message(body: str = '{"type":"alert.opened"}') -> Due:
    return Due(
        webhook_id="ab" * 16,
        alert_id=ALERTS[0],
        number=0,
        change="alert.opened",
        rank=(2, 1),
        decided_ms=0,
        body=body,
    )


async def post(there: Receiver, due: Due, at: float, path: str = "/") -> int:
    signed = headers(due, SECRET, at)
    return (await there.client.post(path, content=due.body, headers=signed)).status_code


async def test_it_keeps_a_message_once_and_counts_its_repeats() -> None:
    async with receiver() as there:
        assert [await post(there, message(), time.time(), path) for path in ("/", "/any/where")] == [204, 204]
        (kept,) = await there.messages()
        assert (kept["webhook_id"], kept["times"], kept["message"]) == (f"msg_{'ab' * 16}", 2, {"type": "alert.opened"})


@pytest.mark.parametrize("wrong", ["signature", "age", "no signature", "no JSON"])
async def test_what_does_not_verify_is_refused_and_not_kept(wrong: str) -> None:
    async with receiver() as there:
        if wrong == "age":
            status = await post(there, message(), time.time() - 3600)
        elif wrong == "no JSON":
            status = await post(there, message("{"), time.time())
        else:
            signed = headers(message(), SECRET, time.time()) if wrong == "signature" else {}
            status = (await there.client.post("/", content='{"type":"alert.resolved"}', headers=signed)).status_code
        assert status == 401
        assert await there.messages() == []
        assert [one["verified"] for one in await there.attempts()] == [False]


async def test_it_misbehaves_as_often_as_it_is_told() -> None:
    async with receiver() as there:
        await there.told(status=503, times=2, retry_after="9")
        answers = [await post(there, message(), time.time()) for _ in range(3)]
        assert answers == [503, 503, 204]
        assert [one["times"] for one in await there.messages()] == [1]


@pytest.mark.parametrize(
    ("secret", "problem"),
    [
        ("", "is required, or TIDEGATE_DEMO_WEBHOOK_SECRET_FILE"),
        ("hidden", "must be whsec_ and 24 to 64 bytes in base64"),
    ],
)
def test_without_a_usable_secret_it_does_not_start(secret: str, problem: str) -> None:
    environ = {name: value for name, value in os.environ.items() if not name.startswith("TIDEGATE_")}
    command = [sys.executable, "-m", "deploy.demo.receiver", "--port", "0"]
    environ |= {"TIDEGATE_DEMO_RATE": "50", "TIDEGATE_DEMO_WEBHOOK_SECRET": secret}
    ended = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 2
    assert ended.stderr.splitlines()[1:] == [f"  TIDEGATE_DEMO_WEBHOOK_SECRET: {problem}"]
