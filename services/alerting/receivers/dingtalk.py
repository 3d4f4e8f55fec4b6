"""DingTalk's custom robot, in Markdown.

https://open.dingtalk.com/document/orgapp/custom-robots-send-group-messages: 20 messages a minute, more are refused for
ten minutes; at most 20,000 bytes. https://open.dingtalk.com/document/orgapp/customize-robot-security-settings: signed
with HMAC-SHA256 of `timestamp + "\\n" + secret` under the secret, in Base64, in the address, the time in milliseconds
and at most an hour off. An answer of 200 says with `errcode` whether the message was taken.
"""

import base64
import hmac
from typing import Final, Literal
from urllib.parse import urlencode

from services.alerting.receivers.fitting import cut, fit, utf8
from services.alerting.receivers.markdown import links, tame
from services.alerting.receivers.notice import JSON, Notice, json_body
from services.alerting.receivers.plain import plain_text
from services.alerting.receivers.receiver import Receiver, SecretUrl
from services.alerting.sending.pacing import Pace
from services.runtime.http.outgoing import Request
from services.runtime.references import Secret

MAX_BODY: Final = 20_000
MAX_TITLE: Final = 300
_ROOM_FOR_THE_REST: Final = 1_000


class Dingtalk(Receiver):
    """A group. secret: `SEC…`, of the robot's signature, if that is switched on."""

    paces = (Pace(20, 60.0),)
    code_field = "errcode"
    words_field = "errmsg"
    too_fast = {130101: 600, 410100: 600}

    kind: Literal["dingtalk"] = "dingtalk"
    url: SecretUrl
    secret: Secret | None = None

    def render(self, notice: Notice, now: float) -> Request:
        """The title is what a telephone shows; lines end with two spaces, else they would be joined."""
        read = notice.words(self.zone)
        text = fit(
            tame(read.first),
            tame(read.rest),
            links(notice),
            MAX_BODY - _ROOM_FOR_THE_REST,
            lambda whole: len(json_body(_broken(whole))),
        )
        markdown = {"title": cut(read.headline, MAX_TITLE, utf8), "text": _broken(text)}
        return Request(self._address(now), JSON, json_body({"msgtype": "markdown", "markdown": markdown}))

    def plain(self, notice: Notice, now: float) -> Request:
        """A text without Markdown."""
        body = {"msgtype": "text", "text": {"content": plain_text(notice)}}
        return Request(self._address(now), JSON, json_body(body))

    def _address(self, now: float) -> str:
        url = self.url.get_secret_value()
        if self.secret is None:
            return url
        signed = signature(self.secret.get_secret_value(), int(now * 1000))
        return url + ("&" if "?" in url else "?") + urlencode(signed)


def signature(secret: str, at_ms: int) -> dict[str, str]:
    """The parameters that prove who sends."""
    digest = hmac.digest(secret.encode(), f"{at_ms}\n{secret}".encode(), "sha256")
    return {"timestamp": str(at_ms), "sign": base64.b64encode(digest).decode()}


def _broken(text: str) -> str:
    return text.replace("\n", "  \n")
