"""Which changes of an alert people are told, each in a message of its own.

An opening, a rise of severity or level, the answer once nothing waits for approval any more, and the end. Nobody is
told of a change whose opening they were not told of: when an opening could not be delivered its followers are dropped,
and what became worse since is told as the opening.
"""

from typing import Literal

from schemas.alerts import AlertState, Language, WebhookMessage
from schemas.base import HexId, Instant, Message, Name, Severity, Versioned
from services.alerting.requests import any_waits, decided_at
from services.runtime.ids import derive

Change = Literal["alert.opened", "alert.updated", "alert.resolved"]
Rank = tuple[int, int]
"""How bad: severity (0 to 2) and level."""

SEVERITIES: tuple[Severity, ...] = ("info", "warning", "critical")


class InGroup(Message):
    """The group that a message speaks of. count: how many alerts of it the message tells."""

    group_id: HexId
    count: int


class Due(Versioned):
    """A message that is to be delivered. Everything in it is fixed, so a repeat is the same to the last byte.

    `number` counts the messages of one alert, in the order in which they must arrive. `decided_ms` is the append time
    of the fact that made it due: deadlines count from there, whatever was restarted since. `receiver` is a name of the
    settings, `language` what is written to it; without a `group` the message is of its alert alone.
    """

    webhook_id: HexId
    alert_id: HexId
    number: int
    change: Change
    rank: Rank
    decided_ms: int
    body: str
    receiver: Name = "default"
    language: Language = "both"
    group: InGroup | None = None


class Told(Message):
    """How much of one alert has been told or is due: `numbered` messages so far, `rank` the worst of them.

    `rank` is None while no opening was told. `forgone` is the rank whose opening could not be delivered. `decided` is
    the newest answer to a request for approval that was told.
    """

    numbered: int = 0
    rank: Rank | None = None
    forgone: Rank | None = None
    resolved: bool = False
    decided: Instant | None = None


def rank(alert: AlertState) -> Rank:
    """How bad an alert is now."""
    return SEVERITIES.index(alert.severity), alert.level


def decide(told: Told, alert: AlertState, at: Instant, decided_ms: int) -> tuple[Told, Due | None]:
    """What a fact of time `at` makes due, if anything, and what has been told with it."""
    change = _change(told, alert)
    if change is None:
        return told, None
    due = Due(
        webhook_id=derive(alert.alert_id, change, str(told.numbered)),
        alert_id=alert.alert_id,
        number=told.numbered,
        change=change,
        rank=rank(alert),
        decided_ms=decided_ms,
        body=WebhookMessage(type=change, timestamp=at, data=alert).model_dump_json(),
    )
    now = {
        "numbered": told.numbered + 1,
        "rank": _worst(told.rank, due.rank),
        "resolved": change == "alert.resolved",
        "decided": decided_at(alert.actions),
    }
    return told.model_copy(update=now), due


def forgo(told: Told, opening: Due) -> Told:
    """After an opening that could not be delivered: nothing has been told."""
    lost = {"rank": None, "forgone": _worst(told.forgone, opening.rank), "resolved": False}
    return told.model_copy(update=lost)


def _change(told: Told, alert: AlertState) -> Change | None:
    resolved = alert.status == "resolved"
    if told.rank is None:
        return None if resolved or not _rises(told.forgone, rank(alert)) else "alert.opened"
    if told.resolved:
        return None
    if resolved:
        return "alert.resolved"
    return "alert.updated" if _rises(told.rank, rank(alert)) or _is_answered(told, alert) else None


def _is_answered(told: Told, alert: AlertState) -> bool:
    """Whether people have decided on all that was asked, or their time is over, and nobody was told."""
    decided = decided_at(alert.actions)
    if decided is None or any_waits(alert.actions):
        return False
    return told.decided is None or decided > told.decided


def _rises(before: Rank | None, now: Rank) -> bool:
    return before is None or now[0] > before[0] or now[1] > before[1]


def _worst(before: Rank | None, now: Rank) -> Rank:
    return now if before is None else (max(before[0], now[0]), max(before[1], now[1]))
