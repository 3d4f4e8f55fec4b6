"""What is not plainly good: pydantic accepts it after all, or says which field is wrong and why."""

import json
from typing import Final

from pydantic import ValidationError

from schemas.dead_letters import Problem
from schemas.events import EVENT, MAX_RECORD_BYTES, TOPIC_OF
from schemas.problems import problems_of
from services.ingest.reading.structs import Event, as_event

MAX_AHEAD_MS: Final = 300_000
"""How far an event may be ahead of its record's append time."""
AHEAD: Final = Problem(field="occurred_at", problem="is more than five minutes ahead of the time it was received")


def judge(topic: str, value: bytes | None) -> Event | list[Problem]:
    """The event in one record of a raw topic, or what is wrong with it (never empty, never quoting the value).

    How far the event is ahead is not judged here.
    """
    if value is None:
        return [Problem(field="", problem="is not a JSON object: the record has no value")]
    if len(value) > MAX_RECORD_BYTES:
        return [Problem(field="", problem=f"is larger than {MAX_RECORD_BYTES} bytes")]
    try:
        model = EVENT.validate_json(value, strict=True)
    except ValidationError as error:
        return problems_of(error, skip=1)
    except RecursionError:
        return [Problem(field="", problem="is nested too deeply")]
    if TOPIC_OF[model.type] != topic:
        return [Problem(field="type", problem=f"{model.type} belongs on the topic {TOPIC_OF[model.type]}")]
    if not _is_strict_json(value):
        return [Problem(field="", problem="is not valid JSON: NaN and Infinity are no JSON numbers")]
    return as_event(model)


def _is_strict_json(value: bytes) -> bool:
    """Whether a record that pydantic read is JSON: in fields that it drops it lets NaN and Infinity pass."""
    if b"NaN" not in value and b"Infinity" not in value:
        return True
    try:
        json.loads(value, parse_constant=_refuse, parse_int=len, parse_float=len)
    except ValueError:
        return False
    return True


def _refuse(constant: str) -> None:
    raise ValueError(constant)
