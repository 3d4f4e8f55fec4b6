"""What one receiver is told of one alert, and what is news to it.

An opening, a rise of severity or level, the answer once nothing waits for approval any more, and the end. Nobody is
told of a change whose opening they were not told of: when an opening could not be delivered, only what became worse
since is told, as an opening. What began and ended before it could be told is told as one story.
"""

from schemas.alerts import AlertState, Change, Language, Occasion
from schemas.base import HexId, Instant, Message, Name, Severity, Versioned
from services.alerting.requests import any_waits, decided_at

Rank = tuple[int, int]
"""How bad: severity (0 to 2) and level."""
News = tuple[Change, Occasion]

SEVERITIES: tuple[Severity, ...] = ("info", "warning", "critical")


class InGroup(Message):
    """The group that a message belongs to: one thread at the receiver, whichever alert of it is the worst.

    alerts: what the message tells of, the worst first; count: how many that are. open: how many of the group are open
    once it has arrived.
    """

    group_id: HexId
    count: int
    alerts: list[HexId] = []
    open: int = 0


class Due(Versioned):
    """A message that is to be delivered. Everything in it is fixed, so a repeat is the same to the last byte.

    `alert_id` is the worst of the alerts that it tells of, `number` counts the messages of one group to one receiver,
    of which one is due at a time. `decided_ms` is the append time of what made it due: deadlines count from there,
    whatever was restarted since. `receiver` is a name of the settings, `language` what is written to it.
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
    """How much of one alert one receiver has been told, `rank` being the worst of it.

    `rank` is None while no opening was told. `forgone` is the rank whose opening could not be delivered. `decided` is
    the newest answer to a request for approval that was told. `rings`: how often it was called again. `resolved`: there
    is nothing more to tell.
    """

    rank: Rank | None = None
    forgone: Rank | None = None
    resolved: bool = False
    decided: Instant | None = None
    rings: int = 0


OVER = Told(resolved=True)
"""Of an alert that ended while nobody was to be told of it."""


def rank(alert: AlertState) -> Rank:
    """How bad an alert is now."""
    return SEVERITIES.index(alert.severity), alert.level


def is_over(alert: AlertState) -> bool:
    """Whether it has ended."""
    return alert.status == "resolved"


def news(told: Told, alert: AlertState, rings: int = 0) -> News | None:
    """What there is to tell, if anything. `rings`: how often the receiver is to have been called again."""
    if told.resolved:
        return None
    if is_over(alert):
        return _end(told)
    if told.rank is None:
        return ("alert.opened", "news") if _rises(told.forgone, rank(alert)) else None
    if _rises(told.rank, rank(alert)) or _is_answered(told, alert):
        return "alert.updated", "news"
    return ("alert.updated", "reminder") if rings > told.rings else None


def told_with(told: Told, alert: AlertState, rings: int = 0) -> Told:
    """What has been told once the news of this state has arrived."""
    return Told(
        rank=_worst(told.rank, rank(alert)),
        resolved=is_over(alert),
        decided=decided_at(alert.actions),
        rings=max(rings, told.rings),
    )


def told_without(told: Told, alert: AlertState, rings: int = 0) -> Told:
    """The same when they could not be delivered: without its opening nothing was told."""
    if told.rank is not None:
        return told_with(told, alert, rings)
    return Told(forgone=_worst(told.forgone, rank(alert)), resolved=is_over(alert), rings=max(rings, told.rings))


def _end(told: Told) -> News | None:
    if told.rank is not None:
        return "alert.resolved", "news"
    return ("alert.resolved", "story") if told.forgone is None else None


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
