"""What people read of an alert, wherever they read it. The first line says what happened, what was done already and
what is asked of the reader."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal
from zoneinfo import ZoneInfo

from schemas.alerts import ActionState, ActionTaken, AlertState, Language, WebhookMessage
from schemas.base import Bilingual
from schemas.wording import phrase

En, Zh = 0, 1
_LANGUAGES: Final[dict[Language, tuple[int, ...]]] = {"en": (En,), "zh": (Zh,), "both": (Zh, En)}
_Fate = Literal["failed", "done", "ordered", "lifted"]

_SEVERITY: Final = {"info": ("Info", "提示"), "warning": ("Warning", "警告"), "critical": ("CRITICAL", "严重")}
_HAPPENED: Final = {
    "alert.opened": ("{severity}: {title}.", "【{severity}】{title}。"),
    "alert.updated": ("{severity}, update: {title}.", "【{severity}·更新】{title}。"),
    "alert.resolved": ("Resolved: {title}.", "【已恢复】{title}。"),
}
_FATES: Final[dict[ActionState, _Fate]] = {
    "failed": "failed",
    "done": "done",
    "confirmed": "done",
    "ordered": "ordered",
    "granted": "ordered",
    "lifted": "lifted",
}
_DONE: Final[dict[_Fate, tuple[str, str]]] = {
    "failed": ("Ordered, but NOT in force: {}.", "已下令但未生效：{}。"),
    "done": ("Done: {}.", "已执行：{}。"),
    "ordered": ("Ordered: {}.", "已下令：{}。"),
    "lifted": ("Lifted again: {}.", "已解除：{}。"),
}
_NOTHING_DONE: Final = ("Nothing was done by itself.", "系统未自动处置。")
_APPROVE: Final = ("Please approve or reject: {}.", "请批准或驳回：{}。")
_BY_HAND: Final = ("Please do it at the platform itself.", "请直接在平台上执行。")
_LIFT: Final = ("Please lift what was ordered when you are ready.", "请在确认后解除已下达的措施。")
_NOTHING_ASKED: Final = ("Nothing is asked of you.", "无需处理。")
_TAKEN: Final = ("{} has taken charge.", "{} 已接手。")
_TAKE: Final = ("Please look and acknowledge.", "请查看并确认接手。")

_MORE: Final = ("and {} more", "另有 {} 条")
_LABELS: Final = {
    "subject": ("About", "对象"),
    "indicator": ("Indicator", "指标"),
    "value": ("Value", "当前值"),
    "threshold": ("threshold", "阈值"),
    "opened": ("Since", "开始时间"),
    "resolved": ("Over since", "恢复时间"),
    "team": ("Team", "负责团队"),
    "runbook": ("Runbook", "处置手册"),
}
SEE: Final = ("Open the alert", "查看告警")
ACKNOWLEDGE: Final = ("Acknowledge", "确认接手")


@dataclass(frozen=True, slots=True)
class Words:
    """firsts: the first line in each language; details: what follows, in lines, both without links."""

    firsts: tuple[str, ...]
    details: tuple[str, ...]

    @property
    def headline(self) -> str:
        """Both languages in one line, where there is only one."""
        return " / ".join(self.firsts)

    @property
    def first(self) -> str:
        """The first line, or one in each language."""
        return "\n".join(self.firsts)

    @property
    def rest(self) -> str:
        """The other lines."""
        return "\n".join(self.details)


def words(message: WebhookMessage, language: Language, zone: ZoneInfo) -> Words:
    """All that is to be read; times in `zone`."""
    spoken = _LANGUAGES[language]
    firsts = tuple(_first(message, each) for each in spoken)
    return Words(firsts, tuple(line for each in spoken for line in _lines(message, each, zone)))


def label(words_for_it: tuple[str, str], language: Language) -> str:
    """Of a button or link."""
    return " / ".join(words_for_it[each] for each in _LANGUAGES[language])


def spoken(text: Bilingual, language: Language) -> str:
    """A sentence in one line."""
    return " / ".join(_said(text, each) for each in _LANGUAGES[language])


def acknowledgeable(alert: AlertState) -> bool:
    """Whether it is of any use to acknowledge it."""
    return alert.status != "resolved" and alert.acknowledged_by is None


def _first(message: WebhookMessage, language: int) -> str:
    alert = message.data
    last = _last_steps(alert.actions)
    happened = _HAPPENED[message.type][language].format(
        severity=_SEVERITY[alert.severity][language],
        title=_said(message.headline or alert.title, language).rstrip(".。"),
    )
    sentences = (happened, *_done(last, language), _asked(alert, last, language))
    return (" " if language == En else "").join(sentences)


def _last_steps(actions: Iterable[ActionTaken]) -> list[ActionTaken]:
    """How far each order has come."""
    return list({(action.what, action.target): action for action in actions}.values())


def _done(last: list[ActionTaken], language: int) -> list[str]:
    by_fate: dict[_Fate, list[ActionTaken]] = {fate: [] for fate in _DONE}
    for action in last:
        if action.state in _FATES:
            by_fate[_FATES[action.state]].append(action)
    said = [_DONE[fate][language].format(_phrases(same, language)) for fate, same in by_fate.items() if same]
    return said or [_NOTHING_DONE[language]]


def _asked(alert: AlertState, last: list[ActionTaken], language: int) -> str:
    states = {action.state for action in last}
    if alert.status == "resolved":
        return (_LIFT if states & {"done", "confirmed", "ordered", "granted"} else _NOTHING_ASKED)[language]
    if "waiting" in states:
        waiting = [action for action in last if action.state == "waiting"]
        return _APPROVE[language].format(_phrases(waiting, language))
    if "failed" in states:
        return _BY_HAND[language]
    if alert.acknowledged_by is not None:
        return _TAKEN[language].format(alert.acknowledged_by)
    return _TAKE[language]


def _phrases(actions: list[ActionTaken], language: int) -> str:
    targets: dict[str, list[str]] = {}
    for action in actions:
        targets.setdefault(action.what, []).append(_line(action.target))
    return ("; ", "；")[language].join(phrase(what, named, language) for what, named in targets.items())


def _lines(message: WebhookMessage, language: int, zone: ZoneInfo) -> Iterator[str]:
    """Of a message that tells of several alerts, each in a line; then all about the worst."""
    if message.group is not None:
        for line in message.group.alerts:
            happened = _HAPPENED[line.change][language]
            yield "· " + happened.format(
                severity=_SEVERITY[line.severity][language], title=_said(line.title, language).rstrip(".。")
            )
        if message.group.more:
            yield _MORE[language].format(message.group.more)
    yield from _details(message.data, language, zone)


def _details(alert: AlertState, language: int, zone: ZoneInfo) -> Iterator[str]:
    colon = (": ", "：")[language]
    yield _said(alert.summary, language)
    yield f"{_LABELS['subject'][language]}{colon}{_line(alert.subject)}"
    yield f"{_LABELS['indicator'][language]}{colon}{_line(alert.indicator)}"
    if alert.value is not None:
        known = "" if alert.threshold is None else f" ({_LABELS['threshold'][language]}{colon}{alert.threshold:g})"
        yield f"{_LABELS['value'][language]}{colon}{alert.value:g}{known}"
    yield f"{_LABELS['opened'][language]}{colon}{_time(alert.opened_at, zone)}"
    if alert.resolved_at is not None:
        yield f"{_LABELS['resolved'][language]}{colon}{_time(alert.resolved_at, zone)}"
    for name, value in (("team", alert.team), ("runbook", alert.runbook)):
        if value is not None:
            yield f"{_LABELS[name][language]}{colon}{_line(value)}"


def _time(at: datetime, zone: ZoneInfo) -> str:
    return f"{at.astimezone(zone):%Y-%m-%d %H:%M:%S (UTC%z)}"


def _said(text: Bilingual, language: int) -> str:
    return _line(text.zh if language == Zh else text.en)


def _line(text: str) -> str:
    """In one line, and without characters that nobody sees."""
    return "".join(each for each in " ".join(text.split()) if each.isprintable())
