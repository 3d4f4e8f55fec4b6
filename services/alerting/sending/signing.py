"""The headers of a webhook, signed after Standard Webhooks."""

from datetime import UTC, datetime

from services.alerting.telling import Due
from services.runtime.http.signing import signed


def headers(due: Due, secrets: str, now: float) -> dict[str, str]:
    """For one attempt at `now` (seconds): the id stays, the time is the attempt's, since receivers refuse old ones."""
    at = datetime.fromtimestamp(int(now), UTC)
    return {"content-type": "application/json"} | signed(secrets, f"msg_{due.webhook_id}", due.body, at)
