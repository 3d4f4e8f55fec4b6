"""Alerts as people get them, and a receiver of every kind to send them to.

`python -m tests.unit.alerting.receivers.samples` writes the snapshots of what is sent anew: read the diff before it is
committed.
"""

import json
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from schemas.alerts import AlertState, Change, Language, MessageLinks, WebhookMessage
from schemas.base import from_ms
from services.alerting.receivers.book import parse_book
from services.alerting.receivers.notice import Notice
from services.alerting.receivers.receiver import Receiver
from services.alerting.telling import Due, InGroup
from services.alerting.words import Line
from services.alerting.words import body as write_body
from services.runtime.http.outgoing import Mail
from services.runtime.ids import derive
from tests.unit.alerting.facts import ALERTS, T0_MS
from tests.unit.alerting.sending.test_signing import SECRET

SNAPSHOTS: Final = Path(__file__).resolve().parent.parent / "snapshots"
NOW: Final = T0_MS / 1000 + 60
GROUP: Final = derive("a group")
LINKS: Final = MessageLinks(
    alert="https://tidegate.example/alert/c2lnbmVk", acknowledge="https://tidegate.example/ack/c2lnbmVk"
)
ENVIRON: Final = {
    "CHAT_URL": "https://chat.example/hook?access_token=0123456789abcdef",
    "CHAT_SECRET": "SECsecret-of-the-robot",
    "WEBHOOK_SECRET": SECRET,
    "PAGER_KEY": "0123456789abcdef0123456789abcdef",
    "PROXY_TOKEN": "token-of-the-proxy",
    "MAIL_PASSWORD": "password-of-the-mailbox",
}
BOOK: Final = b"""
- {name: default, kind: webhook, url: env:CHAT_URL, secret: env:WEBHOOK_SECRET}
- {name: slack, kind: slack, url: env:CHAT_URL}
- {name: pagerduty, kind: pagerduty, routing_key: env:PAGER_KEY}
- {name: feishu, kind: feishu, url: env:CHAT_URL, secret: env:CHAT_SECRET}
- {name: dingtalk, kind: dingtalk, url: env:CHAT_URL, secret: env:CHAT_SECRET}
- {name: wecom, kind: wecom, url: env:CHAT_URL}
- {name: alertmanager, kind: alertmanager, url: 'https://alerts.example/', token: env:PROXY_TOKEN}
- name: email
  kind: email
  host: mail.example
  username: tidegate
  password: env:MAIL_PASSWORD
  sender: tidegate@bank.example
  recipients: [risk@bank.example, on-call@bank.example]
"""


def receivers() -> dict[str, Receiver]:
    """One of every kind, each called as its kind but the webhook."""
    return parse_book(BOOK, ENVIRON, Path())


def action(what: str, state: str, target: str = "channel:douyin") -> dict[str, Any]:
    """What became of an order."""
    return {"what": what, "target": target, "state": state, "by": "indicator:x", "at": from_ms(T0_MS)}


def alert(**words: Any) -> AlertState:
    """Twenty complaints on Douyin, with these words."""
    usual: dict[str, Any] = {
        "alert_id": ALERTS[0],
        "status": "open",
        "severity": "critical",
        "indicator": "complaint_volume",
        "subject": "channel:douyin",
        "level": 1,
        "title": {"en": "20 complaints on Douyin today", "zh": "抖音今日投诉 20 起"},
        "summary": {
            "en": "20 complaints since midnight, 20 is the limit. Tidegate orders now: pause channel:douyin.",
            "zh": "零点以来 20 起投诉，达到上限 20。系统已自动下令：暂停 channel:douyin。",
        },
        "opened_at": from_ms(T0_MS),
        "event_time": from_ms(T0_MS),
        "value": 20.0,
        "threshold": 20.0,
        "evidence": None,
        "team": "on-call",
        "runbook": "services/indicators/runbook.md#complaint_volume",
    }
    return AlertState.model_validate({**usual, **words}, strict=False)


def notice(
    state: AlertState, language: Language = "both", change: Change = "alert.opened", links: MessageLinks | None = LINKS
) -> Notice:
    """A message about it that is due."""
    message = WebhookMessage(type=change, timestamp=from_ms(T0_MS + 1000), data=state)
    due = Due(
        webhook_id="ab" * 16,
        alert_id=state.alert_id,
        number=0,
        change=change,
        rank=(2, state.level),
        decided_ms=T0_MS + 1000,
        body=message.model_dump_json(),
        language=language,
    )
    return Notice.of(due, links)


def storm() -> Notice:
    """Three alerts of a group in one message, one of them over."""
    others = {"title": {"en": "Complaint rate 3.1%", "zh": "投诉率 3.1%"}, "indicator": "complaint_rate"}
    worst = alert(actions=[action("pause", "confirmed")])
    second = alert(alert_id=ALERTS[1], severity="warning", subject="channel:weibo", **others)
    third = alert(
        alert_id=ALERTS[2], subject="channel:wechat", status="resolved", resolved_at=from_ms(T0_MS + 500), **others
    )
    lines = [
        Line(worst, "alert.opened", "news"),
        Line(second, "alert.updated", "news"),
        Line(third, "alert.resolved", "news"),
    ]
    about = (GROUP, {"product": "fund-7"}, [worst, second])
    body = write_body(lines, "summary", from_ms(T0_MS + 1000), ZoneInfo("Asia/Shanghai"), about)
    due = notice(worst).due.model_copy(
        update={"body": body, "group": InGroup(group_id=GROUP, count=3, open=2), "language": "both"}
    )
    return Notice.of(due, LINKS)


SAMPLES: Final = {
    "opened, acted, in English": notice(alert(actions=[action("pause", "confirmed")]), "en"),
    "opened, waits for approval, in Chinese": notice(
        alert(severity="warning", actions=[action("throttle", "waiting")]), "zh"
    ),
    "worse and not enforced, in both": notice(
        alert(level=2, actions=[action("pause", "confirmed", "channel:weibo"), action("pause", "failed")]),
        change="alert.updated",
    ),
    "over, in both": notice(
        alert(status="resolved", resolved_at=from_ms(T0_MS + 600_000), actions=[action("pause", "confirmed")]),
        change="alert.resolved",
        links=LINKS.model_copy(update={"acknowledge": None}),
    ),
    "worse, but taken already, in English": notice(
        alert(level=2, acknowledged_by="li", actions=[action("pause", "confirmed")]),
        "en",
        change="alert.updated",
        links=LINKS.model_copy(update={"acknowledge": None}),
    ),
    "three alerts in one message, in both": storm(),
    "only told, no console, in English": notice(alert(severity="info", team=None, runbook=None), "en", links=None),
}


def rendered(receiver: Receiver) -> dict[str, Any]:
    """What this receiver is sent of each sample, so that people can read it."""
    return {name: readable(receiver.render(sample, NOW)) for name, sample in SAMPLES.items()}


def readable(sent: Any) -> dict[str, Any]:
    """A request or mail, taken apart."""
    if not isinstance(sent, Mail):
        return {"url": sent.url, "headers": sent.headers, "body": json.loads(sent.body)}
    mail = message_from_bytes(sent.body, policy=policy.default)
    plain, html = mail.iter_parts()
    return {
        "from": sent.sender,
        "to": list(sent.recipients),
        "headers": {name: str(value) for name, value in mail.items()},
        "plain": plain.get_content().splitlines(),
        "html": html.get_content().splitlines(),
    }


def text(value: Any) -> str:
    """A snapshot as it stands in its file."""
    return json.dumps(value, ensure_ascii=False, indent=1) + "\n"


def write() -> None:
    """Writes all snapshots anew."""
    for receiver in receivers().values():
        (SNAPSHOTS / f"{receiver.kind}.json").write_text(text(rendered(receiver)), encoding="utf-8")


if __name__ == "__main__":
    write()
