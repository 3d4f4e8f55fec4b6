"""The inbox: which alerts are shown in which order, and what is asked of people about each. Pure."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Final, Literal, get_args

from schemas.alerts import ActionTaken, AlertState
from schemas.base import Bilingual, Severity
from services.console.pages.frame.action_words import last_steps
from services.console.pages.frame.waiting import Waiting

Ask = Literal["approve", "by_hand", "acknowledge", "nothing"]
"""`by_hand`: what was ordered failed, so somebody has to do it at the platform itself."""
Status = Literal["open", "resolved", "all"]
PAGE_ROWS: Final = 100
_SEVERITIES: Final[tuple[Severity, ...]] = ("critical", "warning", "info")
_ASKS: Final[tuple[Ask, ...]] = get_args(Ask)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to show; empty: whatever it is. page: from 1 on."""

    status: Status = "open"
    severity: Severity | Literal[""] = ""
    indicator: str = ""
    subject: str = ""
    text: str = ""
    page: int = 1


@dataclass(frozen=True, slots=True)
class Row:
    """An alert. of_me: whether what it asks is for the one who looks to do. done: the last step of each order."""

    alert: AlertState
    ask: Ask
    of_me: bool
    done: Sequence[ActionTaken]


@dataclass(frozen=True, slots=True)
class Inbox:
    """A page of rows. counts: how many are wanted by severity; indicators: of all that are known."""

    rows: Sequence[Row]
    found: int
    page: int
    pages: int
    counts: Mapping[Severity, int]
    indicators: Sequence[str]


def inbox(
    alerts: Iterable[AlertState],
    waiting: Iterable[Waiting],
    wanted: Wanted,
    name: Callable[[str], Bilingual | None],
    *,
    may_act: bool,
) -> Inbox:
    """The page that is wanted, the last where there are not so many. name: of a subject. may_act: whether the one who
    looks may acknowledge."""
    everything = list(alerts)
    asking = _by_alert(waiting)
    wanted_text = wanted.text.strip().casefold()
    found = [
        row_of(alert, asking.get(alert.alert_id, ()), may_act=may_act)
        for alert in everything
        if _is_wanted(alert, wanted) and (not wanted_text or _speaks_of(alert, wanted_text, name))
    ]
    pages = max(ceil(len(found) / PAGE_ROWS), 1)
    page = min(max(wanted.page, 1), pages)
    found.sort(key=lambda row: row.alert.opened_at, reverse=True)
    found.sort(key=_urgency)
    return Inbox(
        rows=found[(page - 1) * PAGE_ROWS : page * PAGE_ROWS],
        found=len(found),
        page=page,
        pages=pages,
        counts=Counter(row.alert.severity for row in found),
        indicators=sorted({alert.indicator for alert in everything}),
    )


def row_of(alert: AlertState, waiting: Sequence[Waiting], *, may_act: bool) -> Row:
    """waiting: what is asked of people because of it."""
    done = last_steps(alert.actions)
    ask: Ask = "nothing"
    if waiting:
        ask = "approve"
    elif alert.status != "resolved" and any(action.state == "failed" for action in done):
        ask = "by_hand"
    elif alert.status != "resolved" and alert.acknowledged_by is None and alert.severity != "info":
        ask = "acknowledge"
    of_me = any(each.asks == "you" for each in waiting) if waiting else may_act and ask != "nothing"
    return Row(alert, ask, of_me, done)


def _by_alert(waiting: Iterable[Waiting]) -> dict[str, list[Waiting]]:
    found: dict[str, list[Waiting]] = {}
    for each in waiting:
        for alert_id in each.alerts:
            found.setdefault(alert_id, []).append(each)
    return found


def _is_wanted(alert: AlertState, wanted: Wanted) -> bool:
    is_over = alert.status == "resolved"
    return (
        (wanted.status == "all" or is_over == (wanted.status == "resolved"))
        and wanted.severity in ("", alert.severity)
        and wanted.indicator in ("", alert.indicator)
        and wanted.subject in ("", alert.subject)
    )


def _speaks_of(alert: AlertState, text: str, name: Callable[[str], Bilingual | None]) -> bool:
    label = name(alert.subject)
    said = (alert.title, alert.summary) if label is None else (alert.title, alert.summary, label)
    texts = [each for both in said for each in (both.en, both.zh)]
    texts += [alert.alert_id, alert.subject, alert.indicator, alert.acknowledged_by or "", alert.team or ""]
    return any(text in each.casefold() for each in texts)


def _urgency(row: Row) -> tuple[int, bool, int]:
    return _SEVERITIES.index(row.alert.severity), not row.of_me, _ASKS.index(row.ask)
