"""Settings of channel_control."""

from typing import Annotated, ClassVar
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr

from services.runtime.settings import CommonSettings, Port


def _url(value: str) -> str:
    problem = "must be an http:// or https:// address without user, query or fragment"
    try:
        parts = urlsplit(value)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        raise ValueError(problem) from None
    if not usable or parts.username is not None or parts.query or parts.fragment:
        raise ValueError(problem)
    return value.rstrip("/")


def _header_text(value: SecretStr) -> SecretStr:
    text = value.get_secret_value()
    if not (text.isascii() and text.isprintable()) or " " in text:
        raise ValueError("must be printable ASCII without spaces")
    return value


class ControlSettings(CommonSettings):
    """The platform that carries orders out. Without its address orders stand as wanted and unconfirmed."""

    own_prefix: ClassVar[str] = "control_"

    control_port: Port = 0
    """Of health and metrics."""
    control_platform_url: Annotated[str, AfterValidator(_url)] | None = None
    """Where `/v1/targets/…` begins."""
    control_platform_token: Annotated[SecretStr, AfterValidator(_header_text)] | None = None
    """Sent as bearer token."""
    control_platform_deadline: Annotated[float, Field(gt=0, le=60)] = 5.0
    """Seconds that the platform has for one answer, all in all."""
    control_parallel: Annotated[int, Field(ge=1, le=256)] = 16
    """New orders whose calls are under way at once, in each partition; retries have a quarter as many besides."""
    control_backoff_cap: Annotated[float, Field(gt=0, le=3600)] = 60.0
    """Seconds: the longest pause between two attempts."""
