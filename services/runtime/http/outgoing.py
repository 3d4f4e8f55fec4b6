"""What is sent to the world outside, and what comes back. None of it shows an address, a secret or a word of others."""

from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True, slots=True)
class Request:
    """An HTTP request."""

    url: str = field(repr=False)
    headers: dict[str, str] = field(repr=False)
    body: bytes = field(default=b"", repr=False)
    method: Literal["GET", "POST", "PUT"] = "POST"


@dataclass(frozen=True, slots=True)
class MailServer:
    """Who takes our mail. ca_file: of the authority that vouches for it, if not those of the system."""

    host: str
    port: int
    tls: Literal["starttls", "tls", "none"]
    ca_file: str | None = None
    username: str | None = None
    password: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Mail:
    """An e-mail, as it goes over the wire."""

    server: MailServer
    sender: str
    recipients: tuple[str, ...] = field(repr=False)
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Reply:
    """A status (of HTTP, or of SMTP: 2xx is good in both), or in a few words of ours why there is none.

    problem_zh: these words in Chinese. body: the beginning of what was said; it may repeat what was sent.
    """

    status: int | None
    problem: str | None = None
    retry_after: str | None = None
    body: bytes = field(default=b"", repr=False)
    problem_zh: str = field(default="", compare=False)
