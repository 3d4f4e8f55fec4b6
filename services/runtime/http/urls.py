"""Addresses in settings."""

from typing import Annotated, Final
from urllib.parse import urlsplit

from pydantic import AfterValidator

MAX_URL: Final = 2000


def check_url(url: str) -> None:
    """Raises ValueError, which does not quote the address: some are secrets."""
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable or len(url) > MAX_URL or not url.isprintable() or " " in url:
        raise ValueError("must be an http:// or https:// address")


def _base(value: str) -> str:
    check_url(value)
    if "?" in value or "#" in value or "@" in value:
        raise ValueError("must be an http:// or https:// address without user, query or fragment")
    return value.rstrip("/")


BaseUrl = Annotated[str, AfterValidator(_base)]
"""An address without a slash at its end, which is no secret."""
