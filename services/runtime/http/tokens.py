"""Bearer tokens: who holds which, from a YAML file that knows only their SHA-256.

    - name: douyin-ads
      sha256: 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
      …                                        # what this owner may do, as the service defines it

A service says what an owner may do with a subclass of `TokenOwner`, and reads the file in its settings:

    gateway_tokens_file: Annotated[Tokens[Sender], PlainValidator(partial(read_tokens, owner=Sender))]

Tokens are long random strings (`openssl rand -hex 32`), so a plain hash is enough; passwords would need more.
"""

import hmac
from collections import Counter
from collections.abc import Iterable
from hashlib import sha256
from typing import Annotated, Any, Generic, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, TypeAdapter, ValidationError

from schemas.base import Name
from schemas.problems import problems_of
from services.runtime.files import content_of


class TokenOwner(BaseModel):
    """One entry of the file: closed, so that a right with a typing mistake is not silently missing."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid", hide_input_in_errors=True)

    name: Annotated[Name, Field(max_length=100)]
    sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


Owner = TypeVar("Owner", bound=TokenOwner)


class Tokens(Generic[Owner]):
    """All owners of one service's tokens."""

    def __init__(self, owners: Iterable[Owner]) -> None:
        self._owners = tuple(owners)

    def __len__(self) -> int:
        return len(self._owners)

    def owner_of(self, token: bytes) -> Owner | None:
        """Who holds this token. The time it takes does not depend on how much of it is right, nor on whose it is."""
        presented = sha256(token).hexdigest()
        found = None
        for owner in self._owners:
            if hmac.compare_digest(presented, owner.sha256):
                found = owner
        return found


def parse_tokens(text: str, owner: type[Owner]) -> Tokens[Owner]:
    """The owners in a YAML text. Raises ValueError, which names places and fields, never a hash."""
    try:
        document = yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        raise ValueError("is not YAML" + (f": line {mark.line + 1}" if mark else "")) from None
    try:
        owners = TypeAdapter(list[owner]).validate_python(document)  # type: ignore[valid-type]
    except ValidationError as error:
        told = "; ".join(f"{found.field or 'the file'}: {found.problem}" for found in problems_of(error))
        raise ValueError(f"holds something else than a list of tokens: {told}") from None
    if not owners:
        raise ValueError("names nobody")
    for field in ("name", "sha256"):
        if twice := _twice(getattr(entry, field) for entry in owners):
            raise ValueError(f"has the same {field} twice" + (f": {', '.join(twice)}" if field == "name" else ""))
    return Tokens(owners)


def read_tokens(path: Any, owner: type[Owner]) -> Tokens[Owner]:
    """The owners in a file, for a validator of settings. Raises ValueError with what is wrong with the file."""
    data = content_of(path)
    try:
        return parse_tokens(data.decode(), owner)
    except UnicodeDecodeError:
        raise ValueError("is not UTF-8 text") from None


def _twice(values: Iterable[str]) -> list[str]:
    return sorted(value for value, count in Counter(values).items() if count > 1)
