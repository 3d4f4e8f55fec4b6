"""The deliverer against servers of ours that look at what each kind of receiver would look at."""

import base64
import hashlib
import hmac
import json
import logging
import time
from email import message_from_bytes, policy
from pathlib import Path

import pytest
from standardwebhooks import Webhook

from services.alerting.receivers.book import parse_book
from services.alerting.receivers.receiver import Receiver
from services.alerting.sending.delivery import Patience
from services.alerting.sending.linking import Linker
from services.runtime.http.signed_notes import unseal
from services.runtime.logs import NOISY
from tests.integration.alert_receivers import KEY, Desk, Post, World, delivering, due, post, world
from tests.integration.alerting_bench import until
from tests.unit.alerting.receivers.samples import ENVIRON
from tests.unit.alerting.sending.test_signing import SECRET

TAKEN = '{"code":0,"errcode":0}'


def receivers(there: World, *, rate: str = "") -> dict[str, Receiver]:
    """One of every kind but e-mail, all at the same server."""
    chat = ("slack", "feishu", "dingtalk", "wecom")
    environ = ENVIRON | {f"{kind.upper()}_URL": f"{there.url}/{kind}?access_token=hidden-token" for kind in chat}
    book = f"""
- {{name: default, kind: webhook, url: env:WEBHOOK_URL, secret: env:WEBHOOK_SECRET}}
- {{name: slack, kind: slack, url: env:SLACK_URL{rate}}}
- {{name: pagerduty, kind: pagerduty, routing_key: env:PAGER_KEY, url: '{there.url}'}}
- {{name: feishu, kind: feishu, url: env:FEISHU_URL, secret: env:CHAT_SECRET}}
- {{name: dingtalk, kind: dingtalk, url: env:DINGTALK_URL, secret: env:CHAT_SECRET}}
- {{name: wecom, kind: wecom, url: env:WECOM_URL}}
- {{name: alertmanager, kind: alertmanager, url: '{there.url}', token: env:PROXY_TOKEN}}
"""
    return parse_book(book.encode(), environ | {"WEBHOOK_URL": f"{there.url}/webhook"}, Path())


def mailbox(there: Post) -> Receiver:
    """Two mailboxes by the mail server."""
    book = f"""
- name: default
  kind: email
  host: 127.0.0.1
  port: {there.port}
  ca_file: {there.ca_file}
  username: tidegate
  password: env:MAIL_PASSWORD
  sender: tidegate@bank.example
  recipients: [risk@bank.example, on-call@bank.example]
"""
    return parse_book(book.encode(), ENVIRON, Path())["default"]


async def test_each_kind_gets_what_it_verifies() -> None:
    async with world() as there:
        found = receivers(there)
        desk = Desk([due(number, name) for number, name in enumerate(found)])
        linker = Linker("https://tidegate.example", KEY, 86_400)
        async with delivering(desk, found.values(), linker=linker):
            await until(lambda: len(desk.reports) == len(found))
        assert desk.outcomes() == [("delivered", None)] * len(found)
        (hook,) = there.at("/webhook")
        verified = Webhook(SECRET).verify(hook.body, hook.headers)
        (feishu,), (dingtalk,) = there.at("/feishu"), there.at("/dingtalk")
        said = json.loads(feishu.body)
        key = f"{said['timestamp']}\n{ENVIRON['CHAT_SECRET']}".encode()
        assert abs(int(said["timestamp"]) - time.time()) < 60
        assert base64.b64decode(said["sign"]) == hmac.new(key, digestmod=hashlib.sha256).digest()
        signed = f"{dingtalk.query['timestamp']}\n{ENVIRON['CHAT_SECRET']}".encode()
        assert abs(int(dingtalk.query["timestamp"]) / 1000 - time.time()) < 60
        expected = hmac.new(ENVIRON["CHAT_SECRET"].encode(), signed, hashlib.sha256).digest()
        assert base64.b64decode(dingtalk.query["sign"]) == expected
        assert dingtalk.query["access_token"] == "hidden-token"
        assert there.at("/api/v2/alerts")[0].headers["authorization"] == "Bearer token-of-the-proxy"
        assert json.loads(there.at("/v2/enqueue")[0].body)["routing_key"] == ENVIRON["PAGER_KEY"]
        links = verified["links"]
        assert unseal(KEY, links["alert"].removeprefix("https://tidegate.example/alert/"), time.time())[1] == (
            "alert",
            f"{0:032x}",
        )
        acknowledged = unseal(KEY, links["acknowledge"].removeprefix("https://tidegate.example/ack/"), time.time())[1]
        assert acknowledged == ("ack", f"{0:032x}", "default")
        assert links["alert"].rpartition("/")[0] in there.at("/slack")[0].body.decode()


@pytest.mark.parametrize("name", ["feishu", "dingtalk", "wecom"])
async def test_a_yes_with_an_error_in_it_is_tried_again(name: str) -> None:
    async with world() as there:
        there.says(f"/{name}", (200, '{"code":9499,"errcode":310000}'), (200, "<html>"), (200, TAKEN))
        desk = Desk([due(1, name)])
        async with delivering(desk, receivers(there).values()):
            await until(lambda: desk.reports)
        assert desk.outcomes() == [("delivered", None)]
        assert len(there.at(f"/{name}")) == 3


async def test_one_that_is_away_holds_up_no_other() -> None:
    async with world() as there:
        there.says("/wecom", (500, ""))
        desk = Desk([due(1, "wecom"), due(2, "feishu"), due(3, "default")])
        async with delivering(desk, receivers(there).values()) as (lines, health):
            await until(lambda: len(desk.reports) == 2 and len(there.at("/wecom")) > 2)
            assert desk.outcomes() == [("delivered", None)] * 2
            assert [name for name, one in lines.conditions().items() if one.works] == ["default", "feishu"]
            assert health.ready()
            there.says("/wecom", (200, TAKEN))
            await until(lambda: len(desk.reports) == 3)
            assert lines.conditions()["wecom"].works


async def test_a_receiver_is_not_told_faster_than_it_takes() -> None:
    async with world() as there:
        desk = Desk([due(number, "slack") for number in range(3)])
        began = time.monotonic()
        async with delivering(desk, receivers(there).values()):
            await until(lambda: len(desk.reports) == 3)
        last = max(one.at for one in there.at("/slack"))
        assert last - began >= 1.9, "one a second"


async def test_a_name_that_nobody_has_ends_the_message_and_is_remembered() -> None:
    async with world() as there:
        desk = Desk([due(1, "colleagues")])
        async with delivering(desk, receivers(there).values()) as (lines, _):
            await until(lambda: desk.reports)
            assert list(lines.unknown) == ["colleagues"]
        assert desk.outcomes() == [("failed", "no receiver is called colleagues")]
        assert there.taken == []


async def test_nobody_is_told_that_he_is_dead_but_by_another_way() -> None:
    async with world() as there:
        there.says("/webhook", (410, ""))
        desk = Desk([due(1, "default")])
        async with delivering(desk, receivers(there).values()) as (_, health):
            await until(lambda: desk.reports)
            assert not health.ready()
            assert health.states()[0].reason.startswith("default: ")
            desk.due.append(due(2, "default", subject="receiver:default"))
            desk.due.append(due(3, "slack", subject="receiver:default"))
            desk.kick(0)
            await until(lambda: len(desk.reports) == 3)
        assert [outcome for outcome, _ in desk.outcomes()] == ["failed", "delivered", "delivered"]
        assert len(there.at("/webhook")) == 1
        assert len(there.at("/slack")) == 2


async def test_a_mail_goes_over_starttls_with_a_password(tmp_path: Path) -> None:
    async with post(tmp_path) as there:
        desk = Desk([due(1, "default")])
        async with delivering(desk, [mailbox(there)]):
            await until(lambda: desk.reports)
        assert desk.outcomes() == [("delivered", None)]
        (envelope,) = there.taken
        assert envelope.rcpt_tos == ["risk@bank.example", "on-call@bank.example"]
        content = envelope.content
        assert isinstance(content, bytes)
        mail = message_from_bytes(content, policy=policy.default)
        assert mail["message-id"] == f"<{1001:032x}@tidegate>"
        assert "抖音今日投诉 20 起" in mail["subject"]
        plain = mail.get_body(("plain",))
        assert plain is not None
        assert "20 complaints on Douyin today" in plain.get_content()


async def test_a_mail_server_may_answer_in_any_encoding(tmp_path: Path) -> None:
    async with post(tmp_path) as there:
        there.says = "250 已收到".encode("gbk")
        desk = Desk([due(1, "default")])
        async with delivering(desk, [mailbox(there)]):
            await until(lambda: desk.reports)
        assert (desk.outcomes(), len(there.taken)) == ([("delivered", None)], 1)


async def test_a_wrong_password_is_tried_again_and_the_mailboxes_of_others_get_it_once(tmp_path: Path) -> None:
    async with post(tmp_path) as there:
        there.password = "another"
        there.refuses = {"risk@bank.example"}
        desk = Desk([due(1, "default")])
        async with delivering(desk, [mailbox(there)]) as (lines, _):
            await until(lambda: lines.conditions()["default"].problem.en == "answered 535")
            there.password = ENVIRON["MAIL_PASSWORD"]
            await until(lambda: desk.reports)
        assert desk.outcomes() == [("delivered", None)]
        assert [one.rcpt_tos for one in there.taken] == [["on-call@bank.example"]]


async def test_a_mail_server_that_nobody_vouches_for_gets_nothing(tmp_path: Path) -> None:
    async with post(tmp_path) as there:
        stranger = mailbox(there).model_copy(update={"ca_file": None})
        desk = Desk([due(1, "default")])
        async with delivering(desk, [stranger], patience=Patience(0.01, 0.02, give_up_after_s=0.2)):
            await until(lambda: desk.reports)
        assert there.taken == []
        assert desk.outcomes()[0][0] == "failed"


async def test_no_secret_of_any_kind_gets_into_logs_or_reports(
    caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    caplog.set_level(logging.DEBUG)
    # Long pauses for so short a time: a chat that takes twenty a minute would let the next one wait for the minute.
    haste = Patience(0.05, 0.1, give_up_after_s=0.3)
    async with world() as there, post(tmp_path) as mail:
        mail.password = "another"
        echo = json.dumps({"code": 1, "errcode": 1, "msg": "hidden-token", "errmsg": "hidden-token"})
        found = [*receivers(there).values(), mailbox(mail).model_copy(update={"name": "email"})]
        for path in ("/webhook", "/slack", "/v2/enqueue", "/feishu", "/dingtalk", "/wecom", "/api/v2/alerts"):
            there.says(path, (500, echo), (200, echo), (500, echo))
        desk = Desk([due(number, one.name) for number, one in enumerate(found)])
        linker = Linker("https://tidegate.example", KEY, 86_400)
        async with delivering(desk, found, patience=haste, linker=linker) as (lines, _):
            await until(lambda: len(desk.reports) == len(found))
            conditions = lines.conditions()
    foreign = (*NOISY, "mail")  # kept to warnings by our configuration; and the mail server of the tests
    ours = [record for record in caplog.records if record.name.partition(".")[0] not in foreign]
    said = "".join(f"{record.getMessage()} {vars(record)}" for record in ours)
    said += str(desk.reports) + str(conditions) + repr(found)
    assert "an attempt failed" in said
    for secret in (*ENVIRON.values(), "hidden-token", KEY.decode(), "/ack/"):
        assert secret.removeprefix("whsec_") not in said
