"""Settings of alerting."""

from datetime import timedelta
from typing import Annotated, ClassVar

from pydantic import AfterValidator, Field, PlainValidator, SecretStr, ValidationInfo, field_validator

from schemas.closed import Duration
from services.alerting.receivers.book import DEFAULT, read_book
from services.alerting.receivers.receiver import Receiver
from services.alerting.receivers.webhook import Webhook
from services.alerting.sending.linking import Linker
from services.alerting.watching.watch import Limits
from services.runtime.http.signing import check_secrets
from services.runtime.http.urls import check_url
from services.runtime.link_settings import LinkSettings
from services.runtime.settings import Port, variable


def _url(value: SecretStr) -> SecretStr:
    check_url(value.get_secret_value())
    return value


def _secret(value: SecretStr) -> SecretStr:
    check_secrets(value.get_secret_value())
    return value


class AlertingSettings(LinkSettings):
    """Where alerts go. Without a receiver each message is recorded in the audit, and nothing is sent."""

    own_prefix: ClassVar[str] = "alerting_"

    alerting_port: Port = 0
    """Of health and metrics."""
    alerting_webhook_url: Annotated[SecretStr, AfterValidator(_url)] | None = None
    """The receiver `default`, of the Standard Webhooks; a secret, since some receivers' addresses are."""
    alerting_webhook_secret: Annotated[
        Annotated[SecretStr, AfterValidator(_secret)] | None, Field(validate_default=True)
    ] = None
    """`whsec_…`: signs the messages; two, with a space or a new line between, while the first replaces the second."""
    alerting_receivers: Annotated[dict[str, Receiver], PlainValidator(read_book), Field(validate_default=False)] = {}
    """The YAML file of all others, see `receivers/book.py`; read once, at start."""
    alerting_webhook_timeout: Annotated[float, Field(gt=0, le=120)] = 10.0
    """Seconds that the receiver has for one answer, all in all."""
    alerting_webhook_parallel: Annotated[int, Field(ge=1, le=256)] = 8
    """Attempts under way at once to one receiver; those of one alert go one after the other anyway."""
    alerting_give_up_after: Duration = timedelta(hours=72)
    """How long a message is tried, counted from when it became due."""
    alerting_links_for: Annotated[Duration, Field(ge=timedelta(hours=2), le=timedelta(days=30))] = timedelta(hours=24)
    """How long the links of a message are good."""

    alerting_heartbeat_url: Annotated[SecretStr, AfterValidator(_url)] | None = None
    """An outside watchdog, asked (GET) every minute as long as alerting gets on: it should ring when nobody asks."""

    alerting_watch_dead_after: Annotated[Duration, Field(ge=timedelta(seconds=15))] = timedelta(seconds=60)
    """Without a mark, before ingest counts as dead; a restart of it takes up to one session timeout of 10 s."""
    alerting_watch_stalled_after: Annotated[Duration, Field(ge=timedelta(seconds=25))] = timedelta(seconds=60)
    """Without progress, before a reader counts as stalled; snapshots, which show progress, come every 10 s."""
    alerting_watch_lagging_after: Annotated[Duration, Field(ge=timedelta(minutes=5))] = timedelta(minutes=10)
    """How far a reader may be behind its log; what the indicators of actors fold again is up to three minutes."""
    alerting_watch_policy_after: Duration = timedelta(seconds=60)
    """How long another policy than the published one may be in use."""
    alerting_watch_calm: Duration = timedelta(seconds=60)
    """How long all must be well before such an alert is over."""

    def watch_limits(self) -> Limits:
        """The watchdog's."""
        return Limits(
            dead_s=self.alerting_watch_dead_after.total_seconds(),
            stalled_s=self.alerting_watch_stalled_after.total_seconds(),
            lagging_s=self.alerting_watch_lagging_after.total_seconds(),
            policy_s=self.alerting_watch_policy_after.total_seconds(),
            calm_s=self.alerting_watch_calm.total_seconds(),
        )

    def receivers(self) -> dict[str, Receiver]:
        """All of them, by name."""
        if self.alerting_webhook_url is None or self.alerting_webhook_secret is None:
            return self.alerting_receivers
        first = Webhook(name=DEFAULT, url=self.alerting_webhook_url, secret=self.alerting_webhook_secret)
        return {DEFAULT: first, **self.alerting_receivers}

    def linker(self) -> Linker | None:
        """Who writes the links, if the console's address is known."""
        if self.console_url is None or self.link_key is None:
            return None
        return Linker(self.console_url, self.link_key, int(self.alerting_links_for.total_seconds()))

    @field_validator("alerting_receivers")
    @classmethod
    def _one_default(cls, value: dict[str, Receiver], info: ValidationInfo) -> dict[str, Receiver]:
        webhook = info.data.get("alerting_webhook_url") is not None
        if webhook and DEFAULT in value:
            raise ValueError(f"has a {DEFAULT}, which {variable('alerting_webhook_url')} is already; keep one")
        if not webhook and DEFAULT not in value:
            raise ValueError(f"names no {DEFAULT}: what no route sends elsewhere goes there")
        return value

    @field_validator("alerting_webhook_secret")
    @classmethod
    def _with_url(cls, value: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        if value is None and info.data.get("alerting_webhook_url") is not None:
            raise ValueError(f"is needed with {variable('alerting_webhook_url')}")
        return value
