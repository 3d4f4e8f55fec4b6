"""What an alert speaks of: products, channels, actors, content, links. By these, alerts are found to belong together.

A thing is written `kind:name` like a subject, and comes with how much of the alert it is, from 0 to 1: of a hundred
complaints of which ninety name one fund, that fund is 0.9; one of twelve channels that carry a product, a twelfth.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from schemas.alerts import AlertState

Things = Mapping[str, float]

KINDS: Final = {
    "account": "account",
    "accounts": "account",
    "actor": "actor",
    "actors": "actor",
    "by_product": "product",
    "by_source": "source",
    "carried_by": "channel",
    "channel": "channel",
    "channels": "channel",
    "content": "content",
    "contents": "content",
    "fingerprint": "text",
    "link": "link",
    "links": "link",
    "product": "product",
    "products": "product",
    "source": "source",
    "sources": "source",
}
"""The kind of what evidence and labels name so: an indicator that keeps to these names needs no line here."""

_MOST: Final = 20
"""Of a kind so many, the largest: what else an alert names is too little of it to say anything."""
_EVERYTHING: Final = "brand:"
"""The brand is what everything is about, so it brings nothing together."""


def things_of(alert: AlertState) -> Things:
    """What an alert speaks of, from its subject, its evidence, its labels, and what was ordered because of it."""
    found: dict[str, float] = {}
    detail = {} if alert.evidence is None else alert.evidence.detail
    named = [*_in_detail(detail), *_in_labels(alert.labels), *_in_orders(alert), *_of(alert.subject, 1.0)]
    for thing, share in named:
        found[thing] = max(share, found.get(thing, 0.0))
    return found


def _in_detail(detail: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    """What the evidence names, there and one level below: a trace, a report."""
    for part in (detail, *(each for each in detail.values() if isinstance(each, Mapping))):
        for name, value in part.items():
            if name in KINDS:
                yield from ((f"{KINDS[name]}:{each}", share) for each, share in _shares(value))


def _in_labels(labels: Mapping[str, str]) -> Iterator[tuple[str, float]]:
    return ((f"{KINDS[name]}:{value}", 1.0) for name, value in labels.items() if name in KINDS)


def _in_orders(alert: AlertState) -> Iterator[tuple[str, float]]:
    """What its own indicator wants stopped or slowed."""
    by = f"indicator:{alert.indicator}"
    targets = dict.fromkeys(action.target for action in alert.actions if action.by == by)
    for target in targets:
        yield from _of(target, 1 / len(targets))


def _of(subject: str, share: float) -> Iterator[tuple[str, float]]:
    """`promotion:<product>@<channel>` speaks of two."""
    kind, _, name = subject.partition(":")
    if kind == "promotion" and "@" in name:
        product, _, channel = name.rpartition("@")
        yield f"product:{product}", share
        yield f"channel:{channel}", share
    elif not subject.startswith(_EVERYTHING):
        yield subject, share


def _shares(value: object) -> list[tuple[str, float]]:
    """Names in evidence, each with its share: one, a list, or counts."""
    if isinstance(value, str):
        return [(value, 1.0)]
    if isinstance(value, list | tuple):
        names = list(dict.fromkeys(each for each in value if isinstance(each, str)))
        return [(name, 1 / len(names)) for name in names[:_MOST]]
    if not isinstance(value, Mapping):
        return []
    return _largest((str(name), float(count)) for name, count in value.items() if isinstance(count, int | float))


def _largest(counts: Iterable[tuple[str, float]]) -> list[tuple[str, float]]:
    counted = sorted(((name, count) for name, count in counts if count > 0), key=lambda each: (-each[1], each[0]))
    total = sum(count for _, count in counted)
    return [(name, count / total) for name, count in counted[:_MOST]]
