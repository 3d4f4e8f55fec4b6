"""A line to one receiver: what it sends of a message, also where a renderer has a bug."""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from email import message_from_bytes, policy

import pytest
from prometheus_client import REGISTRY

from services.alerting.receivers.notice import Notice
from services.alerting.receivers.receiver import Receiver
from services.alerting.sending.lines_io import Line
from services.runtime.http.outgoing import Mail, Reply, Request
from services.runtime.ids import derive
from tests.unit.alerting.facts import T0_MS
from tests.unit.alerting.line import Line as Story
from tests.unit.alerting.receivers.samples import LINKS, SAMPLES, alert, notice, receivers

KINDS = sorted(receivers())
RENDERER = "tidegate_alerting_unforeseen_errors_total"


@dataclass
class FakeOutbox:
    """Takes everything, until its replies are used up in order."""

    replies: Iterator[Reply] = field(default_factory=lambda: iter(()))
    sent: list[Request | Mail] = field(default_factory=list)

    async def open(self) -> None:
        """Nothing to open."""

    async def close(self) -> None:
        """Nothing to close."""

    async def send(self, what: Request | Mail) -> Reply:
        self.sent.append(what)
        return next(self.replies, Reply(200, body=b'{"code": 0, "errcode": 0}'))


def line(receiver: Receiver, outbox: FakeOutbox) -> Line:
    return Line(receiver, outbox, parallel=1, linker=None, clock=time.time)


def broken(monkeypatch: pytest.MonkeyPatch, receiver: Receiver) -> None:
    """Its renderer has a bug."""

    def render(self: Receiver, notice: Notice, now: float) -> Request:
        raise KeyError("a bug")

    monkeypatch.setattr(type(receiver), "render", render)


def stumbled() -> float:
    return REGISTRY.get_sample_value(RENDERER, {"part": "renderer"}) or 0.0


def shown(what: Request | Mail) -> str:
    """All that is said, readable."""
    if isinstance(what, Mail):
        return str(message_from_bytes(what.body, policy=policy.default).get_content())
    return json.dumps(json.loads(what.body), ensure_ascii=False)


@pytest.mark.parametrize("kind", KINDS)
async def test_a_bug_in_a_renderer_keeps_neither_severity_nor_title_nor_link_from_people(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    receiver, outbox, before = receivers()[kind], FakeOutbox(), stumbled()
    broken(monkeypatch, receiver)
    answer = await line(receiver, outbox).attempt(SAMPLES["opened, acted, in English"])
    assert answer is not None
    assert (answer.delivered, answer.plain) == (True, True)
    assert stumbled() == before + 1
    (sent,) = outbox.sent
    told = shown(sent)
    assert "20 complaints on Douyin today" in told
    assert "critical" in told
    # A webhook's receiver is a program: it has the alert as a whole, and asks nobody to click.
    assert LINKS.alert in told or kind == "default"


@pytest.mark.parametrize("kind", KINDS)
async def test_what_stands_in_is_short_and_calls_nobody(kind: str) -> None:
    hostile = "<!channel> <at user_id='all'></at> [here](https://evil.example) " * 500
    told = replace(notice(alert(title={"en": hostile, "zh": "投诉" * 2000})), links=LINKS)
    sent = receivers()[kind].plain(told, T0_MS / 1000)
    if kind not in ("default", "alertmanager"):  # what those are told is shown by others
        assert len(sent.body) < 2048
        assert "<!channel>" not in shown(sent)
        assert "<at " not in shown(sent)


def many(count: int) -> Notice:
    """A message of so many alerts, of which it names fifty."""
    line = Story().policy(storm={"alerts": 1}, gather="30s")
    line.opens("first")
    line.away.add("default")
    for number in range(count):
        line.opens(f"alert {number}", f"channel:{number}")
    line.wait(40)
    (due,) = line.machine.heads()
    told = Notice.of(due)
    return replace(told, rest=tuple(line.machine.whole(told.unnamed())))


async def test_alertmanager_hears_of_every_alert_of_a_message_in_as_many_posts_as_it_takes() -> None:
    outbox = FakeOutbox()
    told = many(130)
    assert told.message.group is not None
    assert (len(told.message.group.alerts), told.message.group.more) == (50, 80)
    answer = await line(receivers()["alertmanager"], outbox).attempt(told)
    assert answer is not None
    assert answer.delivered
    named = [{one["labels"]["alert_id"] for one in json.loads(sent.body)} for sent in outbox.sent]
    assert [len(each) for each in named] == [50, 50, 30]
    assert set.union(*named) == {derive(f"alert {number}") for number in range(130)}
    plain = receivers()["alertmanager"].plain(told, T0_MS / 1000)
    assert {one["labels"]["alert_id"] for one in json.loads(plain.body)} == set.union(*named)


async def test_a_message_of_which_a_part_was_not_taken_was_not_delivered() -> None:
    outbox = FakeOutbox(iter([Reply(200), Reply(500)]))
    answer = await line(receivers()["alertmanager"], outbox).attempt(many(130))
    assert answer is not None
    assert (answer.delivered, len(outbox.sent)) == (False, 2)


async def test_others_are_sent_one_request_however_many_alerts_there_are() -> None:
    outbox = FakeOutbox()
    await line(receivers()["slack"], outbox).attempt(many(60))
    assert len(outbox.sent) == 1
