"""What one receiver is told of a group, and when. Pure; moments in ms of the log's clock.

One message is due at a time. What happens meanwhile is told by the next one, as it is then; and when a message has not
arrived for a while and says less than there is to say, a new one takes its place.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from schemas.alerts import AlertState, Occasion
from schemas.base import HexId
from services.alerting.groups.group import Group, Scene, Talk
from services.alerting.telling import (
    OVER,
    SEVERITIES,
    Due,
    InGroup,
    News,
    Told,
    is_over,
    news,
    rank,
    told_with,
    told_without,
)
from services.alerting.words import Line, body
from services.runtime.ids import derive

STALE_MS: Final = 60_000
"""So long a message may be on its way before one that says what is now takes its place."""
MANY: Final = 5
MOST_RUNS: Final = 2
"""While messages of that many alerts follow on each other, each pause is twice the one before, so often."""


@dataclass(frozen=True, slots=True)
class Turn:
    """What came of looking at a talk: what is due instead of what, and when to look again."""

    talk: Talk
    due: Due | None = None
    dropped: HexId | None = None
    look_ms: int | None = None


def turn(group: Group, talk: Talk, scene: Scene, touched: AlertState | None = None) -> Turn:
    """What there is to say now. `touched`: nothing but this alert has changed since the last look."""
    if talk.escalated:
        talk = _spared(talk, group)
    if touched is not None and _is_skipped(talk, touched, scene):
        talk = talk.model_copy(update={"told": {**talk.told, touched.alert_id: OVER}})
    if talk.flight is not None:
        return _turn_in_flight(group, talk, scene)
    ready = ready_ms(talk, scene)
    if scene.now_ms < ready and touched is not None and not _hurries(group, talk, [touched]):
        return Turn(talk, look_ms=ready)
    found, look_ms = _found(talk, talk.told, scene)
    if not found:
        return Turn(talk, look_ms=look_ms)
    if scene.now_ms < ready and not _hurries(group, talk, [scene.alerts[each] for each in found]):
        return Turn(talk, look_ms=ready)
    return _say(group, talk, found, scene)


def settle(talk: Talk, *, arrived: bool) -> Talk:
    """The message that was due has ended."""
    told = {**talk.told, **(talk.sent if arrived else talk.lost)}
    return talk.model_copy(update={"told": told, "flight": None, "sent": {}, "lost": {}})


def is_told(talk: Talk, alert_id: HexId) -> bool:
    """Whether its receiver knows of an alert, or is about to."""
    return any(told.rank is not None for told in (talk.told.get(alert_id), talk.sent.get(alert_id)) if told)


def owes(talk: Talk, alert: AlertState) -> bool:
    """Whether there is, or will be, more to say of an alert."""
    if alert.alert_id in talk.sent:
        return True
    told = talk.told.get(alert.alert_id)
    return told is not None and (not is_over(alert) or news(told, alert) is not None)


def _is_skipped(talk: Talk, alert: AlertState, scene: Scene) -> bool:
    """Whether an alert has ended while nobody was to be told of it, and nobody was."""
    told = talk.told.get(alert.alert_id)
    return told is not None and told.rank is None and is_over(alert) and scene.quiet_until(alert) > 0


def _spared(talk: Talk, group: Group) -> Talk:
    """Who was to be called up the ladder is not any more for what somebody has taken charge of."""
    told = {each: told for each, told in talk.told.items() if told.rank is not None or each not in group.acked}
    return talk if len(told) == len(talk.told) else talk.model_copy(update={"told": told})


def _turn_in_flight(group: Group, talk: Talk, scene: Scene) -> Turn:
    stale_ms = (talk.last_ms or 0) + STALE_MS
    if scene.now_ms < stale_ms:
        return Turn(talk, look_ms=stale_ms)
    found, look_ms = _found(talk, {**talk.told, **talk.sent}, scene)
    if not found:
        return Turn(talk, look_ms=look_ms)
    anew, _ = _found(talk, talk.told, scene)
    if not anew:
        return Turn(talk)
    said = _say(group, talk, anew, scene)
    return Turn(said.talk, said.due, talk.flight, said.look_ms)


def _found(talk: Talk, told: Mapping[HexId, Told], scene: Scene) -> tuple[dict[HexId, News], int | None]:
    """The news of each alert of which there may be told, and when the next one's quiet is over."""
    found: dict[HexId, News] = {}
    quiet: list[int] = []
    for alert_id, so_far in told.items():
        alert = scene.alerts.get(alert_id)
        new = None if alert is None else news(so_far, alert, talk.rings.get(alert_id, 0))
        if alert is None or new is None:
            continue
        if until := scene.quiet_until(alert):
            quiet.append(until)
        else:
            found[alert_id] = new
    return found, min(quiet, default=None)


def ready_ms(talk: Talk, scene: Scene) -> int:
    """Until when followers are collected."""
    return 0 if talk.last_ms is None else talk.last_ms + (scene.gather_ms << talk.run)


def _hurries(group: Group, talk: Talk, alerts: Iterable[AlertState]) -> bool:
    """Whether this does not wait for more: the only alert of its group, or a severity that was not told before."""
    if group.kind == "own" and len(talk.told) == 1:
        return True
    known = [told.rank[0] for told in talk.told.values() if told.rank is not None]
    loudest = max([talk.loudest, *known])
    return any(not is_over(alert) and SEVERITIES.index(alert.severity) > loudest for alert in alerts)


def _say(group: Group, talk: Talk, found: Mapping[HexId, News], scene: Scene) -> Turn:
    alerts = sorted((scene.alerts[each] for each in found), key=_order)
    lead = alerts[0]
    lines = [Line(alert, *found[alert.alert_id]) for alert in alerts]
    standing = _standing(talk, found, scene)
    about = None if len(talk.told) == 1 else (group.group_id, group.labels, standing)
    due = Due(
        webhook_id=derive(group.group_id, talk.receiver, str(talk.count)),
        alert_id=lead.alert_id,
        number=talk.count,
        change=lines[0].change,
        rank=rank(lead),
        decided_ms=scene.now_ms,
        body=body(lines, _occasion(talk, found), scene.at, scene.zone, about),
        receiver=talk.receiver,
        language=group.language,
        group=InGroup(
            group_id=group.group_id, count=len(alerts), alerts=[each.alert_id for each in alerts], open=len(standing)
        ),
    )
    soon = talk.last_ms is not None and scene.now_ms < ready_ms(talk, scene) + scene.gather_ms
    rings = talk.rings
    said = talk.model_copy(
        update={
            "flight": due.webhook_id,
            "sent": {each: told_with(talk.told[each], scene.alerts[each], rings.get(each, 0)) for each in found},
            "lost": {each: told_without(talk.told[each], scene.alerts[each], rings.get(each, 0)) for each in found},
            "count": talk.count + 1,
            "last_ms": scene.now_ms,
            "run": min(talk.run + 1, MOST_RUNS) if soon and len(alerts) >= MANY else 0,
        }
    )
    return Turn(said, due, look_ms=scene.now_ms + STALE_MS)


def _occasion(talk: Talk, found: Mapping[HexId, News]) -> Occasion:
    if talk.escalated and talk.count == 0:
        return "escalated"
    return "summary" if len(found) > 1 else next(iter(found.values()))[1]


def _standing(talk: Talk, found: Mapping[HexId, News], scene: Scene) -> list[AlertState]:
    """What its receiver knows to be open once this message has arrived."""
    alerts = [scene.alerts[each] for each in talk.told if each in scene.alerts]
    return [each for each in alerts if not is_over(each) and (each.alert_id in found or is_told(talk, each.alert_id))]


def _order(alert: AlertState) -> tuple[bool, int, int, str]:
    """What stands goes before what is over, and the worst first."""
    severity, level = rank(alert)
    return is_over(alert), -severity, -level, alert.alert_id
