"""E-mail: plain text and HTML, over SMTP with STARTTLS or TLS.

https://www.rfc-editor.org/rfc/rfc5322: a line has at most 998 characters, an id is unique for ever; the messages of a
group of alerts name the same one in `References`, so that a mailbox shows them together.
https://www.rfc-editor.org/rfc/rfc3834: `Auto-Submitted` keeps out-of-office answers away.
"""

from email.header import Header
from email.headerregistry import Address
from email.mime.base import MIMEBase
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from email.policy import compat32
from email.utils import format_datetime
from html import escape
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, Field, ValidationInfo, field_validator

from services.alerting.receivers.fitting import cut, fit
from services.alerting.receivers.notice import Notice
from services.alerting.receivers.plain import plain_text
from services.alerting.receivers.receiver import Receiver
from services.runtime.http.outgoing import Mail, MailServer
from services.runtime.references import Secret

MAX_SUBJECT: Final = 200
_WIRE: Final = compat32.clone(linesep="\r\n")
"""The newer policies fold Chinese headers with spaces in between."""
MAX_TEXT: Final = 50_000


def _address(value: str) -> str:
    try:
        read = Address(addr_spec=value)
    except ValueError:
        raise ValueError("is not an e-mail address") from None
    if not read.username or not read.domain or not value.isascii():
        raise ValueError("is not an e-mail address")
    return value


Mailbox = Annotated[str, AfterValidator(_address)]


class Email(Receiver):
    """Mailboxes, by a server that takes our mail. ca_file: of the authority that vouches for it."""

    kind: Literal["email"] = "email"
    host: Annotated[str, Field(min_length=1, max_length=255)]
    port: Annotated[int, Field(ge=1, le=65535)] = 587
    tls: Literal["starttls", "tls", "none"] = "starttls"
    ca_file: str | None = None
    username: str | None = None
    password: Annotated[Secret | None, Field(validate_default=True)] = None
    sender: Mailbox
    recipients: Annotated[list[Mailbox], Field(min_length=1, max_length=100)]

    def render(self, notice: Notice, now: float) -> Mail:
        """The message, whose id stays the same in every attempt."""
        read = notice.words(self.zone)
        mail = MIMEMultipart("alternative", f"tidegate-{notice.due.webhook_id}")
        subject = Header(cut(read.headline, MAX_SUBJECT), header_name="Subject").encode()
        plain = fit(read.first, f"\n{read.rest}\n", notice.plain_links(), MAX_TEXT)
        mail.attach(MIMEText(plain, "plain", "utf-8"))
        mail.attach(MIMEText(_html(notice, read.first, read.rest), "html", "utf-8"))
        return self._addressed(mail, subject, notice)

    def plain(self, notice: Notice, now: float) -> Mail:
        """A text, under a subject that needs no encoding."""
        mail = MIMEText(plain_text(notice), "plain", "utf-8")
        return self._addressed(mail, f"Tidegate alert, {notice.message.data.severity}", notice)

    def _addressed(self, mail: MIMEBase, subject: str, notice: Notice) -> Mail:
        alert, due = notice.message.data, notice.due
        mail["From"] = self.sender
        mail["To"] = ", ".join(self.recipients)
        mail["Subject"] = subject
        mail["Date"] = format_datetime(notice.message.timestamp)
        mail["Message-ID"] = f"<{due.webhook_id}@tidegate>"
        mail["References"] = f"<{alert.alert_id if due.group is None else due.group.group_id}@tidegate>"
        mail["Auto-Submitted"] = "auto-generated"
        mail["X-Priority"] = "1" if alert.severity == "critical" and alert.status != "resolved" else "3"
        return Mail(self._server(), self.sender, tuple(self.recipients), mail.as_bytes(policy=_WIRE))

    def _server(self) -> MailServer:
        password = None if self.password is None else self.password.get_secret_value()
        return MailServer(self.host, self.port, self.tls, self.ca_file, self.username, password)

    @field_validator("password")
    @classmethod
    def _not_in_the_clear(cls, value: object, info: ValidationInfo) -> object:
        if (value is None) != (info.data.get("username") is None):
            raise ValueError("goes with username, and not without it")
        if value is not None and info.data.get("tls") == "none":
            raise ValueError("would be sent in the clear: tls must be starttls or tls")
        return value

    @field_validator("ca_file")
    @classmethod
    def _there(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value is None:
            return None
        path: Path = (info.context or {"folder": Path()})["folder"] / value
        if not path.is_file():
            raise ValueError("is not a file")
        return str(path)


def _html(notice: Notice, first: str, rest: str) -> str:
    paragraphs = [f"<p><b>{_lines(first)}</b></p>", f"<p>{_lines(rest)}</p>"]
    paragraphs += [f'<p><a href="{escape(url)}">{escape(name)}</a></p>' for name, url in notice.named_links()]
    return "<!doctype html>\n<html><body>\n" + "\n".join(paragraphs) + "\n</body></html>\n"


def _lines(text: str) -> str:
    return "<br>\n".join(escape(line) for line in cut(text, MAX_TEXT).split("\n"))
