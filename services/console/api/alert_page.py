"""The pages that a link in a message leads to: an alert in both languages, and one button. No scripts, nothing from
elsewhere; and only the button acknowledges, since chat systems open links by themselves to show what is behind them.
"""

import base64
import hashlib
from collections.abc import Iterator, Mapping
from datetime import datetime
from html import escape
from typing import Final
from zoneinfo import ZoneInfo

from schemas.alerts import AlertState
from schemas.commands import Command
from services.runtime.ids import derive

_STYLE: Final = (
    ":root{color-scheme:light dark}a{color:inherit}"
    "body{font:17px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:40rem;padding:0 1rem}"
    "h1{font-size:1.3rem;margin:0 0 .5rem}button{font:inherit;padding:.7rem 1.4rem;border:0;border-radius:.4rem;"
    "background:#0b5cad;color:#fff}dl{display:grid;grid-template-columns:auto 1fr;gap:.2rem 1rem}dd{margin:0}"
)
_STYLE_HASH: Final = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
HEADERS: Final[Mapping[str, str]] = {
    "Content-Security-Policy": f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex",
}
_BUTTON: Final = '<form method="post"><button type="submit">确认接手 Acknowledge</button></form>'

_LEADS_ON: Final = '<p><a href="/alerts/{}">控制台中的完整信息 All of it, in the console</a></p>'

FORGED: Final = ("链接无效。", "This is no link of ours.")
EXPIRED: Final = (
    "链接已过期，请使用控制台或更新的消息。",
    "This link has expired: use the console or a newer message.",
)
UNKNOWN: Final = ("没有这条告警，或已超过保存期限。", "This alert is not known, or no longer.")
STARTING: Final = ("服务正在启动，请稍后重试。", "Still starting: try again in a moment.")
GIVEN: Final = ("已确认接手，正在通知其他人。", "You have taken charge. The others are being told.")
NOT_GIVEN: Final = ("确认未能提交，请重试。", "This could not be passed on: please try again.")
_RESOLVED: Final = ("已恢复，无需处理。", "It is over: nothing is asked of you.")
_TAKEN: Final = ("{} 已接手。", "{} has taken charge.")


def told(words: tuple[str, str]) -> str:
    """A page that says just this, in both languages."""
    return _page("".join(_both("p", words)))


def shown(alert: AlertState, zone: ZoneInfo, *, button: bool) -> str:
    """The alert; the button where it is wanted and of any use."""
    asked = button and alert.status != "resolved" and alert.acknowledged_by is None
    return _page("".join((*_alert(alert, zone), _BUTTON if asked else "", _LEADS_ON.format(alert.alert_id))))


def acknowledgement(alert: AlertState, receiver: str, expires_s: int, now: datetime) -> Command:
    """The order of whoever has pressed the button; the same for the same link, so that pressing twice is one."""
    return Command(
        command_id=derive("acknowledge by link", alert.alert_id, receiver, str(expires_s)),
        command="acknowledge",
        target=alert.subject,
        alert_id=alert.alert_id,
        issued_by=f"person:{receiver} via link",
        issued_at=now,
    )


def _alert(alert: AlertState, zone: ZoneInfo) -> Iterator[str]:
    yield from _both("h1", (alert.title.zh, alert.title.en))
    yield from _both("p", (alert.summary.zh, alert.summary.en))
    yield "<dl>"
    since = f"{alert.opened_at.astimezone(zone):%Y-%m-%d %H:%M:%S (UTC%z)}"
    for name, value in (("对象 About", alert.subject), ("指标 Indicator", alert.indicator), ("开始 Since", since)):
        yield f"<dt>{name}</dt><dd>{escape(value)}</dd>"
    yield "</dl>"
    if alert.status == "resolved":
        yield from _both("p", _RESOLVED)
    elif alert.acknowledged_by is not None:
        who = alert.acknowledged_by
        yield from _both("p", (_TAKEN[0].format(who), _TAKEN[1].format(who)))


def _both(tag: str, words: tuple[str, str]) -> Iterator[str]:
    """Chinese, which is the page's own language, and English, which a screen reader has to be told."""
    yield f"<{tag}>{escape(words[0])}</{tag}>"
    yield f'<{tag} lang="en">{escape(words[1])}</{tag}>'


def _page(body: str) -> str:
    return (
        '<!doctype html>\n<html lang="zh">\n<head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1"><title>Tidegate</title>'
        f"<style>{_STYLE}</style></head>\n<body><main>{body}</main></body>\n</html>\n"
    )
