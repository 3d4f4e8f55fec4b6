"""Standard Webhooks: the headers that let a receiver know a message, its age and its sender."""

import base64
import binascii
from datetime import UTC, datetime

from standardwebhooks import Webhook

from services.alerting.telling import Due

SECRET_PREFIX = "whsec_"  # noqa: S105 – what every secret begins with
MIN_SECRET_BYTES = 24
MAX_SECRET_BYTES = 64


def check_secret(secret: str) -> str:
    """The secret, if it is one as the standard has it. Raises ValueError, which does not quote it."""
    try:
        key = base64.b64decode(secret.removeprefix(SECRET_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not secret.startswith(SECRET_PREFIX) or not MIN_SECRET_BYTES <= len(key) <= MAX_SECRET_BYTES:
        raise ValueError(f"must be {SECRET_PREFIX} and {MIN_SECRET_BYTES} to {MAX_SECRET_BYTES} bytes in base64")
    return secret


def headers(due: Due, secret: str, now: float) -> dict[str, str]:
    """For one attempt at `now` (seconds): the id stays, the time is the attempt's, since receivers refuse old ones."""
    message_id = f"msg_{due.webhook_id}"
    at = datetime.fromtimestamp(int(now), UTC)
    return {
        "content-type": "application/json",
        "webhook-id": message_id,
        "webhook-timestamp": str(int(now)),
        "webhook-signature": Webhook(secret).sign(message_id, at, due.body),
    }
