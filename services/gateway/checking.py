"""What becomes of each event of a request, before anything is sent. Pure; the time comes in."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import msgspec
from pydantic import ValidationError

from schemas.dead_letters import Problem
from schemas.events import EVENT, MAX_RECORD_BYTES, TOPIC_OF, AnyEvent, routing_key
from schemas.problems import problems_of
from services.gateway.senders import Sender
from services.runtime.machines.machine import Output

MAX_AHEAD: Final = timedelta(minutes=5)
"""How far an event may be ahead of our clock: one wrong clock must not silence everyone."""

_STRICT: Final = msgspec.json.Decoder(msgspec.Raw)


@dataclass(frozen=True, slots=True)
class Refused:
    """An event that is not sent. `forbidden`: it is valid, but not this sender's to send."""

    index: int
    errors: list[Problem]
    forbidden: bool = False


def check(events: Iterable[bytes], sender: Sender, now: datetime, first: int = 0) -> list[Output | Refused]:
    """Judges each event by itself: the message to send, with its original bytes, or why not.

    `first` is the place of the first one in the request.
    """
    latest = now + MAX_AHEAD
    return [_check_one(index, raw, sender, latest) for index, raw in enumerate(events, first)]


def _check_one(index: int, raw: bytes, sender: Sender, latest: datetime) -> Output | Refused:
    if len(raw) > MAX_RECORD_BYTES:
        return Refused(index, [Problem(field="", problem=f"is larger than {MAX_RECORD_BYTES} bytes")])
    try:
        event = EVENT.validate_json(raw, strict=True)
    except ValidationError as error:
        return Refused(index, problems_of(error, skip=1))
    if problems := _problems(event, raw, latest):
        return Refused(index, problems)
    if objections := list(sender.objections(event)):
        return Refused(index, objections, forbidden=True)
    return Output(TOPIC_OF[event.type], routing_key(event).encode(), raw)


def _problems(event: AnyEvent, raw: bytes, latest: datetime) -> list[Problem]:
    """What the models do not look at."""
    if event.occurred_at > latest:
        minutes = int(MAX_AHEAD.total_seconds()) // 60
        return [Problem(field="occurred_at", problem=f"is more than {minutes} minutes ahead of the gateway's clock")]
    # In fields that the models do not know, pydantic lets them pass; what reads the topic next might not.
    if (b"NaN" in raw or b"Infinity" in raw) and not _is_strict_json(raw):
        return [Problem(field="", problem="is not valid JSON: NaN and Infinity are no numbers")]
    return []


def _is_strict_json(raw: bytes) -> bool:
    try:
        _STRICT.decode(raw)
    except (msgspec.DecodeError, RecursionError):
        return False
    return True
