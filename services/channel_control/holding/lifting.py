"""Lifting: holds go, and their alerts are told by whom."""

from collections.abc import Collection

from schemas.base import HexId
from schemas.commands import Command
from services.channel_control.decision import Decision, Moment, noted, notes_for
from services.channel_control.holding.holds import why
from services.channel_control.holding.target import Target


def lift(target: Target, hold_ids: Collection[HexId], command: Command, moment: Moment) -> Decision:
    """These holds are lifted by whoever gave the order."""
    lifted = [hold for hold in target.holds if hold.hold_id in hold_ids]
    left = tuple(hold for hold in target.holds if hold.hold_id not in hold_ids)
    return Decision(
        "done",
        why(command),
        target=target.with_holds(left),
        holds=tuple(hold.hold_id for hold in lifted),
        notes=notes_for(lifted, target.name, "lifted", command.issued_by, moment.at, noted(command)),
    )
