"""Signatures after Standard Webhooks (https://www.standardwebhooks.com), on whatever we send over HTTP."""

import base64
import binascii
from datetime import UTC, datetime
from typing import Final

from standardwebhooks import Webhook

SECRET_PREFIX: Final = "whsec_"  # noqa: S105 - what every secret begins with
MIN_SECRET_BYTES: Final = 24
MAX_SECRET_BYTES: Final = 64
MAX_SECRETS: Final = 2
"""The new and the old one, while receivers learn the new one."""


def check_secret(secret: str) -> str:
    """The secret, if it is one as the standard has it. Raises ValueError, which does not quote it."""
    try:
        key = base64.b64decode(secret.removeprefix(SECRET_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not secret.startswith(SECRET_PREFIX) or not MIN_SECRET_BYTES <= len(key) <= MAX_SECRET_BYTES:
        raise ValueError(f"must be {SECRET_PREFIX} and {MIN_SECRET_BYTES} to {MAX_SECRET_BYTES} bytes in base64")
    return secret


def check_secrets(secrets: str) -> str:
    """One secret, or the new and the old one with space between. Raises ValueError, which quotes neither."""
    found = secrets.split()
    if not 1 <= len(found) <= MAX_SECRETS:
        raise ValueError("must be one secret, or two with a space or a new line between")
    for each in found:
        check_secret(each)
    return secrets


def signed(secrets: str, message_id: str, text: str, now: datetime) -> dict[str, str]:
    """The three headers that let a receiver know a message, its age and its sender: a signature with each secret, of
    which a receiver needs one.
    """
    at = now.astimezone(UTC).replace(microsecond=0)
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": " ".join(Webhook(secret).sign(message_id, at, text) for secret in secrets.split()),
    }
