"""What is probably behind an incident, and what speaks for that."""

from collections.abc import Iterator, Sequence
from typing import Final

from schemas.alerts import AlertState
from schemas.base import Bilingual, Message, Ref, to_ms
from schemas.directory import Directory
from services.incidents import words
from services.incidents.grouping import Group, Seen
from services.incidents.likeness import explains

SHOWN: Final = 3
"""Things that are named as shared, those that say most."""
_SHORT: Final = 12
"""Characters of a pseudonym or fingerprint that are shown."""
_LONG: Final = 32


class Cause(Message):
    """A suspicion, not a finding. thing: what the alerts share that says most; `null` where they share nothing.

    first: the alert that can have brought about most of the others, or the earliest.
    """

    thing: Ref | None
    first: str
    text: Bilingual
    speaks: list[Bilingual]


def cause_of(group: Group, alerts: Sequence[AlertState], directory: Directory) -> Cause:
    """alerts: those of the group, by the time of their opening."""
    first = _first(alerts)
    things = _shared(group)
    speaks = list(_speaks(group, things, alerts, first, directory)) if len(alerts) > 1 else []
    if len(alerts) == 1:
        text = words.fill(words.ALONE, title=first.title)
    elif things:
        text = words.fill(words.COMMON, thing=called(things[0], directory), title=first.title)
    else:
        text = words.fill(words.PUT_TOGETHER, title=first.title)
    return Cause(thing=things[0] if things else None, first=first.alert_id, text=text, speaks=speaks)


def called(thing: str, directory: Directory) -> Bilingual:
    """A thing as people read it: by the name in the directory, what is long and meaningless shortened."""
    kind, _, name = thing.partition(":")
    short = f"{name[:_SHORT]}…" if len(name) >= _LONG else name
    label = directory.label(thing) or Bilingual(en=short, zh=short)
    of_kind = words.KINDS.get(kind, Bilingual(en=kind, zh=kind))
    return Bilingual(en=f"{of_kind.en} {label.en}", zh=f"{of_kind.zh} {label.zh}")


def _first(alerts: Sequence[AlertState]) -> AlertState:
    return max(alerts, key=lambda one: len(_effects(one, alerts)))


def _effects(cause: AlertState, alerts: Sequence[AlertState]) -> list[str]:
    """The indicators whose trouble this alert's can have brought about."""
    later = (each for each in alerts if each.opened_at >= cause.opened_at)
    return list(dict.fromkeys(each.indicator for each in later if explains(cause.indicator, each.indicator)))


def _shared(group: Group) -> list[str]:
    """What at least two alerts speak of, what says most first."""
    shared = [(thing, said) for thing, said in group.ties.items() if len(_speakers(thing, group.alerts)) > 1]
    return [thing for thing, _ in sorted(shared, key=lambda each: (-each[1], each[0]))]


def _speakers(thing: str, alerts: Sequence[Seen]) -> list[Seen]:
    return [alert for alert in alerts if thing in alert.things]


def _speaks(
    group: Group, things: Sequence[str], alerts: Sequence[AlertState], first: AlertState, directory: Directory
) -> Iterator[Bilingual]:
    for thing in things[:SHOWN]:
        count = len(_speakers(thing, group.alerts))
        yield words.fill(words.SHARED, count=count, all=len(alerts), thing=called(thing, directory))
    if effects := _effects(first, alerts):
        yield words.fill(words.EXPLAINS, cause=first.indicator, effects=", ".join(effects))
    gap_ms = to_ms(alerts[-1].opened_at) - to_ms(alerts[0].opened_at)
    yield words.fill(words.WITHIN, minutes=-(-gap_ms // 60_000))
    if group.pinned:
        yield words.BY_PEOPLE
