"""Facts of several writers become one alert.

For each field the newest word wins, by (time, writer, seq): a total order, so that any interleaving which keeps each
writer's order gives the same whole. A writer's time never goes back here, so its own later word wins over its earlier
one even when the broker's clock was set back in between.
"""

from typing import Any, get_args

from schemas.alerts import ActionState, ActionTaken, AlertFact, AlertState, AlertWords
from schemas.base import Bilingual, HexId, Message, from_ms, to_ms
from services.alerting import requests

MAX_ACTIONS = 100
"""Actions kept of one alert, the newest: it stays a message that can be sent, however long it lives."""

_STEPS = get_args(ActionState)
_COLLECTIONS = {"actions", "labels"}
_ESSENTIAL = ("status", "severity", "indicator", "subject", "title", "summary", "opened_at")
"""What must have been said before there is an alert to show: a fact about an action may come before the opening."""

Stamp = tuple[int, str, int]
"""When (ms), by whom and in which of its facts a word was said; the larger one wins."""


class Merged(Message):
    """All that has been said of one alert. `heard`: the newest seq of each writer, and its time in ms."""

    words: AlertWords = AlertWords()
    stamps: dict[str, Stamp] = {}
    heard: dict[str, tuple[int, int]] = {}


def merge(merged: Merged, fact: AlertFact) -> Merged | None:
    """The alert with one more fact; None when the fact is a repeat."""
    last_seq, last_ms = merged.heard.get(fact.writer, (-1, 0))
    if fact.seq <= last_seq:
        return None
    at_ms = max(to_ms(fact.at), last_ms)
    stamp: Stamp = (at_ms, fact.writer, fact.seq)
    won = {place: value for place, value in _said(fact).items() if stamp > merged.stamps.get(place, (-1, "", -1))}
    return Merged(
        words=_with(merged.words, won, fact.actions),
        stamps={**merged.stamps, **dict.fromkeys(won, stamp)},
        heard={**merged.heard, fact.writer: (fact.seq, at_ms)},
    )


def state(alert_id: HexId, merged: Merged) -> AlertState | None:
    """The whole that others may see; None while its opening has not come in."""
    words = merged.words
    if any(getattr(words, name) is None for name in _ESSENTIAL):
        return None
    said = {name: getattr(words, name) for name in AlertWords.model_fields} | {"summary": _summary(words)}
    resolved_at = from_ms(merged.stamps["status"][0]) if words.status == "resolved" else None
    return AlertState(**{**said, "alert_id": alert_id, "level": words.level or 0, "resolved_at": resolved_at})


def _summary(words: AlertWords) -> Bilingual | None:
    """The indicator's words, and behind them what people have answered to what it asked."""
    answers = requests.answers(words.actions, over=words.status == "resolved")
    if words.summary is None or not answers.en:
        return words.summary
    return Bilingual(en=f"{words.summary.en} {answers.en}", zh=words.summary.zh + answers.zh)


def _said(fact: AlertFact) -> dict[str, Any]:
    """Each word of a fact by its place; every label has a place of its own."""
    words = {name: getattr(fact, name) for name in AlertWords.model_fields if name not in _COLLECTIONS}
    labels = {f"labels.{name}": value for name, value in fact.labels.items()}
    return {place: value for place, value in words.items() if value is not None} | labels


def _with(words: AlertWords, won: dict[str, Any], actions: list[ActionTaken]) -> AlertWords:
    labels = {place.removeprefix("labels."): value for place, value in won.items() if place.startswith("labels.")}
    update: dict[str, Any] = {place: value for place, value in won.items() if not place.startswith("labels.")}
    if labels:
        update["labels"] = dict(sorted({**words.labels, **labels}.items()))
    if actions:
        update["actions"] = _together(words.actions, actions)
    return words.model_copy(update=update)


def _together(known: list[ActionTaken], new: list[ActionTaken]) -> list[ActionTaken]:
    """Each action once, in an order that depends on nothing but the actions; past the limit the oldest go."""
    once = {_order(action): action for action in (*known, *new)}
    return [once[key] for key in sorted(once)][-MAX_ACTIONS:]


def _order(action: ActionTaken) -> tuple[Any, ...]:
    step = _STEPS.index(action.state)
    return (action.at, step, action.what, action.target, action.by, action.note is not None, action.note or "")
