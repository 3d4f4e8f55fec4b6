"""`tidegate alert test` as people run it, against servers of ours."""

import asyncio
import json
import os
import sys
from pathlib import Path

import pytest

from tests.integration.alert_receivers import World, world

BOOK = """
- {name: default, kind: slack, url: env:SLACK_HOOK}
- {name: pager, kind: pagerduty, routing_key: env:PAGER_KEY, url: '%s'}
- {name: chat, kind: dingtalk, url: env:CHAT_HOOK, secret: env:CHAT_SECRET}
"""
SECRETS = {"PAGER_KEY": "f" * 32, "CHAT_SECRET": "SECsecret-of-the-robot"}


async def tidegate(there: World, folder: Path, *arguments: str, **more: str) -> tuple[int, str, str]:
    """Runs `tidegate alert test`; the exit code and what it printed."""
    (folder / "receivers.yaml").write_text(BOOK % there.url)
    environ = {name: value for name, value in os.environ.items() if not name.startswith("TIDEGATE_")}
    environ |= SECRETS | {
        "SLACK_HOOK": f"{there.url}/slack/hidden-part",
        "CHAT_HOOK": f"{there.url}/chat?access_token=hidden-token",
        "TIDEGATE_ALERTING_RECEIVERS": str(folder / "receivers.yaml"),
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "services.cli", "alert", "test"),
        *arguments,
        env=environ | more,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    assert process.returncode is not None
    return process.returncode, out.decode(), err.decode()


async def test_it_says_what_came_back_and_never_a_secret(tmp_path: Path) -> None:
    async with world() as there:
        there.says(
            "/chat", (200, '{"errcode":310000,"errmsg":"sign not match for hidden-token, SECsecret-of-the-robot"}')
        )
        code, out, err = await tidegate(there, tmp_path, "chat")
        assert (code, err) == (1, "")
        assert out == (
            "chat (dingtalk) did not take the test alert, answered 200 with code 310000: sign not match for ***, ***\n"
        )
        there.says("/chat", (200, '{"errcode":0,"errmsg":"ok"}'))
        code, out, _ = await tidegate(there, tmp_path, "chat", "--lang", "zh", "--severity", "critical")
        assert (code, out) == (0, "chat (dingtalk) took the test alert, answered 200: ok\n")
        sent = json.loads(there.at("/chat")[-1].body)["markdown"]["text"]
        assert sent.startswith("【严重】测试消息，并无异常。")


async def test_what_would_go_on_ringing_is_told_of_the_end(tmp_path: Path) -> None:
    async with world() as there:
        code, out, _ = await tidegate(there, tmp_path, "pager")
        assert code == 0
        assert len(out.splitlines()) == 2
        events = [json.loads(one.body) for one in there.at("/v2/enqueue")]
        assert [event["event_action"] for event in events] == ["trigger", "resolve"]
        assert len({event["dedup_key"] for event in events}) == 1
        assert "TEST" in events[0]["payload"]["summary"]


ROUTES = """
name: mine
version: 1
alerting:
  routes:
    - {name: night, receivers: [chat, default], language: zh, ladder: [{after: 10m, receivers: [pager, chat]}]}
    - {name: stray, receivers: [nobody]}
"""


async def test_a_route_is_tried_with_all_whom_it_may_tell_in_its_language(tmp_path: Path) -> None:
    (tmp_path / "policy.yaml").write_text(ROUTES)
    async with world() as there:
        there.says("/chat", (200, '{"errcode":310000}'))
        arguments = ("--route", "--policy", str(tmp_path / "policy.yaml"))
        code, out, _ = await tidegate(there, tmp_path, "night", *arguments)
        assert code == 1, "one of them has not taken it"
        assert [line.split()[0] for line in out.splitlines()] == ["chat", "default", "pager", "pager"]
        assert "【警告】测试消息" in json.loads(there.at("/slack/hidden-part")[0].body)["text"]
        code, out, err = await tidegate(there, tmp_path, "stray", *arguments)
        assert (code, out, err) == (2, "", "no receiver is called nobody\nthere are: chat, default, pager\n")
        code, out, err = await tidegate(there, tmp_path, "day", *arguments)
        assert (code, out, err) == (2, "", "no route is called day\nthere are: night, stray\n")


@pytest.mark.parametrize(
    ("arguments", "more", "problem"),
    [
        (("nobody",), {}, "no receiver is called nobody\nthere are: chat, default, pager\n"),
        (("chat",), {"CHAT_SECRET": ""}, "chat: secret the variable CHAT_SECRET is not set"),
        ((), {}, "NAME"),
    ],
)
async def test_what_cannot_be_tried_is_said_and_sends_nothing(
    tmp_path: Path, arguments: tuple[str, ...], more: dict[str, str], problem: str
) -> None:
    async with world() as there:
        code, out, err = await tidegate(there, tmp_path, *arguments, **more)
        assert (code, out) == (2, "")
        assert problem in err
        assert there.taken == []
        assert "hidden" not in err


async def test_one_that_is_not_there_is_said_without_its_address(tmp_path: Path) -> None:
    async with world() as there:
        code, out, err = await tidegate(there, tmp_path, "default", SLACK_HOOK="http://127.0.0.1:1/hidden")
        assert (code, out) == (1, "default (slack) did not take the test alert, could not connect\n")
        assert "hidden" not in err
