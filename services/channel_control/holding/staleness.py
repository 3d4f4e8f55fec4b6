"""Stale orders: a verdict may be too old to act on. It is then recorded and told, not done."""

from datetime import datetime, timedelta

from schemas import resuming
from schemas.commands import Command
from schemas.policy import ActWithin


def is_guardrail(command: Command) -> bool:
    """Whether this order protects customers, rather than slowing on a signal: it may act for much longer."""
    if command.command == "escalate" and is_about_content(command):
        return True
    return resuming.is_guardrail(command.issued_by.removeprefix("indicator:"), command.command)


def is_about_content(command: Command) -> bool:
    """Whether this order's target is a content item, which is never held but taken down."""
    return command.target.startswith("content:")


def act_within(command: Command, limits: ActWithin) -> timedelta:
    """How old this order's verdict may be."""
    return limits.guardrail if is_guardrail(command) else limits.usual


def is_stale(command: Command, appended: datetime, limits: ActWithin) -> bool:
    """Whether the verdict was too old when its order was appended. An order without event time is never stale."""
    age = command.age_at(appended)
    return age is not None and age > act_within(command, limits).total_seconds()
