"""A person's silence of an alert, or of a subject: passed on to alerting, which tells nobody until it is over."""

from schemas.alerting import LONGEST_SILENCE, Silence
from schemas.commands import Command
from services.channel_control.decision import Decision, Moment, refuse
from services.channel_control.holding.holds import why
from services.channel_control.holding.target import Target
from services.channel_control.sentences import both
from services.runtime.ids import derive


def silence(_: Target, command: Command, moment: Moment) -> Decision:
    """Until `expires_at`; without one it ends what was silenced. A newer one of the same scope takes its place."""
    until = command.expires_at
    if until is not None and not (command.note or "").strip():
        return refuse(command, moment, both("silence without a reason", "静默未填写原因"))
    if until is not None and until > moment.at + LONGEST_SILENCE:
        text = both(
            f"a silence lasts at most {LONGEST_SILENCE.days} days; the policy has longer ones",
            f"静默最长 {LONGEST_SILENCE.days} 天；更长的请在策略中设置",
        )
        return refuse(command, moment, text)
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
