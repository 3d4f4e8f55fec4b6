"""The columns of an archived topic: those of every record, and the fields of its events, derived from their models."""

from collections.abc import Mapping
from types import MappingProxyType, NoneType, UnionType
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin

from pydantic import AwareDatetime

from schemas.events import EVENTS

Kind = Literal["text", "texts", "integer", "number", "time"]
"""time: milliseconds since the epoch."""

RECORD_COLUMNS: Final[Mapping[str, Kind]] = MappingProxyType(
    {"partition": "integer", "offset": "integer", "appended_at": "time", "problem": "text"}
)
"""problem: why the record is no event; then all that belongs to events is null, and its bytes are not kept."""

LEFT_OUT: Final = MappingProxyType({"complaint-events": {"text", "contact"}, "mention-events": {"url"}})
"""What ingest keeps nothing of: a customer's own words, how to reach them, and addresses that may carry an account."""

_KINDS: Final[Mapping[Any, Kind]] = MappingProxyType(
    {str: "text", int: "integer", float: "number", list: "texts", AwareDatetime: "time"}
)


def event_columns(topic: str) -> dict[str, Kind]:
    """The fields of all events of a topic. Raises TypeError for one that no column can be derived for."""
    found: dict[str, Kind] = {}
    for model in EVENTS[topic]:
        for name, info in model.model_fields.items():
            kind = _kind(info.annotation)
            if found.setdefault(name, kind) != kind:
                raise TypeError(f"{name} is {kind} in {model.__name__} and {found[name]} elsewhere on {topic}")
    return {name: kind for name, kind in found.items() if name not in LEFT_OUT.get(topic, ())}


def columns_of(topic: str) -> dict[str, Kind]:
    """All columns of a topic, in their order."""
    return {**RECORD_COLUMNS, **event_columns(topic)}


def _kind(annotation: Any) -> Kind:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _kind(arguments[0])
    if origin in (Union, UnionType):
        (kind,) = {_kind(each) for each in arguments if each is not NoneType}
        return kind
    if origin is Literal:
        return "text"
    try:
        return _KINDS[origin or annotation]
    except KeyError:
        raise TypeError(f"no column can be derived for {annotation!r}") from None
