"""Standard Webhooks: the whole alert as JSON, signed.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

from typing import Annotated, Literal

from pydantic import AfterValidator, SecretStr

from services.alerting.receivers.notice import Notice
from services.alerting.receivers.receiver import Receiver, SecretUrl
from services.alerting.sending.signing import headers
from services.alerting.telling import Due
from services.runtime.http.outgoing import Request
from services.runtime.http.signing import check_secrets
from services.runtime.references import Secret


def _checked(value: SecretStr) -> SecretStr:
    check_secrets(value.get_secret_value())
    return value


class Webhook(Receiver):
    """secret: `whsec_…`, signs the messages; two while the first takes the second's place."""

    kind: Literal["webhook"] = "webhook"
    url: SecretUrl
    secret: Annotated[Secret, AfterValidator(_checked)]

    def render(self, notice: Notice, now: float) -> Request:
        """The body as the machine decided it, with the links if there are any."""
        due = notice.due
        if notice.links is not None:
            body = notice.message.model_copy(update={"links": notice.links}).model_dump_json()
            due = due.model_copy(update={"body": body})
        return self._signed(due, now)

    def plain(self, notice: Notice, now: float) -> Request:
        """The body, as it stands."""
        return self._signed(notice.due, now)

    def _signed(self, due: Due, now: float) -> Request:
        return Request(
            self.url.get_secret_value(), headers(due, self.secret.get_secret_value(), now), due.body.encode()
        )
