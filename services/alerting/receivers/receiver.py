"""What all receivers have in common: a name, secrets that stand elsewhere, a pace, and how an answer is understood."""

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar, Final
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, ValidationInfo

from services.alerting.delivery import Answer
from services.alerting.pacing import Pace
from services.alerting.receivers.notice import Mail, Notice, Request
from services.runtime.settings import read_secret

MAX_URL: Final = 2000
MAX_WORDS: Final = 300


def _resolve(value: Any, info: ValidationInfo) -> Any:
    """What `env:NAME` or `file:PATH` stands for; a problem never quotes the value, which may be the secret itself."""
    if isinstance(value, SecretStr):
        return value
    how, _, where = value.partition(":") if isinstance(value, str) else ("", "", "")
    known: Mapping[str, Any] = info.context or {}
    if how == "env" and where:
        if not known["environ"].get(where):
            raise ValueError(f"the variable {where} is not set")
        return SecretStr(known["environ"][where])
    if how == "file" and where:
        return SecretStr(read_secret(known["folder"] / Path(where), "it"))
    raise ValueError("must be env:NAME or file:PATH; a secret does not stand in this file itself")


def check_url(url: str) -> None:
    """Raises ValueError, which does not quote the address: chat systems put their secret into it."""
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable or len(url) > MAX_URL or not url.isprintable() or " " in url:
        raise ValueError("must be an http:// or https:// address")


def _secret_url(value: SecretStr) -> SecretStr:
    check_url(value.get_secret_value())
    return value


def _open_url(value: str) -> str:
    check_url(value)
    return value.rstrip("/")


Secret = Annotated[SecretStr, BeforeValidator(_resolve)]
SecretUrl = Annotated[SecretStr, BeforeValidator(_resolve), AfterValidator(_secret_url)]
"""An address that lets in whoever knows it."""
OpenUrl = Annotated[str, AfterValidator(_open_url)]


def _zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (KeyError, ValueError, OSError):
        raise ValueError("is not the name of a time zone") from None
    return value


class Receiver(BaseModel, ABC):
    """Where messages go; a subclass for each kind, in a module of its own."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid", hide_input_in_errors=True)

    paces: ClassVar[tuple[Pace, ...]] = ()
    """What this kind takes, by its documentation."""
    code_field: ClassVar[str | None] = None
    """Of the answer's JSON: 0 there says that the message was taken, whatever the status says."""
    words_field: ClassVar[str | None] = None
    """Of the answer's JSON: what went wrong, in words."""
    too_fast: ClassVar[Mapping[int, int]] = {}
    """Codes that say so, with the seconds to wait."""

    kind: str
    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$")]
    """What routes call it."""
    time_zone: Annotated[str, AfterValidator(_zone)] = "Asia/Shanghai"
    """In which its people read times."""
    per_minute: Annotated[int, Field(ge=1, le=6000)] | None = None
    """Instead of the kind's own limit: where several workers, or others, send through the same address."""

    @abstractmethod
    def render(self, notice: Notice, now: float) -> Request | Mail:
        """What is sent, at `now` (seconds): signatures hold the time."""

    @property
    def zone(self) -> ZoneInfo:
        """The time zone."""
        return ZoneInfo(self.time_zone)

    def limits(self) -> tuple[Pace, ...]:
        """How fast it may be told."""
        return self.paces if self.per_minute is None else (Pace(self.per_minute, 60.0),)

    def secrets(self) -> list[str]:
        """What must not be shown to anybody, the longest first."""
        found = [value.get_secret_value() for _, value in self if isinstance(value, SecretStr)]
        parts = [part for each in found for part in urlsplit(each).path.split("/") + urlsplit(each).query.split("=")]
        return sorted({*found, *(part for part in parts if len(part) >= 8)}, key=len, reverse=True)

    def understand(self, status: int, retry_after: str | None, body: bytes) -> Answer:
        """What an answer means. Of `body` no more than its beginning is needed; what it says stays in `words`."""
        said = _json(body)
        words = _words(said.get(self.words_field or ""), body)
        if self.code_field is None or not 200 <= status < 300:
            return Answer(status, retry_after=retry_after, words=words)
        code = said.get(self.code_field)
        if not isinstance(code, int):
            return Answer(status, "answered without a code that can be read", retry_after, words)
        if code == 0:
            return Answer(status, words=words)
        pause = str(self.too_fast[code]) if code in self.too_fast else retry_after
        return Answer(status, f"answered {status} with code {code}", pause, words)


def _json(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _words(said: object, body: bytes) -> str:
    text = said if isinstance(said, str) else body[: MAX_WORDS * 4].decode(errors="replace")
    return "".join(each for each in " ".join(text.split()) if each.isprintable())[:MAX_WORDS]
