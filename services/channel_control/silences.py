"""A person's silence of an alert, or of a subject: passed on to alerting, which tells nobody until it is over."""

from schemas.alerting import LONGEST_SILENCE, Silence
from schemas.commands import Command
from services.channel_control.decision import Decision, Moment, refuse
from services.channel_control.holds import why
from services.channel_control.target import Target
from services.runtime.ids import derive


def silence(_: Target, command: Command, moment: Moment) -> Decision:
    """Until `expires_at`; without one it ends what was silenced. A newer one of the same scope takes its place."""
    until = command.expires_at
    if until is not None and not (command.note or "").strip():
        return refuse(command, moment, "silence without a reason")
    if until is not None and until > moment.at + LONGEST_SILENCE:
        return refuse(
            command, moment, f"a silence lasts at most {LONGEST_SILENCE.days} days; the policy has longer ones"
        )
    said = Silence(
        silence_id=derive("silence", command.alert_id or command.target),
        alert_id=command.alert_id,
        subject=command.target,
        by=command.issued_by,
        reason=command.note,
        since=moment.at,
        until=until,
    )
    return Decision("done", why(command), silence=said)
