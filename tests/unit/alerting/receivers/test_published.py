"""Whatever is sent is taken by the schemas that receivers publish, and these refuse what is broken."""

import json
from collections.abc import Callable
from typing import Any, Final

import pytest
from jsonschema import ValidationError

from services.runtime.http.outgoing import Request
from tests.unit.alerting.receivers.published_schemas import PUBLISHED, check
from tests.unit.alerting.receivers.samples import NOW, SAMPLES, SNAPSHOTS, receivers

SAMPLE: Final = "opened, acted, in English"
ALL: Final = [(kind, sample) for kind in PUBLISHED for sample in SAMPLES]
Break = Callable[[Any], Any]

BROKEN: Final[dict[str, list[Break]]] = {
    "alertmanager": [lambda body: body[0].pop("labels"), lambda body: body[0]["labels"].update(level=1)],
    "pagerduty": [
        lambda body: body.update(event_action="opened"),
        lambda body: body["payload"].update(summary="x" * 1025),
        lambda body: body.pop("payload"),
    ],
    "slack": [
        lambda body: body["blocks"][0]["text"].update(text="x" * 3001),
        lambda body: body["blocks"][0]["text"].update(text=""),
        lambda body: body["blocks"][0]["text"].update(type="mrkdwn"),
        lambda body: body["blocks"][2]["elements"][0]["text"].update(text="x" * 76),
        lambda body: body["blocks"][2]["elements"][0].update(url="https://x.example/" + "x" * 3000),
        lambda body: body["blocks"][2]["elements"][0].update(style="warning"),
        lambda body: body["blocks"][2].update(elements=[]),
        lambda body: body["blocks"].extend(body["blocks"][:1] * 48),
        lambda body: body.update(markdown="x"),
        lambda body: body.clear(),
    ],
    "feishu": [
        lambda body: body.update(msg_type="card"),
        lambda body: body.pop("card"),
        lambda body: body.pop("sign"),
        lambda body: body["card"]["header"].pop("title"),
        lambda body: body["card"]["header"].update(template="crimson"),
        lambda body: body["card"]["elements"][0]["text"].update(tag="markdown"),
        lambda body: body["card"]["elements"][0]["text"].update(content="投" * 7000),
        lambda body: body["card"]["elements"][1]["actions"][0].pop("text"),
        lambda body: body["card"]["elements"][1]["actions"][0].update(type="warning"),
    ],
    "dingtalk": [
        lambda body: body.update(msgtype="text"),
        lambda body: body["markdown"].pop("title"),
        lambda body: body["markdown"].update(text=""),
        lambda body: body["markdown"].update(text="投" * 7000),
        lambda body: body["markdown"].update(content="x"),
    ],
    "wecom": [
        lambda body: body.update(msgtype="markdown_v3"),
        lambda body: body["markdown"].pop("content"),
        lambda body: body["markdown"].update(content="投" * 1366),
        lambda body: body["markdown"].update(mentioned_list=["@all"]),
        lambda body: body.update(text={"content": "x"}),
    ],
}
"""What makes of a sound message one that must be refused."""


@pytest.mark.parametrize(("kind", "sample"), ALL)
def test_a_message_is_taken(kind: str, sample: str) -> None:
    sent = receivers()[kind].render(SAMPLES[sample], NOW)
    assert isinstance(sent, Request)
    check(kind, sent.body)


@pytest.mark.parametrize(("kind", "sample"), ALL)
def test_what_stands_in_for_it_is_taken(kind: str, sample: str) -> None:
    sent = receivers()[kind].plain(SAMPLES[sample], NOW)
    assert isinstance(sent, Request)
    check(kind, sent.body)


@pytest.mark.parametrize(("kind", "breaks"), [(kind, breaks) for kind in PUBLISHED for breaks in BROKEN[kind]])
def test_a_broken_message_is_refused(kind: str, breaks: Break) -> None:
    body = json.loads((SNAPSHOTS / f"{kind}.json").read_text("utf-8"))[SAMPLE]["body"]
    check(kind, body)
    breaks(body)
    with pytest.raises(ValidationError):
        check(kind, body)
