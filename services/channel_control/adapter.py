"""What every platform adapter is: pure, so that one place makes all calls and one suite tries them all.

An adapter says which requests carry an order out, or show what stands, and what their answers mean; sending them,
within a deadline and never twice at once for a target, is `platform_io`'s. They are HTTP requests, or calls of the
platform's official library, which one of the `lines` makes. Adapters are found by walking `platforms`.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar, Final, Protocol, TypeAlias, TypeVar

from pydantic import BaseModel, ConfigDict

from schemas.channels import WantedState
from services.channel_control.enforcing.reconcile import Answer, Trouble
from services.runtime.http.outgoing import Request

MAX_RETRY_AFTER_DIGITS: Final = 7


@dataclass(frozen=True, slots=True)
class LibraryCall:
    """One call of the platform's own library, in its words; nobody sees what is sent in a log.

    params: as JSON. headers: with whatever proves who we are, so that the library keeps no secret.
    """

    method: str
    params: Mapping[str, Any] = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    path: str = ""


@dataclass(frozen=True, slots=True)
class Response:
    """What came back, redirects and refusals too. Headers are found by small letters; the body may be a token."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)


Result = TypeVar("Result")
Exchange: TypeAlias = Generator[Request | LibraryCall, Response, Result]
"""Requests one after the other, each with the answer to the one before in hand. It ends early where none comes."""


class Line(Protocol):
    """What carries the calls of a library. It is opened to one platform's address, and answers what the library says:
    no error of a library gets through, since its words may quote what was sent."""

    async def send(self, call: LibraryCall) -> Response | Trouble:
        """Makes it once; raises TimeoutError where no answer comes in time."""
        ...

    async def close(self) -> None:
        """Gives up what is under way."""
        ...


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
    library: ClassVar[str | None] = None
    """The distribution of its official library, if it is called through that: by `lines.<kind>_io`."""
    url: str
    """Where the platform is."""

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
