"""Events and senders for the gateway's tests."""

import json
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from services.gateway.senders import Sender

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)


def click(event_id: str = "e-1", **fields: Any) -> bytes:
    """A valid click; `fields` replace its own."""
    event = {"type": "click", "event_id": event_id, "occurred_at": "2026-03-02T09:29:00Z", "channel_id": "douyin"}
    return json.dumps(event | fields).encode()


def sender(channels: Any = "*", types: Any = "*") -> Sender:
    """The holder of the token `t`, who may do this."""
    hashed = sha256(b"t").hexdigest()
    return Sender.model_validate({"name": "ads", "sha256": hashed, "channels": channels, "types": types})
