"""People's words on which alerts are one incident: into the audit, and onto the alerts as a label."""

from typing import Final

from schemas.base import Bilingual
from schemas.commands import Command
from services.channel_control.decision import AlertNote, Decision, Moment, refuse
from services.channel_control.holding.holds import why
from services.channel_control.holding.target import Target
from services.channel_control.sentences import both
from services.incidents.regrouping import MOST

_PARTS: Final = {"merge": 1, "split": 2}
"""So many incidents come of it."""


def regroup(_: Target, command: Command, moment: Moment) -> Decision:
    """Each alert is told to which incident it belongs. Targets and their holds do not change."""
    problem = _problem(command)
    if problem is not None:
        return refuse(command, moment, problem)
    parts = command.incidents or {}
    notes = tuple(AlertNote(alert, incident=key) for key, alerts in parts.items() for alert in alerts)
    return Decision("done", why(command), notes=notes)


def _problem(command: Command) -> Bilingual | None:
    word, parts = command.command, command.incidents or {}
    alerts = [alert for part in parts.values() for alert in part]
    if not command.target.startswith("incident:"):
        return both(f"{word} is about an incident", f"{word} 的对象须为事件")
    if len(parts) != _PARTS[word] or not all(parts.values()):
        return both(f"{word} does not say which alerts make which incident", f"{word} 未注明各事件包含哪些告警")
    if len(set(alerts)) != len(alerts):
        return both(f"{word} names an alert twice", f"{word} 重复指明了告警")
    if len(alerts) > MOST:
        return both(f"{word} names more than {MOST} alerts", f"{word} 涉及的告警超过 {MOST} 条")
    return None
