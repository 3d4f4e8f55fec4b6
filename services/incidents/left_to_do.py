"""What is left to do: what nobody acknowledged, is still held, waits for people or could not be carried out."""

from collections.abc import Iterator, Sequence

from schemas.alerts import AlertState
from schemas.audit import AuditRecord
from schemas.channels import ChannelState, FourEyesRequest, Hold
from services.incidents import report_words as words
from services.incidents.material import Material
from services.incidents.saying import Saying


def left_to_do(material: Material, own: Sequence[AuditRecord], saying: Saying) -> Iterator[str]:
    """A sentence for each. own: what the audit says of the incident."""
    for alert in material.alerts:
        yield from _of_alert(alert, saying)
    alerts = set(material.incident.alerts)
    for state in sorted(material.states, key=lambda each: each.target):
        holds = [hold for hold in state.holds if hold.alert_id in alerts]
        if holds:
            yield from _of_target(state, holds, saying)
    for record in own:
        if record.what == "deliver" and record.outcome == "failed":
            why = record.reason()
            yield saying.say(words.UNDELIVERED, at=saying.at(record.at), why="" if why is None else saying.say(why))


def _of_alert(alert: AlertState, saying: Saying) -> Iterator[str]:
    if alert.status != "resolved":
        yield saying.say(words.UNRESOLVED, title=saying.say(alert.title))
    if alert.acknowledged_by is None and alert.severity != "info":
        yield saying.say(words.UNACKNOWLEDGED, title=saying.say(alert.title))


def _of_target(state: ChannelState, holds: Sequence[Hold], saying: Saying) -> Iterator[str]:
    for hold in holds:
        if hold.approval in ("none", "granted"):
            yield _standing(state, hold, saying)
        elif hold.approval == "waiting":
            what, until = saying.phrase(hold.kind, [state.target]), saying.at(hold.decide_by)
            yield saying.say(words.WAITING, what=what, until=until, agreed=_agreed(hold))
    for request in state.requests:
        word = saying.say(words.WORDS[request.command], target=saying.called(state.target))
        asked = {"who": saying.who(request.by), "what": word, "until": saying.at(request.decide_by)}
        yield saying.say(words.ASKED, **asked, agreed=_agreed(request))
    if state.override is not None:
        who, until = saying.who(state.override.by), saying.at(state.override.until)
        yield saying.say(words.OVERRIDDEN, who=who, target=saying.called(state.target), until=until)
    if state.platform.confirmed != state.platform.wanted:
        status = saying.say(words.STATUSES[state.platform.wanted])
        yield saying.say(words.UNCONFIRMED, target=saying.called(state.target), status=status)


def _standing(state: ChannelState, hold: Hold, saying: Saying) -> str:
    what, since = saying.phrase(hold.kind, [state.target]), saying.at(hold.since)
    said = saying.say(words.STANDING, target=saying.called(state.target), what=what, since=since)
    if hold.ramp is None:
        return said
    ramp = saying.say(words.RAMPS[hold.ramp.state], step=f"{hold.ramp.step:.0%}", next=saying.at(hold.ramp.next_at))
    return f"{said}{saying.say(words.SPACE)}{ramp}"


def _agreed(asked: Hold | FourEyesRequest) -> str:
    return f"{len(asked.approved_by)}/{asked.approvals_needed}"
