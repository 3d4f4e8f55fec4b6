"""An incident as people see it: alerts that belong together, how it stands, and what is probably behind it."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final, Literal

from schemas.alerts import AlertState
from schemas.base import Bilingual, HexId, Instant, Message, Name, Ref, Severity
from schemas.directory import Directory
from services.incidents import words
from services.incidents.cause import Cause, cause_of
from services.incidents.grouping import Group

CLOSED_AFTER: Final = timedelta(hours=1)
"""So long after its last alert was resolved an incident is closed: the ratios take half an hour below their figure to
clear, and what comes back usually does within the next. A follower that comes later opens it again."""
_SEVERITIES: Final[tuple[Severity, ...]] = ("info", "warning", "critical")

Status = Literal["open", "closed"]


class Incident(Message):
    """`incident_id` is the id of the alert that it began with. `alerts` are ids, in the order of their opening.

    closed_at: when it was or will be closed, `null` while any alert is open. severity: of the worst alert.
    """

    incident_id: HexId
    status: Status
    severity: Severity
    title: Bilingual
    opened_at: Instant
    closed_at: Instant | None
    alerts: list[HexId]
    indicators: list[Name]
    subjects: list[Ref]
    cause: Cause
    by_people: bool


def incident_of(
    group: Group, known: Callable[[str], AlertState | None], directory: Directory, now: datetime
) -> Incident | None:
    """How a group stands now; None when none of its alerts is known any more."""
    alerts = [alert for each in group.alerts if (alert := known(each.alert_id)) is not None]
    if not alerts:
        return None
    cause = cause_of(group, alerts, directory)
    closed_at = _closed_at(alerts)
    return Incident(
        incident_id=group.key,
        status=_status(closed_at, now),
        severity=max((alert.severity for alert in alerts), key=_SEVERITIES.index),
        title=_title(alerts, cause),
        opened_at=alerts[0].opened_at,
        closed_at=closed_at,
        alerts=[alert.alert_id for alert in alerts],
        indicators=list(dict.fromkeys(alert.indicator for alert in alerts)),
        subjects=list(dict.fromkeys(alert.subject for alert in alerts)),
        cause=cause,
        by_people=group.pinned,
    )


def status_of(group: Group, known: Callable[[str], AlertState | None], now: datetime) -> Status | None:
    """Only how it stands, which is found out far sooner than its cause."""
    alerts = [alert for each in group.alerts if (alert := known(each.alert_id)) is not None]
    return _status(_closed_at(alerts), now) if alerts else None


def _status(closed_at: datetime | None, now: datetime) -> Status:
    return "open" if closed_at is None or now < closed_at else "closed"


def _closed_at(alerts: list[AlertState]) -> datetime | None:
    ends = [alert.resolved_at or alert.opened_at for alert in alerts if alert.status == "resolved"]
    return max(ends) + CLOSED_AFTER if len(ends) == len(alerts) else None


def _title(alerts: list[AlertState], cause: Cause) -> Bilingual:
    first = next(alert for alert in alerts if alert.alert_id == cause.first)
    more = len(alerts) - 1
    if not more:
        return first.title
    return words.fill(words.TITLE_ONE if more == 1 else words.TITLE, title=first.title, more=more)
