"""The settings file of the receivers: all problems at once, and no secret in any of them."""

from pathlib import Path

import pytest
from pydantic import SecretStr

from services.alerting.receivers.book import parse_book
from services.alerting.receivers.dingtalk import Dingtalk
from services.alerting.receivers.feishu import Feishu
from services.alerting.settings import AlertingSettings
from services.runtime.settings import SettingsError, parse
from tests.unit.alerting.receivers.samples import BOOK, ENVIRON, receivers
from tests.unit.alerting.sending.test_signing import SECRET

FILE = "TIDEGATE_ALERTING_RECEIVERS"


def test_each_kind_can_be_named() -> None:
    assert list(receivers()) == [
        "default",
        "slack",
        "pagerduty",
        "feishu",
        "dingtalk",
        "wecom",
        "alertmanager",
        "email",
    ]
    assert not any(secret in repr(receivers()) for secret in ENVIRON.values())


def test_secrets_come_from_variables_and_from_files_beside_it(tmp_path: Path) -> None:
    (tmp_path / "url").write_text("https://open.example/hook\n")
    found = parse_book(b"[{name: a, kind: feishu, url: file:url, secret: env:S}]", {"S": "hidden"}, tmp_path)["a"]
    assert isinstance(found, Feishu)
    assert found.url.get_secret_value() == "https://open.example/hook"
    assert found.secret is not None
    assert found.secret.get_secret_value() == "hidden"


def test_all_problems_are_named_at_once_and_no_value() -> None:
    book = b"""
- {name: chat, kind: slack, url: https://hidden.example/hook}
- {name: pager, kind: pagerduty, routing_key: env:NOT_THERE}
- {name: mail, kind: email, host: h, tls: none, username: u, password: env:P, sender: hidden, recipients: []}
- {name: Hidden Name, kind: webhook, url: env:P, secret: env:P, colour: hidden}
- {name: other, kind: carrier-pigeon}
- hidden
- {name: files, kind: wecom, url: file:missing}
- {name: twice, kind: wecom, url: env:U}
- {name: twice, kind: wecom, url: env:U, time_zone: Mars/Hidden}
- {name: proxy, kind: alertmanager, url: hidden}
"""
    with pytest.raises(ValueError, match="chat") as caught:
        parse_book(book, {"P": "hidden", "U": "https://u.example"}, Path("nowhere"))
    assert str(caught.value).replace("Hidden Name", "that one").split("; ") == [
        "chat: url must be env:NAME or file:PATH",
        "a secret does not stand in this file itself",
        "pager: routing_key the variable NOT_THERE is not set",
        "mail: password would be sent in the clear: tls must be starttls or tls",
        "mail: sender is not an e-mail address",
        "mail: recipients List should have at least 1 item after validation, not 0",
        "that one: name String should match pattern '^[a-z0-9][a-z0-9_-]{0,62}$'",
        "that one: url must be an http:// or https:// address",
        "that one: secret must be whsec_ and 24 to 64 bytes in base64",
        "that one: colour Extra inputs are not permitted",
        "other: kind is none of 'webhook', 'slack', 'pagerduty', 'feishu', 'dingtalk', 'wecom', 'alertmanager', "
        "'email'",
        "receiver 6: the entry is not a JSON object",
        "files: url the file that it names cannot be read: No such file or directory",
        "twice: time_zone is not the name of a time zone",
        "proxy: url must be an http:// or https:// address",
    ]


@pytest.mark.parametrize("text", [b"{a: 1}", b"'", b"\xff", b"{hidden", b"3", b"- [", b""])
def test_what_is_no_list_is_refused(text: bytes) -> None:
    with pytest.raises(ValueError, match=r"^is not ") as caught:
        parse_book(text, {}, Path())
    assert "hidden" not in str(caught.value)


def test_the_webhook_of_the_settings_is_the_default_beside_those_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "url").write_text("https://d.example")
    file = tmp_path / "receivers.yaml"
    file.write_text("[{name: chat, kind: dingtalk, url: file:url}]")
    environ = {FILE: str(file), "TIDEGATE_ALERTING_WEBHOOK_URL": "https://w.example"}
    settings = parse(AlertingSettings, environ | {"TIDEGATE_ALERTING_WEBHOOK_SECRET": SECRET})
    assert {name: type(one).__name__ for name, one in settings.receivers().items()} == {
        "default": "Webhook",
        "chat": "Dingtalk",
    }
    with pytest.raises(SettingsError, match="names no default"):
        parse(AlertingSettings, {FILE: str(file)})
    file.write_text("[{name: default, kind: dingtalk, url: file:url}]")
    assert list(parse(AlertingSettings, {FILE: str(file)}).receivers()) == ["default"]
    with pytest.raises(SettingsError, match="has a default"):
        parse(AlertingSettings, environ | {"TIDEGATE_ALERTING_WEBHOOK_SECRET": SECRET})


def test_its_problems_are_told_beside_those_of_the_other_settings(tmp_path: Path) -> None:
    file = tmp_path / "receivers.yaml"
    file.write_bytes(BOOK.replace(b"env:CHAT_URL", b"env:NO_SUCH_VARIABLE"))
    with pytest.raises(SettingsError) as caught:
        parse(AlertingSettings, {FILE: str(file), "TIDEGATE_ALERTING_WEBHOOK_PARALLEL": "0"})
    assert [name for name, _ in caught.value.problems] == [FILE, "TIDEGATE_ALERTING_WEBHOOK_PARALLEL"]
    assert "slack: url the variable NO_SUCH_VARIABLE is not set" in str(caught.value)


def test_a_receiver_is_told_as_fast_as_its_kind_takes_it_or_as_the_file_says() -> None:
    robot = Dingtalk(name="a", url=SecretStr("https://d.example"))
    assert [(pace.count, pace.per_s) for pace in robot.limits()] == [(20, 60.0)]
    slower = robot.model_copy(update={"per_minute": 10})
    assert [(pace.count, pace.per_s) for pace in slower.limits()] == [(10, 60.0)]
