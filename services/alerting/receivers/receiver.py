"""What all receivers have in common: a name, secrets that stand elsewhere, a pace, and how an answer is understood."""

import json
import re
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Annotated, Any, ClassVar, Final
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr

from services.alerting.receivers.notice import Notice
from services.alerting.sending.delivery import Answer
from services.alerting.sending.pacing import Pace
from services.runtime.http.outgoing import Mail, Reply, Request
from services.runtime.http.urls import check_url
from services.runtime.references import Secret

MAX_WORDS: Final = 300


def _secret_url(value: SecretStr) -> SecretStr:
    check_url(value.get_secret_value())
    return value


SecretUrl = Annotated[Secret, AfterValidator(_secret_url)]
"""An address that lets in whoever knows it."""


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
    keeps_state: ClassVar[bool] = False
    """Whether an alert stands there until it is told to be over."""
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

    @abstractmethod
    def plain(self, notice: Notice, now: float) -> Request | Mail:
        """Severity, title and link, by as little code as does it: what is sent where `render` fails by a bug."""

    def posts(self, notice: Notice, now: float) -> Sequence[Request | Mail]:
        """All that is sent of a message, one after the other, where one request cannot hold it."""
        return [self.render(notice, now)]

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
        urls = [urlsplit(each) for each in found]
        parts = [part for url in urls for part in url.path.split("/") + re.split("[&=]", url.query)]
        return sorted({*found, *(part for part in parts if len(part) >= 8)}, key=len, reverse=True)

    def understand(self, reply: Reply) -> Answer:
        """What a reply means; what it says in words stays in `words`."""
        said = _json(reply.body)
        words = _words(said.get(self.words_field or ""), reply.body)
        plain = Answer(reply.status, reply.problem, reply.retry_after, words, error_zh=reply.problem_zh)
        if self.code_field is None or not plain.delivered:
            return plain
        code = said.get(self.code_field)
        if not isinstance(code, int):
            return replace(plain, error="answered without a code that can be read", error_zh="应答中没有可识别的代码")
        if code == 0:
            return plain
        pause = str(self.too_fast[code]) if code in self.too_fast else reply.retry_after
        error, zh = f"answered {reply.status} with code {code}", f"返回 {reply.status}，代码 {code}"
        return replace(plain, error=error, error_zh=zh, retry_after=pause)


def _json(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _words(said: object, body: bytes) -> str:
    text = said if isinstance(said, str) else body[: MAX_WORDS * 4].decode(errors="replace")
    return "".join(each for each in " ".join(text.split()) if each.isprintable())[:MAX_WORDS]
