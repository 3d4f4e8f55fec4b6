"""What is wrong with a document that people write, each flaw with its place in it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from pydantic import ValidationError

Path = tuple[str | int, ...]
"""The keys and list indices that lead to a place in a document."""

REQUIRED: Final = "is required"
_WORDING: Final = {"missing": REQUIRED, "extra_forbidden": "is not known; is it misspelt, or in the wrong place?"}


@dataclass(frozen=True, slots=True)
class Flaw:
    """One of them."""

    path: Path
    problem: str

    def __str__(self) -> str:
        return f"{'.'.join(map(str, self.path)) or 'document'}: {self.problem}"


def flaws_in(error: ValidationError, at: Sequence[str | int] = ()) -> list[Flaw]:
    """What pydantic found in the part of the document that begins `at` a place."""
    return [
        Flaw((*at, *detail["loc"]), _WORDING.get(detail["type"]) or detail["msg"].removeprefix("Value error, "))
        for detail in error.errors(include_url=False, include_input=False)
    ]
