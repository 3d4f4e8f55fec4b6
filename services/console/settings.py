"""What the console is told."""

from functools import partial
from pathlib import Path
from typing import Annotated, ClassVar

from pydantic import Field, PlainValidator, SecretStr, ValidationInfo, field_validator

from services.console.people import TokenHolder
from services.console.signin.settings import SignInSettings
from services.runtime.files import File
from services.runtime.http.tls import ServerCertificate, server_certificate
from services.runtime.http.tokens import Tokens, read_tokens
from services.runtime.settings import Port, variable


class ConsoleSettings(SignInSettings):
    """Where it serves, whom, and how much it keeps in memory."""

    own_prefix: ClassVar[str] = "console_"

    console_port: Port = 8081
    console_tls_cert_file: File | None = None
    """Serves https with this certificate, in PEM; taken up anew when it changes."""
    console_tls_key_file: Annotated[File | None, Field(validate_default=True)] = None
    console_tokens_file: Annotated[Tokens[TokenHolder], PlainValidator(partial(read_tokens, owner=TokenHolder))]
    """The YAML file of who may see and order; read once, at start."""
    console_audit_records: Annotated[int, Field(ge=1, le=10_000_000)] = 50_000
    """The newest records of the audit, which are kept in memory to be shown; Kafka keeps all."""
    console_audit_days: Annotated[int, Field(ge=1, le=3650)] = 31
    """So much of the audit is read at a start: for as long as the log of orders is kept, and a day."""
    console_resolved_alerts: Annotated[int, Field(ge=1, le=1_000_000)] = 10_000
    """The newest alerts among those that are resolved, likewise; open ones are all kept."""
    console_reading_days: Annotated[int, Field(ge=1, le=35)] = 8
    """So much of the readings is read at a start, for charts and figures: a week, and today. While the console runs it
    keeps a month of them."""
    console_send_timeout_s: Annotated[float, Field(gt=0, le=120)] = 5.0
    """How long the broker may take to acknowledge an order before the person is told that it has not."""
    console_backtest_archive: Path | None = None
    """What `tidegate archive` has copied: the past on which people at the console try a policy. Empty while it is not
    there yet."""
    console_backtest_topics: bool = False
    """Try it on the raw topics too, from where the archive ends: the process that does so reads personal data, as
    `tidegate backtest` does, and hands none on."""
    console_history_username: str | None = None
    """Kafka's user under whom that process reads them, where that is not the console's own."""
    console_history_password: Annotated[SecretStr | None, Field(validate_default=True)] = None

    @property
    def certificate(self) -> ServerCertificate | None:
        """That of the files."""
        return server_certificate(self.console_tls_cert_file, self.console_tls_key_file)

    @property
    def is_https(self) -> bool:
        """Whether browsers reach the console by TLS, ours or that of a proxy before it."""
        return super().is_https or self.console_tls_cert_file is not None

    @field_validator("console_tls_key_file")
    @classmethod
    def _fits(cls, value: Path | None, info: ValidationInfo) -> Path | None:
        if "console_tls_cert_file" in info.data:
            server_certificate(info.data["console_tls_cert_file"], value)
        return value

    @field_validator("console_history_password")
    @classmethod
    def _with_user(cls, value: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        user = "console_history_username"
        if user in info.data and (value is None) != (info.data[user] is None):
            raise ValueError(f"and {variable(user)} go together")
        return value

    def for_history(self) -> "ConsoleSettings":
        """The same for the user who may read the raw topics."""
        user, password = self.console_history_username, self.console_history_password
        if user is None:
            return self
        return self.model_copy(update={"kafka_sasl_username": user, "kafka_sasl_password": password})
