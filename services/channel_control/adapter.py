"""What every platform adapter is: pure, so that one client makes all calls and one suite tries them all.

An adapter says which HTTP requests carry an order out, or show what stands, and what their answers mean; sending them,
within a deadline and never twice at once for a target, is `platform_io`'s. Adapters are found by walking `platforms`.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar, Final, TypeAlias, TypeVar

from pydantic import BaseModel, ConfigDict

from schemas.channels import WantedState
from services.channel_control.reconcile import Answer, Trouble

MAX_RETRY_AFTER_DIGITS: Final = 7


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request; its headers and body may hold secrets, so nobody sees them in a log."""

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class Response:
    """What came back, redirects and refusals too. Names of headers are in small letters; the body may be a token."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)


Result = TypeVar("Result")
Exchange: TypeAlias = Generator[Request, Response, Result]
"""Requests one after the other, each with the answer to the one before in hand. It ends early where none comes."""


class Options(BaseModel):
    """What the list of platforms says of one of them. Secrets are references there, and never shown."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


AnyOptions = TypeVar("AnyOptions", bound=Options)


class Adapter(ABC):
    """One platform. `campaigns` are the ids there that the policy's directory gives for the target's channel."""

    kind: ClassVar[str]
    """What the list of platforms calls it."""
    options: ClassVar[type[Options]]
    tried: ClassVar[bool]
    """Whether it has been tried against the live service."""

    @abstractmethod
    def __init__(self, options: Options, now: Callable[[], datetime]) -> None:
        """Of the options of its class."""

    @abstractmethod
    def apply(self, wanted: WantedState, campaigns: tuple[str, ...], key: str) -> Exchange[Trouble | None]:
        """Carries an order out; the same order again changes nothing, and a newer one that is there already stays.

        `key`: the same for each repeat of one order.
        """

    @abstractmethod
    def read(self, target: str, campaigns: tuple[str, ...]) -> Exchange[Answer]:
        """What stands there: a state, with the generation of the order that it came by, or that none was ever given."""


def refusal(response: Response, text: str = "", retry_after_s: float = 0.0) -> Trouble | None:
    """What an answer other than 2xx means. `text`: the platform's own short code for it, never its free words."""
    if 200 <= response.status < 300:
        return None
    said = f"the platform answered {response.status}" + (f" ({text})" if text else "")
    zh = f"平台返回 {response.status}" + (f"（{text}）" if text else "")
    return Trouble(f"http_{response.status}", said, max(retry_after_s, _retry_after(response.headers)), zh=zh)


def _retry_after(headers: Mapping[str, str]) -> float:
    """The seconds of Retry-After. Its other form, a date, needs both clocks to agree and is left to the back-off."""
    value = headers.get("retry-after", "")
    short = value.isascii() and value.isdigit() and len(value) <= MAX_RETRY_AFTER_DIGITS
    return float(value) if short else 0.0
