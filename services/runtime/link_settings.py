"""What those are told who write links to the console, and the console, which follows them."""

from typing import Annotated, ClassVar

from pydantic import Field, SecretStr, ValidationInfo, field_validator

from services.runtime.http.signed_notes import MIN_KEY
from services.runtime.http.urls import BaseUrl
from services.runtime.settings import CommonSettings, variable


class LinkSettings(CommonSettings):
    """The same for all of them."""

    own_prefix: ClassVar[str] = "console_"

    console_url: Annotated[BaseUrl, Field(max_length=500)] | None = None
    """Where people find the console; without it messages have no links."""
    console_link_key: Annotated[SecretStr | None, Field(validate_default=True)] = None
    """Signs the links to an alert and to acknowledge it: at least 32 characters, such as `openssl rand -hex 32`."""

    @property
    def link_key(self) -> bytes | None:
        """The key as bytes."""
        return None if self.console_link_key is None else self.console_link_key.get_secret_value().encode()

    @field_validator("console_link_key")
    @classmethod
    def _long_enough(cls, value: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        if value is None and info.data.get("console_url") is not None:
            raise ValueError(f"is needed with {variable('console_url')}")
        if value is not None and len(value.get_secret_value()) < MIN_KEY:
            raise ValueError(f"must have at least {MIN_KEY} characters")
        return value
