"""What those who receive messages publish of what they take, as JSON Schemas in `published`."""

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, Final

import yaml
from jsonschema import Draft202012Validator, FormatChecker, ValidationError
from jsonschema.validators import extend

from services.alerting.receivers.notice import json_body

_FOLDER: Final = Path(__file__).resolve().parent / "published"
PUBLISHED: Final = sorted(path.stem for path in _FOLDER.glob("*.yaml"))


def check(kind: str, message: Any) -> None:
    """Raises ValidationError for a message, as it is or as bytes of JSON, that this kind of receiver would not take."""
    _validator(kind).validate(json.loads(message) if isinstance(message, bytes) else message)


@cache
def _validator(kind: str) -> Any:
    schema = yaml.safe_load((_FOLDER / f"{kind}.yaml").read_text("utf-8"))
    Draft202012Validator.check_schema(schema)
    counting = extend(Draft202012Validator, {"maxBytes": _max_bytes})  # type: ignore[no-untyped-call]
    return counting(schema, format_checker=FormatChecker())


def _max_bytes(_: Any, most: int, instance: Any, __: Any) -> Iterator[ValidationError]:
    """JSON Schema counts characters; several of those who publish a limit count bytes."""
    size = len(instance.encode() if isinstance(instance, str) else json_body(instance))
    if size > most:
        yield ValidationError(f"{size} bytes are more than {most}")
