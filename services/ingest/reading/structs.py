"""The msgspec structs of the events, derived from the pydantic models and never written twice.

msgspec reads an event some ten times faster than pydantic, but words no errors. One thing the derivation can leave
out: the patterns that forbid control characters, a regular expression for every name. In JSON such a character needs a
backslash, apart from DEL, so a record that has neither needs no pattern.
"""

from collections.abc import Container, Sequence
from decimal import ROUND_HALF_EVEN, Decimal
from functools import reduce
from operator import or_
from types import UnionType
from typing import Annotated, Any, ClassVar, Final, Literal, Union, cast, get_args, get_origin

import msgspec
from annotated_types import Ge, Le, MaxLen, MinLen
from pydantic import AwareDatetime, BaseModel, StringConstraints
from pydantic.fields import FieldInfo

from schemas.base import Name, Text
from schemas.events import EVENTS, type_of
from schemas.frames import MEASURES

NO_MEASURE: Final = 255
"""The measure of an event that adds to no channel's panes."""
_MEASURE_OF_TYPE: Final = {
    "impression": "impressions",
    "click": "clicks",
    "search": "searches",
    "spend": "spend_micros",
    "engagement": "engagements",
}
_MEASURE_OF_STAGE: Final = {"lead": "leads", "account_opened": "accounts_opened", "purchase": "purchases"}
_CODE: Final = {name: code for code, name in enumerate(MEASURES)}


class Event(msgspec.Struct):
    """What all events can be asked; those of each type have its fields besides.

    event_type: as in `type`. measure: what it adds to in its channel, an index into MEASURES, or NO_MEASURE. count:
    how much; None is one.
    """

    event_id: str
    occurred_at: str
    channel_id: str | None
    event_type: ClassVar[str] = ""
    measure: ClassVar[int] = NO_MEASURE
    count: ClassVar[int | None] = 0
    ip: ClassVar[str | None] = None


def micros(amount: float) -> int:
    """Millionths of an amount, half even. Of its shortest decimal form, which is what the sender wrote."""
    return int((Decimal(repr(amount)) * 1_000_000).to_integral_value(ROUND_HALF_EVEN))


def struct_of(model: type[BaseModel], *, patterns: bool = False) -> type[Event]:
    """The struct that accepts what this model does. Raises TypeError for what it cannot express.

    patterns: those too that only forbid control characters.
    """
    kind = type_of(model)  # type: ignore[arg-type]
    fields: list[tuple[str, Any] | tuple[str, Any, Any]] = []
    for name, info in model.model_fields.items():
        if name == "type":
            continue
        annotation = _type(info.annotation, info.metadata, () if patterns else _COVERED)
        fields.append((name, annotation) if info.is_required() else (name, annotation, info.default))
    struct = msgspec.defstruct(
        model.__name__,
        fields,
        bases=(Event,),
        namespace=_class_attributes(kind),
        tag_field="type",
        tag=kind,
        kw_only=True,
        gc=False,
    )
    return cast(type[Event], struct)


def _class_attributes(kind: str) -> dict[str, Any]:
    attributes: dict[str, Any] = {"event_type": kind}
    if kind == "conversion":
        return attributes | {"measure": property(lambda event: _CODE[_MEASURE_OF_STAGE[event.stage]]), "count": 1}
    if kind == "spend":
        attributes["count"] = property(lambda event: micros(event.amount))
    if kind in _MEASURE_OF_TYPE:
        attributes["measure"] = _CODE[_MEASURE_OF_TYPE[kind]]
    return attributes


def _type(annotation: Any, metadata: Sequence[Any], covered: Container[str]) -> Any:
    origin = get_origin(annotation)
    if origin is Annotated:
        inner, *more = get_args(annotation)
        return _type(inner, [*more, *metadata], covered)
    if annotation is AwareDatetime:
        return str  # read by `instants`, which knows the one accepted form
    constraints = _constraints(metadata, covered)
    if origin in (Union, UnionType) and not constraints:
        return reduce(or_, (_type(each, (), covered) for each in get_args(annotation)))
    if annotation is type(None) or origin is Literal:
        return annotation
    if origin is list:
        annotation = list[_type(get_args(annotation)[0], (), covered)]  # type: ignore[misc]
    elif annotation not in (str, int, float):
        raise TypeError(f"no decoder can be derived for {annotation!r}")
    return Annotated[annotation, msgspec.Meta(**constraints)] if constraints else annotation


_COVERED: Final = frozenset(get_args(name)[1].pattern for name in (Name, Text))
"""Patterns that every plain record meets."""


def _constraints(metadata: Sequence[Any], covered: Container[str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for each in metadata:
        match each:
            case FieldInfo():
                found |= _constraints(each.metadata, covered)
            case StringConstraints():
                found |= {"min_length": each.min_length, "max_length": each.max_length, "pattern": each.pattern}
            case Ge():
                found["ge"] = each.ge
            case Le():
                found["le"] = each.le
            case MinLen():
                found["min_length"] = each.min_length
            case MaxLen():
                found["max_length"] = each.max_length
            case _ if set(vars(each)) == {"pattern"}:  # pydantic's own kind of metadata has no public name
                found["pattern"] = each.pattern
            case _:
                raise TypeError(f"no decoder can be derived for {each!r}")
    pattern = found.pop("pattern", None)
    if pattern is not None and pattern not in covered:
        found["pattern"] = pattern.replace("$", r"\Z")  # Python's `$` would let a line's end pass
    return {name: value for name, value in found.items() if value is not None}


STRUCTS: Final = {type_of(model): struct_of(model) for models in EVENTS.values() for model in models}
"""By type of event, without the patterns that every record without a backslash and DEL meets."""
STRICT_STRUCTS: Final = {
    type_of(model): struct_of(model, patterns=True) for models in EVENTS.values() for model in models
}
"""The same with all patterns."""


def as_event(model: BaseModel) -> Event:
    """What the decoder would have made of a record that pydantic accepted."""
    values = {name: getattr(model, name) for name in type(model).model_fields}
    values["occurred_at"] = values["occurred_at"].isoformat()
    return STRUCTS[values.pop("type")](**values)
