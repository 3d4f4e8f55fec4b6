"""What is wrong with a message, in words for its sender: never the value, which may be personal or secret."""

from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any, Final, Self

from pydantic import BaseModel, ValidationError

from schemas.base import Bilingual
from schemas.dead_letters import Problem

MAX_PROBLEMS: Final = 20
"""At most so many are told of one message, so that a bad one cannot make a huge answer."""

_WORDING: Final = {
    "missing": "is required",
    "dict_type": "is not a JSON object",
    "model_type": "is not a JSON object",
    "model_attributes_type": "is not a JSON object",
    "union_tag_not_found": "is required",
}


class ToldError(ValueError):
    """What somebody wants cannot be, and why, in both languages; as text it is English."""

    def __init__(self, en: str, zh: str) -> None:
        super().__init__(en)
        self.told = Bilingual(en=en, zh=zh)


class ProblemDetails(BaseModel):
    """The body of every HTTP error of ours, `application/problem+json` (RFC 9457)."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    errors: list[Problem] = []
    """Where the request itself is wrong; empty for other errors."""

    @classmethod
    def of(cls, status: int, detail: str, **more: Any) -> Self:
        """With the title that goes with the status."""
        return cls(title=HTTPStatus(status).phrase, status=status, detail=detail, **more)


def problems_of(error: ValidationError, *, skip: int = 0) -> list[Problem]:
    """The problems that pydantic found, at most MAX_PROBLEMS; an empty field means the message as a whole.

    `skip` leaves out the first steps of each place: 1 for a union told apart by a field, such as EVENT, whose places
    begin with the type.
    """
    return from_details(error.errors(include_url=False, include_input=False), skip=skip)


def from_details(details: Iterable[Mapping[str, Any]], *, skip: int = 0) -> list[Problem]:
    """As `problems_of`, from what pydantic's `errors()` gives."""
    found = [_problem(detail, skip) for detail in details]
    return found[:MAX_PROBLEMS]


def _problem(detail: Mapping[str, Any], skip: int) -> Problem:
    kind, context = detail["type"], detail.get("ctx", {})
    if kind == "json_invalid":
        return Problem(field="", problem=f"is not valid JSON: {context.get('error', detail['msg'])}")
    steps = list(detail["loc"][skip:])
    if kind in ("union_tag_invalid", "union_tag_not_found"):
        steps.append(str(context["discriminator"]).strip("'"))
    if kind == "union_tag_invalid":
        # pydantic's own words would quote the value.
        return Problem(field=_path(steps), problem=f"is none of {context['expected_tags']}")
    return Problem(field=_path(steps), problem=_WORDING.get(kind) or str(detail["msg"]).removeprefix("Value error, "))


def _path(steps: Iterable[int | str]) -> str:
    return ".".join(str(step) for step in steps)
