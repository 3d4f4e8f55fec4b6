"""WeCom's group robot, in Markdown.

https://developer.work.weixin.qq.com/document/path/91770: the content has at most 4,096 bytes of UTF-8, and a robot
sends at most 20 messages a minute (45009: too fast). An answer of 200 says with `errcode` whether it was taken.
"""

from typing import Final, Literal

from services.alerting.receivers.fitting import fit, utf8
from services.alerting.receivers.markdown import links, tame
from services.alerting.receivers.notice import JSON, Notice, json_body
from services.alerting.receivers.plain import plain_text
from services.alerting.receivers.receiver import Receiver, SecretUrl
from services.alerting.sending.pacing import Pace
from services.runtime.http.outgoing import Request

MAX_CONTENT: Final = 4096


class Wecom(Receiver):
    """A group; the address is the secret."""

    paces = (Pace(20, 60.0),)
    code_field = "errcode"
    words_field = "errmsg"
    too_fast = {45009: 60}

    kind: Literal["wecom"] = "wecom"
    url: SecretUrl

    def render(self, notice: Notice, now: float) -> Request:
        """One text."""
        read = notice.words(self.zone)
        content = fit(tame(read.first), tame(read.rest), links(notice), MAX_CONTENT, utf8)
        body = json_body({"msgtype": "markdown", "markdown": {"content": content}})
        return Request(self.url.get_secret_value(), JSON, body)

    def plain(self, notice: Notice, now: float) -> Request:
        """A text without Markdown."""
        body = {"msgtype": "text", "text": {"content": plain_text(notice)}}
        return Request(self.url.get_secret_value(), JSON, json_body(body))
