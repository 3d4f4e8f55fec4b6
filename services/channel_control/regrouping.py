"""People's words on which alerts are one incident: into the audit, and onto the alerts as a label."""

from typing import Final

from schemas.commands import Command
from services.channel_control.decision import AlertNote, Decision, Moment, refuse
from services.channel_control.holds import why
from services.channel_control.target import Target
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


def _problem(command: Command) -> str | None:
    word, parts = command.command, command.incidents or {}
    alerts = [alert for part in parts.values() for alert in part]
    if not command.target.startswith("incident:"):
        return f"{word} is about an incident"
    if len(parts) != _PARTS[word] or not all(parts.values()):
        return f"{word} does not say which alerts make which incident"
    if len(set(alerts)) != len(alerts):
        return f"{word} names an alert twice"
    return f"{word} names more than {MOST} alerts" if len(alerts) > MOST else None
