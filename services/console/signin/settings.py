"""What the console is told of who may sign in, and how."""

from pathlib import Path
from typing import Annotated, Final, get_args

from pydantic import Field, Json, SecretStr, ValidationInfo, field_validator

from schemas.base import Name
from services.console.people import Role
from services.console.signin.sealing import MIN_KEY, Keys
from services.console.signin.sessions import Limits
from services.console.signin.users import Users, parse
from services.runtime.client_address import Network
from services.runtime.files import File
from services.runtime.http.urls import BaseUrl
from services.runtime.link_settings import LinkSettings
from services.runtime.settings import variable

_HOUR: Final = 3600
_ROLES: Final[dict[Role, list[str]]] = {role: [f"tidegate-{role}"] for role in get_args(Role)}


class SignInSettings(LinkSettings):
    """The two doors: passwords of a small team, and an OpenID Connect provider. Without either only tokens are let in,
    which are for scripts."""

    console_session_key: SecretStr | None = None
    """Seals the sessions: at least 32 characters, such as `openssl rand -hex 32`, the same for all consoles. To change
    it, put the new one on a line before the old, and take the old one out a day later."""
    console_session_idle_minutes: Annotated[int, Field(ge=1, le=24 * 60)] = 60
    """Who has not used it for so long signs in again."""
    console_session_hours: Annotated[int, Field(ge=1, le=24)] = 12
    """Who has signed in so long ago signs in again."""
    console_fresh_minutes: Annotated[int, Field(ge=1, le=24 * 60)] = 15
    """What is dangerous asks for the password again when the last time was longer ago."""
    console_proxies: Json[Annotated[list[Network], Field(max_length=100)]] = []
    """The networks of our own reverse proxies, whose X-Forwarded-For is believed: `["10.0.0.0/8"]`."""

    console_oidc_issuer: Annotated[BaseUrl, Field(max_length=500)] | None = None
    """The OpenID Connect provider, as its discovery document names itself."""
    console_oidc_client_id: Annotated[Name | None, Field(validate_default=True)] = None
    console_oidc_client_secret: SecretStr | None = None
    """Left out for a public client: PKCE protects the code in any case."""
    console_oidc_name_claim: Name = "sub"
    """What a person is called: a claim that stays the same and that nobody can choose for themselves."""
    console_oidc_roles_claim: Name = "roles"
    """Where the roles are; a path with dots leads into objects: `realm_access.roles`."""
    console_oidc_roles: Json[dict[Role, list[str]]] = _ROLES
    """Which of the claim's values give which role; the highest counts, and without any nobody is let in."""

    console_users_file: File | None = None
    """The YAML file of local users; read again when it changes."""

    @property
    def session_limits(self) -> Limits:
        """How long sessions last."""
        return Limits(
            idle_s=self.console_session_idle_minutes * 60,
            longest_s=self.console_session_hours * _HOUR,
            fresh_s=self.console_fresh_minutes * 60,
        )

    @property
    def is_https(self) -> bool:
        """Whether browsers reach the console by TLS."""
        return (self.console_url or "").startswith("https://")

    def session_keys(self, chance: str) -> Keys:
        """Those of the settings; else one that is gone at the next start. `chance`: 64 random characters."""
        given = "" if self.console_session_key is None else self.console_session_key.get_secret_value()
        return Keys(given.split() or [chance])

    def users(self) -> Users:
        """As the file has them now. Raises ValueError and OSError."""
        data = b"" if self.console_users_file is None else Path(self.console_users_file).read_bytes()
        return parse(data, with_provider=self.console_oidc_issuer is not None)

    @field_validator("console_session_key")
    @classmethod
    def _are_long_enough(cls, value: SecretStr | None) -> SecretStr | None:
        given = [] if value is None else value.get_secret_value().split()
        if any(len(key) < MIN_KEY for key in given) or len(given) > 5:
            raise ValueError(f"must be one to five keys of at least {MIN_KEY} characters, each on a line")
        return value

    @field_validator("console_oidc_client_id")
    @classmethod
    def _with_issuer(cls, value: str | None, info: ValidationInfo) -> str | None:
        issuer = info.data.get("console_oidc_issuer")
        if issuer is not None and value is None:
            raise ValueError(f"is needed with {variable('console_oidc_issuer')}")
        if issuer is not None and info.data.get("console_url") is None:
            raise ValueError(f"needs {variable('console_url')} too: where the provider sends people back to")
        return value

    @field_validator("console_users_file")
    @classmethod
    def _can_be_read(cls, value: Path | None, info: ValidationInfo) -> Path | None:
        if value is not None:
            try:
                parse(value.read_bytes(), with_provider=info.data.get("console_oidc_issuer") is not None)
            except OSError as error:
                raise ValueError(f"cannot be read: {error.strerror}") from None
        return value
