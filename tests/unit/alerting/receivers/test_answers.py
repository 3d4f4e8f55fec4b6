"""Signatures by their published formulas, and answers that say no under a status that says yes."""

import base64
import hashlib
import hmac
import json
from urllib.parse import parse_qs, urlsplit

import pytest
from pydantic import SecretStr

from services.alerting.receivers.slack import Slack
from services.runtime.http.outgoing import Reply, Request
from tests.unit.alerting.receivers.samples import ENVIRON, NOW, SAMPLES, receivers


def answered(status: int, retry_after: str | None, body: bytes) -> Reply:
    """What came back."""
    return Reply(status, None, retry_after, body)


SAMPLE = SAMPLES["opened, acted, in English"]


def test_feishus_signature_is_that_of_its_documentation() -> None:
    """Base64(HMAC-SHA256(key = timestamp + newline + secret, message = nothing)), the time in seconds."""
    sent = receivers()["feishu"].render(SAMPLE, NOW)
    assert isinstance(sent, Request)
    body = json.loads(sent.body)
    assert body["timestamp"] == str(int(NOW))
    key = (body["timestamp"] + "\n" + ENVIRON["CHAT_SECRET"]).encode()
    assert base64.b64decode(body["sign"]) == hmac.new(key, digestmod=hashlib.sha256).digest()


def test_dingtalks_signature_is_that_of_its_documentation() -> None:
    """Base64(HMAC-SHA256(key = secret, message = timestamp + newline + secret)), the time in milliseconds."""
    sent = receivers()["dingtalk"].render(SAMPLE, NOW)
    assert isinstance(sent, Request)
    given = {name: values[0] for name, values in parse_qs(urlsplit(sent.url).query).items()}
    assert given["timestamp"] == str(int(NOW * 1000))
    message = f"{given['timestamp']}\n{ENVIRON['CHAT_SECRET']}".encode()
    expected = hmac.new(ENVIRON["CHAT_SECRET"].encode(), message, hashlib.sha256).digest()
    assert base64.b64decode(given["sign"]) == expected
    assert given["access_token"] == "0123456789abcdef"


@pytest.mark.parametrize(
    ("name", "body", "delivered", "problem"),
    [
        ("feishu", b'{"code":0,"msg":"success","data":{}}', True, None),
        ("feishu", b'{"code":19021,"msg":"sign match fail"}', False, "answered 200 with code 19021"),
        ("dingtalk", b'{"errcode":0,"errmsg":"ok"}', True, None),
        ("dingtalk", b'{"errcode":310000,"errmsg":"sign not match"}', False, "answered 200 with code 310000"),
        ("wecom", b'{"errcode":40058,"errmsg":"exceed max length"}', False, "answered 200 with code 40058"),
        ("wecom", b"<html>", False, "answered without a code that can be read"),
        ("wecom", b'{"errcode":"0"}', False, "answered without a code that can be read"),
        ("wecom", b"[" * 4000, False, "answered without a code that can be read"),
        ("slack", b"ok", True, None),
        ("pagerduty", b"", True, None),
    ],
)
def test_what_an_answer_of_200_means(name: str, body: bytes, delivered: bool, problem: str | None) -> None:
    answer = receivers()[name].understand(answered(200, None, body))
    assert answer.delivered is delivered
    assert answer.error == problem


def test_a_robot_that_is_told_too_much_is_left_alone_for_as_long_as_it_wants() -> None:
    assert receivers()["dingtalk"].understand(answered(200, None, b'{"errcode":130101}')).retry_after == "600"
    assert receivers()["feishu"].understand(answered(200, None, b'{"code":11232}')).retry_after == "60"
    assert receivers()["wecom"].understand(answered(200, None, b'{"errcode":45009}')).retry_after == "60"
    assert receivers()["slack"].understand(answered(429, "30", b"")).retry_after == "30"


def test_the_receivers_words_are_kept_from_sight_and_short() -> None:
    answer = receivers()["dingtalk"].understand(
        answered(200, None, json.dumps({"errcode": 1, "errmsg": "no\n" * 999}).encode())
    )
    assert answer.words.startswith("no no no")
    assert len(answer.words) <= 300
    assert "no no" not in repr(answer)
    assert receivers()["slack"].understand(answered(400, None, b"invalid_payload")).words == "invalid_payload"


def test_all_that_a_receiver_must_not_show_is_known() -> None:
    assert receivers()["slack"].secrets() == [ENVIRON["CHAT_URL"], "0123456789abcdef", "access_token"]
    assert ENVIRON["MAIL_PASSWORD"] in receivers()["email"].secrets()
    several = Slack(name="chat", url=SecretStr("https://chat/robot?access_token=0123456789abcdef&lang=zh"))
    assert "0123456789abcdef" in several.secrets(), "the receiver may repeat it without what stands beside it"
