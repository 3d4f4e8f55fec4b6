"""What people's merge and split come to: which alerts make which incident, as the order then says. Pure."""

from collections.abc import Collection, Iterable, Sequence
from typing import Final

from schemas.problems import ToldError
from services.incidents.grouping import Group, Seen, order

Parts = dict[str, list[str]]
"""The alerts of each incident, by the incident's id."""
MOST: Final = 1000
"""Alerts of one order: each becomes a fact, and the order one record."""


class RegroupingError(ToldError):
    """Not possible, and why."""


def merged(into: Group, others: Iterable[Group]) -> Parts:
    """All alerts of these incidents in the first one; raises RegroupingError."""
    rest = {each.key: each for each in others if each.key != into.key}
    if not rest:
        raise RegroupingError("names no other incident", "未指明其他事件")
    alerts = sorted((*into.alerts, *(alert for each in rest.values() for alert in each.alerts)), key=order)
    return _bounded({into.key: _ids(alerts)})


def parted(group: Group, alert_ids: Collection[str]) -> Parts:
    """These alerts in an incident of their own; raises RegroupingError.

    The part that has the alert by which the incident is called keeps its id, so old ids go on meaning what they meant.
    """
    away = [alert for alert in group.alerts if alert.alert_id in alert_ids]
    left = [alert for alert in group.alerts if alert.alert_id not in alert_ids]
    if len(away) != len(set(alert_ids)):
        raise RegroupingError("names an alert that is not in this incident", "所指的告警不属于本事件")
    if not away or not left:
        raise RegroupingError("leaves one of the two without any alert", "拆分后有一个事件没有告警")
    return _bounded({_key(part, group.key): _ids(part) for part in (left, away)})


def _key(part: Sequence[Seen], key: str) -> str:
    ids = _ids(part)
    return key if key in ids else ids[0]


def _ids(alerts: Iterable[Seen]) -> list[str]:
    return [alert.alert_id for alert in alerts]


def _bounded(parts: Parts) -> Parts:
    if sum(map(len, parts.values())) > MOST:
        raise RegroupingError(f"more than {MOST} alerts", f"告警超过 {MOST} 条")
    return parts
