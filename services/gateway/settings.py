"""What the gateway is told."""

from functools import partial
from pathlib import Path
from typing import Annotated, ClassVar

from pydantic import Field, PlainValidator, ValidationInfo, field_validator

from services.gateway.door.settings import DoorSettings
from services.gateway.senders import Sender
from services.runtime.files import File
from services.runtime.http.tls import ServerCertificate, server_certificate
from services.runtime.http.tokens import Tokens, read_tokens
from services.runtime.settings import Port, variable

MIB = 1024 * 1024


class GatewaySettings(DoorSettings):
    """Limits are of one request unless they say otherwise."""

    own_prefix: ClassVar[str] = "gateway_"

    gateway_port: Port = 8080
    gateway_tls_cert_file: File | None = None
    """Serves https with this certificate, in PEM; taken up anew when it changes."""
    gateway_tls_key_file: Annotated[File | None, Field(validate_default=True)] = None
    gateway_tokens_file: Annotated[Tokens[Sender], PlainValidator(partial(read_tokens, owner=Sender))]
    """The YAML file of who may send what; read once, at start."""
    gateway_max_body_bytes: Annotated[int, Field(ge=1024, le=64 * MIB)] = 4 * MIB
    """As sent, so compressed if it is."""
    gateway_max_unpacked_bytes: Annotated[int, Field(ge=1024, le=256 * MIB)] = 16 * MIB
    """After unpacking gzip."""
    gateway_max_events: Annotated[int, Field(ge=1, le=100_000)] = 10_000
    gateway_body_timeout_s: Annotated[float, Field(gt=0, le=600)] = 30.0
    """How long a body may take to arrive."""
    gateway_ack_timeout_s: Annotated[float, Field(gt=0, le=120)] = 5.0
    """How long the broker may take to acknowledge before the sender is told that it has not."""
    gateway_in_work_bytes: Annotated[int, Field(ge=1024)] = 64 * MIB
    """Of all requests together; what comes on top is told to try again (429)."""

    @property
    def certificate(self) -> ServerCertificate | None:
        """That of the files."""
        return server_certificate(self.gateway_tls_cert_file, self.gateway_tls_key_file)

    @field_validator("gateway_tls_key_file")
    @classmethod
    def _fits(cls, value: Path | None, info: ValidationInfo) -> Path | None:
        if "gateway_tls_cert_file" in info.data:
            server_certificate(info.data["gateway_tls_cert_file"], value)
        return value

    @field_validator("gateway_in_work_bytes")
    @classmethod
    def _room_for_one(cls, value: int, info: ValidationInfo) -> int:
        for field in ("gateway_max_body_bytes", "gateway_max_unpacked_bytes"):
            if value < info.data.get(field, 0):
                raise ValueError(f"leaves no room for one request: it is less than {variable(field)}")
        return value
