"""What goes into the audit of who came, who left, and who had the wrong password. Pure.

The console writes no audit of its own: like an order it goes through `channel-commands`, where channel_control, the one
writer of the chain of that partition, puts it on record.
"""

from datetime import datetime

from schemas.commands import Command
from services.console.signin.sessions import Session

UNKNOWN = "console:sign-in"
"""What a failure is about whose name nobody has: what was typed there may be a password."""
MOST_A_MINUTE = 20
"""Failures that go on record; a flood of them is counted in the next, since the audit is kept for ever."""
_DOORS = {"password": "by password", "provider": "by the OpenID Connect provider"}


def came(session: Session, chance: str, now: datetime, *, again: bool) -> Command:
    """Somebody has signed in; again: has proved once more who they are. `chance`: 32 random hex digits."""
    how = f"{_DOORS[session.door]}, as {session.role}" + (", once more" if again else "")
    return _said("sign_in", session.name, chance, now, session=session.session_id, note=how)


def left(session: Session, chance: str, now: datetime, *, everywhere: bool) -> Command:
    """Somebody has signed out."""
    note = "everywhere" if everywhere else None
    return _said("sign_out", session.name, chance, now, session=None if everywhere else session.session_id, note=note)


def failed(name: str | None, why: str, chance: str, now: datetime, *, left_out: int) -> Command:
    """Somebody was not let in; name: only one that there is."""
    note = why + (f"; {left_out} others before are not on record" if left_out else "")
    return Command(
        command_id=chance,
        command="sign_in_failed",
        target=UNKNOWN if name is None else f"person:{name}",
        issued_by="console",
        issued_at=now,
        note=note,
    )


def _said(word: str, name: str, chance: str, now: datetime, **more: str | None) -> Command:
    who = f"person:{name}"
    fields = {"command_id": chance, "command": word, "target": who, "issued_by": who, "issued_at": now, **more}
    return Command.model_validate(fields)


class Thinning:
    """Lets so many failures a minute on record, and counts the others."""

    def __init__(self) -> None:
        self._minute = -1
        self._let = 0
        self._left_out = 0

    def let(self, now_s: float) -> int | None:
        """How many were left out since the last that was let; None: this one is left out too."""
        minute = int(now_s // 60)
        if minute != self._minute:
            self._minute, self._let = minute, 0
        if self._let == MOST_A_MINUTE:
            self._left_out += 1
            return None
        self._let += 1
        left_out, self._left_out = self._left_out, 0
        return left_out
