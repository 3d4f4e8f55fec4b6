"""Slack's incoming webhooks, in Block Kit.

https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks: the address is the secret; errors come as a
status and a word. https://docs.slack.dev/reference/block-kit/blocks/section-block: 3,000 characters a text; buttons 75,
their addresses 3,000. https://docs.slack.dev/apis/web-api/rate-limits: one message a second, 429 with Retry-After.
"""

from typing import Any, Final, Literal

from services.alerting.receivers.fitting import cut, utf16
from services.alerting.receivers.notice import JSON, Notice, json_body
from services.alerting.receivers.plain import plain_text
from services.alerting.receivers.receiver import Receiver, SecretUrl
from services.alerting.sending.pacing import Pace
from services.runtime.http.outgoing import Request

MAX_TEXT: Final = 3000
MAX_BUTTON: Final = 75


class Slack(Receiver):
    """A channel of a workspace."""

    paces = (Pace(1, 1.0),)

    kind: Literal["slack"] = "slack"
    url: SecretUrl

    def render(self, notice: Notice, now: float) -> Request:
        """Plain text in the blocks, in which nothing that a text says can call people or lead elsewhere."""
        read = notice.words(self.zone)
        blocks = [_section(read.first), _section(read.rest)]
        buttons = [
            {"type": "button", "text": _plain(name, MAX_BUTTON), "url": url} for name, url in notice.named_links()
        ]
        if buttons:
            blocks.append({"type": "actions", "elements": buttons})
        notification = cut(read.headline, MAX_TEXT, lambda text: utf16(_escaped(text)))
        body = json_body({"text": _escaped(notification), "blocks": blocks})
        return Request(self.url.get_secret_value(), JSON, body)

    def plain(self, notice: Notice, now: float) -> Request:
        """A text without blocks."""
        return Request(self.url.get_secret_value(), JSON, json_body({"text": _escaped(plain_text(notice))}))


def _section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": _plain(text, MAX_TEXT)}


def _plain(text: str, limit: int) -> dict[str, Any]:
    return {"type": "plain_text", "text": cut(text, limit, utf16), "emoji": False}


def _escaped(text: str) -> str:
    """https://docs.slack.dev/messaging/formatting-message-text: the three signs with a meaning."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
