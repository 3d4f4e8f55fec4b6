"""The life of a group: alerts join, receivers are told, those up the ladder are called, and at last it is over. Pure.

An acknowledgement of one alert counts for all of its group that were told by then: they stood in the same messages.
"""

from dataclasses import dataclass

from schemas.alerts import AlertState
from schemas.base import HexId, Name
from services.alerting.groups.group import Group, Scene, Talk
from services.alerting.groups.group_talk import is_told, owes, ready_ms, settle, turn
from services.alerting.telling import Due, Told, is_over


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a group, None when it is over; which messages are due now, and which no longer."""

    group: Group | None
    due: tuple[Due, ...] = ()
    dropped: tuple[HexId, ...] = ()


def join(group: Group, alert_id: HexId, receivers: list[Name], acked_ms: int | None = None) -> Group:
    """With one more alert, of which somebody may have taken charge before. Who was called up the ladder hears of it
    while nobody has, nor of the others."""
    talks = dict(group.talks)
    for name in receivers:
        talks.setdefault(name, Talk(receiver=name))
    for name, talk in talks.items():
        if name in receivers or (talk.escalated and group.step > 0 and acked_ms is None):
            talks[name] = _with(talk, alert_id)
    acked = group.acked if acked_ms is None else {**group.acked, alert_id: acked_ms}
    return group.model_copy(update={"alerts": [*group.alerts, alert_id], "talks": talks, "acked": acked})


def acknowledge(group: Group, alert_id: HexId, scene: Scene) -> Group:
    """Somebody takes charge of an alert, and so of what was told with it."""
    told = {each for each in group.alerts if any(is_told(talk, each) for talk in group.talks.values())}
    acked = {**group.acked, **dict.fromkeys(sorted({alert_id, *told}), scene.now_ms)}
    return group.model_copy(update={"acked": acked})


def ended(group: Group, receiver: Name, *, arrived: bool) -> Group:
    """The message to a receiver has arrived, or never will."""
    talks = {**group.talks, receiver: settle(group.talks[receiver], arrived=arrived)}
    return group.model_copy(update={"talks": talks})


def consider(group: Group, scene: Scene, touched: AlertState | None = None) -> Outcome:
    """What there is to do now. `touched`: nothing but this alert has changed since the last time."""
    group = _climb(_repeat(group, scene), scene)
    talks, due, dropped, looks = {}, [], [], []
    for name, talk in sorted(group.talks.items()):
        taken = turn(group, talk, scene, touched)
        talks[name] = taken.talk
        due += [taken.due] if taken.due else []
        dropped += [taken.dropped] if taken.dropped else []
        looks.append(taken.look_ms)
    group = _call(group.model_copy(update={"talks": talks}), scene)
    if touched is None or is_over(touched):
        group = _forget(group, scene)
    if not group.alerts:
        return Outcome(None, tuple(due), tuple(dropped))
    looks += [_next_rung(group), _next_repeat(group, scene), _next_end(group, scene)]
    coming = [look for look in looks if look is not None and look > scene.now_ms]  # what is past waits for more
    return Outcome(group.model_copy(update={"look_ms": min(coming, default=None)}), tuple(due), tuple(dropped))


def _with(talk: Talk, alert_id: HexId) -> Talk:
    return talk.model_copy(update={"told": {alert_id: Told(), **talk.told}})


def _unheard(group: Group, scene: Scene) -> list[HexId]:
    """The alerts that were told and stand, of which nobody has taken charge."""
    return [
        each
        for each in group.alerts
        if each not in group.acked
        and (alert := scene.alerts.get(each)) is not None
        and not is_over(alert)
        and any(is_told(talk, each) for talk in group.talks.values())
        and not scene.quiet_until(alert)
    ]


def _call(group: Group, scene: Scene) -> Group:
    """Begins to wait for an acknowledgement, or ends it."""
    if not group.ladder:
        return group
    if not _unheard(group, scene):
        return group.model_copy(update={"calling_ms": None, "step": 0})
    return group if group.calling_ms is not None else group.model_copy(update={"calling_ms": scene.now_ms})


def _climb(group: Group, scene: Scene) -> Group:
    """Calls the receivers of each rung whose time has come."""
    while (at_ms := _next_rung(group)) is not None and at_ms <= scene.now_ms:
        unheard = _unheard(group, scene)
        if not unheard:
            return group.model_copy(update={"calling_ms": None, "step": 0})
        talks = dict(group.talks)
        for name in group.ladder[group.step].receivers:
            talks[name] = _called(talks.get(name) or Talk(receiver=name, escalated=True), unheard)
        group = group.model_copy(update={"talks": talks, "step": group.step + 1})
    return group


def _called(talk: Talk, alerts: list[HexId]) -> Talk:
    """Tells of what its receiver does not know, and again of the rest."""
    rings = {**talk.rings, **{each: talk.rings.get(each, 0) + 1 for each in alerts if is_told(talk, each)}}
    told = {**{each: Told() for each in alerts}, **talk.told}
    return talk.model_copy(update={"rings": rings, "told": told})


def _repeat(group: Group, scene: Scene) -> Group:
    """What still fires long after somebody took charge of it rings again, and waits for an acknowledgement anew."""
    if group.repeat_ms is None:
        return group
    due = [each for each, at_ms in group.acked.items() if at_ms + group.repeat_ms <= scene.now_ms]
    again = [each for each in due if (alert := scene.alerts.get(each)) is not None and not is_over(alert)]
    if not due:
        return group
    acked = {each: at_ms for each, at_ms in group.acked.items() if each not in due}
    talks = {name: _rung(talk, again) for name, talk in group.talks.items()}
    return group.model_copy(update={"acked": acked, "talks": talks})


def _rung(talk: Talk, alerts: list[HexId]) -> Talk:
    known = [each for each in alerts if is_told(talk, each)]
    return talk.model_copy(update={"rings": {**talk.rings, **{each: talk.rings.get(each, 0) + 1 for each in known}}})


def _next_rung(group: Group) -> int | None:
    if group.calling_ms is None or group.step >= len(group.ladder):
        return None
    return group.calling_ms + group.ladder[group.step].after_ms


def _next_repeat(group: Group, scene: Scene) -> int | None:
    if group.repeat_ms is None:
        return None
    return min((at_ms + group.repeat_ms for at_ms in group.acked.values()), default=None)


def _next_end(group: Group, scene: Scene) -> int | None:
    """When what is over may be forgotten, if all is."""
    if not all(is_over(scene.alerts[each]) for each in group.alerts if each in scene.alerts):
        return None
    return max((ready_ms(talk, scene) for talk in group.talks.values()), default=None)


def _forget(group: Group, scene: Scene) -> Group:
    """Without the alerts of which there is nothing more to say, once no follower would be told with them."""
    if scene.now_ms < max((ready_ms(talk, scene) for talk in group.talks.values()), default=0):
        return group
    kept = [
        each
        for each in group.alerts
        if (alert := scene.alerts.get(each)) is not None and any(owes(talk, alert) for talk in group.talks.values())
    ]
    if len(kept) == len(group.alerts):
        return group
    talks = {name: _only(talk, set(kept)) for name, talk in group.talks.items()}
    acked = {each: at_ms for each, at_ms in group.acked.items() if each in kept}
    return group.model_copy(update={"alerts": kept, "talks": talks, "acked": acked})


def _only(talk: Talk, kept: set[HexId]) -> Talk:
    told = {each: told for each, told in talk.told.items() if each in kept}
    rings = {each: rings for each, rings in talk.rings.items() if each in kept}
    return talk.model_copy(update={"told": told, "rings": rings})
