"""What the door for complaints is told. It is open where it has a key."""

from ipaddress import ip_network
from typing import Annotated, ClassVar, Final

from pydantic import BeforeValidator, Field, Json, SecretStr, ValidationInfo, field_validator

from schemas.base import Name
from services.gateway.door.institution import Institution
from services.runtime.client_address import Network
from services.runtime.http.signed_notes import MIN_KEY
from services.runtime.settings import CommonSettings, variable

MOST: Final = 1_000_000


def _network(value: object) -> object:
    return ip_network(value) if isinstance(value, str) else value


class DoorSettings(CommonSettings):
    """Whose it is, and what protects it."""

    own_prefix: ClassVar[str] = "gateway_"

    gateway_door_key: SecretStr | None = None
    """Signs the forms: at least 32 characters, such as `openssl rand -hex 32`, the same for all gateways."""
    gateway_door_institution: Annotated[Json[Institution] | None, Field(validate_default=True)] = None
    """Whose door it is, as JSON; see docs/complaint-door.md."""
    gateway_door_channel: Name = "complaint-door"
    """Complaints of people who name no channel are counted under this one."""
    gateway_door_per_address: Annotated[int, Field(ge=1, le=MOST)] = 30
    """So many within an hour from one address, of IPv6 from one /64; offices and carriers share theirs."""
    gateway_door_per_hour: Annotated[int, Field(ge=1, le=MOST)] = 3_000
    """So many within an hour from all, through this process."""
    gateway_proxies: Json[list[Annotated[Network, BeforeValidator(_network)]]] = []
    """Networks of our own proxies, as JSON, whose word on the sender's address (`X-Forwarded-For`) is believed."""

    @property
    def door_key(self) -> bytes | None:
        """The key as bytes."""
        return None if self.gateway_door_key is None else self.gateway_door_key.get_secret_value().encode()

    @field_validator("gateway_door_key")
    @classmethod
    def _long_enough(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and len(value.get_secret_value()) < MIN_KEY:
            raise ValueError(f"must have at least {MIN_KEY} characters")
        return value

    @field_validator("gateway_door_institution")
    @classmethod
    def _with_key(cls, value: Institution | None, info: ValidationInfo) -> Institution | None:
        if value is None and info.data.get("gateway_door_key") is not None:
            raise ValueError(f"is needed with {variable('gateway_door_key')}")
        return value
