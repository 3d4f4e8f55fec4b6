"""What each kind of receiver is sent, to the last byte."""

import json
from typing import Any

import pytest

from services.runtime.http.outgoing import Mail, Request
from tests.unit.alerting.facts import ALERTS
from tests.unit.alerting.receivers.samples import (
    ENVIRON,
    GROUP,
    LINKS,
    NOW,
    SAMPLES,
    SNAPSHOTS,
    action,
    alert,
    notice,
    readable,
    receivers,
    rendered,
    text,
)

KINDS = sorted(receivers())


def body_of(name: str, sample: str) -> Any:
    """The JSON of a request."""
    sent = receivers()[name].render(SAMPLES[sample], NOW)
    assert isinstance(sent, Request)
    return json.loads(sent.body)


@pytest.mark.parametrize("name", KINDS)
def test_it_is_sent_as_the_snapshot_says(name: str) -> None:
    """`python -m tests.unit.alerting.receivers.samples` writes the snapshots anew."""
    receiver = receivers()[name]
    assert text(rendered(receiver)) == (SNAPSHOTS / f"{receiver.kind}.json").read_text("utf-8")


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("sample", SAMPLES)
def test_the_same_message_is_the_same_to_the_last_byte(name: str, sample: str) -> None:
    one, other = (receivers()[name].render(SAMPLES[sample], NOW) for _ in range(2))
    assert one == other


@pytest.mark.parametrize("name", KINDS)
def test_both_links_are_there_and_the_first_line_too(name: str) -> None:
    sample = SAMPLES["opened, acted, in English"]
    told = json.dumps(readable(receivers()[name].render(sample, NOW)))
    assert LINKS.alert in told
    assert str(LINKS.acknowledge) in told
    first = sample.words(receivers()[name].zone).first
    assert name == "default" or first in told


@pytest.mark.parametrize("name", KINDS)
def test_nothing_that_is_sent_shows_its_secrets_to_whoever_prints_it(name: str) -> None:
    receiver = receivers()[name]
    sent = receiver.render(SAMPLES["over, in both"], NOW)
    for secret in ENVIRON.values():
        assert secret not in repr(receiver) + repr(sent)


@pytest.mark.parametrize("sample", SAMPLES)
def test_pagerduty_is_told_which_alert_it_is_and_what_became_of_it(sample: str) -> None:
    body = body_of("pagerduty", sample)
    assert body["dedup_key"] == (GROUP if sample.startswith("three") else ALERTS[0])
    actions = {"over, in both": "resolve", "worse, but taken already, in English": "acknowledge"}
    assert body["event_action"] == actions.get(sample, "trigger")


def test_an_alert_stays_one_alert_at_alertmanager_whatever_becomes_of_it() -> None:
    """Severity is one of its labels there: the alert with another one has to end."""
    opened = body_of("alertmanager", "opened, acted, in English")
    worse = body_of("alertmanager", "worse and not enforced, in both")
    over = body_of("alertmanager", "over, in both")
    standing = [one["labels"] for one in worse if one["endsAt"] > "2025-12"]
    assert standing == [one["labels"] for one in opened]
    assert {one["labels"]["severity"] for one in over} == {"info", "warning", "critical"}
    assert all(one["endsAt"] <= "2025-11-24T16:10:00+00:00" for one in over)


def test_each_alert_of_a_message_is_one_at_alertmanager_which_groups_them_anew() -> None:
    posted = body_of("alertmanager", "three alerts in one message, in both")
    standing = {one["labels"]["alert_id"]: one for one in posted if one["endsAt"] > "2025-12"}
    assert set(standing) == set(ALERTS[:2])
    assert standing[ALERTS[1]]["labels"]["subject"] == "channel:weibo"
    assert standing[ALERTS[1]]["annotations"]["summary"] == "投诉率 3.1% / Complaint rate 3.1%"
    assert {one["labels"]["alert_id"] for one in posted} == set(ALERTS)


def test_nothing_that_an_alert_says_calls_people_or_leads_elsewhere() -> None:
    hostile = "<!channel> <at id=all></at> <@all> [here](https://evil.example) ![x](https://evil.example) &lt;"
    state = alert(title={"en": hostile, "zh": hostile}, summary={"en": hostile, "zh": hostile})
    for name in ("dingtalk", "wecom"):
        shown = body_of_notice(name, state)["markdown"]
        told = shown.get("text") or shown["content"]
        assert "](https://evil" not in told
        assert "<" not in told
    slack = body_of_notice("slack", state)
    assert "<!channel>" not in slack["text"]
    assert {block["text"]["type"] for block in slack["blocks"] if "text" in block} == {"plain_text"}
    card = body_of_notice("feishu", state)["card"]
    assert {element["text"]["tag"] for element in card["elements"] if "text" in element} == {"plain_text"}
    html = readable(receivers()["email"].render(notice(state), NOW))["html"]
    assert not any("<at" in line or "<!channel" in line for line in html[1:])


def body_of_notice(name: str, state: Any) -> Any:
    """The JSON of a request about this alert."""
    sent = receivers()[name].render(notice(state), NOW)
    assert isinstance(sent, Request)
    return json.loads(sent.body)


def test_an_acknowledged_alert_says_by_whom() -> None:
    told = notice(alert(acknowledged_by="li", actions=[action("pause", "done")]), "en")
    assert told.words(receivers()["email"].zone).first.endswith("Done: pause channel:douyin. li has taken charge.")


def test_a_mail_has_one_subject_line_whatever_the_title_holds() -> None:
    state = alert(title={"en": "a\r\nBcc: x@evil.example\x00", "zh": "甲\n乙"})
    sent = receivers()["email"].render(notice(state), NOW)
    assert isinstance(sent, Mail)
    assert readable(sent)["headers"]["Subject"].startswith("【严重】甲 乙。")
    assert "Bcc" not in readable(sent)["headers"]
