"""Who came to the console and who left: into the audit, beside what they did there."""

from typing import Final, get_args

from schemas.commands import Command, Entry
from services.channel_control.decision import Decision, Moment, refuse
from services.channel_control.holding.holds import why
from services.channel_control.holding.target import Target
from services.channel_control.sentences import both

ENTRIES: Final = frozenset(get_args(Entry))
CONSOLES_WORDS: Final = frozenset({"sign_in_failed"})
"""What the console says itself: who it was is just what nobody knows."""


def entry(_: Target, command: Command, moment: Moment) -> Decision:
    """Targets and their holds do not change."""
    if command.is_from_person() and command.target != command.issued_by:
        word = command.command
        return refuse(command, moment, both(f"{word} is for each person themselves to say", f"{word} 只能由本人报告"))
    return Decision("recorded", why(command))
