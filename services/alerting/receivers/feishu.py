"""Feishu's custom bot, a card.

https://open.feishu.cn/document/client-docs/bot-v3/add-custom-bot: at most 20 KB a request, 100 a minute and 5 a second;
signed with HMAC-SHA256 of nothing under the key `timestamp + "\\n" + secret`, in Base64, the time in seconds and at
most an hour old. An answer of 200 says with `code` whether the message was taken (19021: bad signature, 11232: too
fast). The card: https://open.feishu.cn/document/feishu-cards/card-json-structure.
"""

import base64
import hmac
from typing import Any, Final, Literal

from services.alerting.receivers.fitting import cut
from services.alerting.receivers.notice import JSON, Notice, json_body
from services.alerting.receivers.plain import plain_text
from services.alerting.receivers.receiver import Receiver, SecretUrl
from services.alerting.sending.pacing import Pace
from services.runtime.http.outgoing import Request
from services.runtime.references import Secret

MAX_BODY: Final = 20 * 1024
MAX_FIRST: Final = 6 * 1024
_COLOURS: Final = {"info": "blue", "warning": "orange", "critical": "red"}


class Feishu(Receiver):
    """A group. secret: of the bot's signature, if that is switched on."""

    paces = (Pace(5, 1.0), Pace(100, 60.0))
    code_field = "code"
    words_field = "msg"
    too_fast = {11232: 60}

    kind: Literal["feishu"] = "feishu"
    url: SecretUrl
    secret: Secret | None = None

    def render(self, notice: Notice, now: float) -> Request:
        """The first line as the card's title, in plain text, in which nothing can call people."""
        read = notice.words(self.zone)
        signed = self._signed(now)
        alert = notice.message.data
        colour = "green" if alert.status == "resolved" else _COLOURS[alert.severity]

        def body(first: str, details: str) -> bytes:
            elements: list[dict[str, Any]] = [{"tag": "div", "text": _plain(details)}] if details else []
            if notice.links is not None:
                elements.append({"tag": "action", "actions": [_button(*link) for link in notice.named_links()]})
            card = {"header": {"title": _plain(first), "template": colour}, "elements": elements}
            return json_body({**signed, "msg_type": "interactive", "card": card})

        first = cut(read.first, MAX_FIRST, lambda text: len(json_body(text)))
        details = cut(read.rest, MAX_BODY, lambda text: len(body(first, text)))
        return Request(self.url.get_secret_value(), JSON, body(first, details))

    def plain(self, notice: Notice, now: float) -> Request:
        """A text instead of a card."""
        body = {**self._signed(now), "msg_type": "text", "content": {"text": plain_text(notice)}}
        return Request(self.url.get_secret_value(), JSON, json_body(body))

    def _signed(self, now: float) -> dict[str, str]:
        return {} if self.secret is None else signature(self.secret.get_secret_value(), int(now))


def signature(secret: str, at_s: int) -> dict[str, str]:
    """The fields that prove who sends."""
    digest = hmac.digest(f"{at_s}\n{secret}".encode(), b"", "sha256")
    return {"timestamp": str(at_s), "sign": base64.b64encode(digest).decode()}


def _plain(text: str) -> dict[str, str]:
    return {"tag": "plain_text", "content": text}


def _button(name: str, url: str) -> dict[str, Any]:
    return {"tag": "button", "text": _plain(name), "url": url}
