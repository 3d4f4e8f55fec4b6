"""Settings of the command line."""

from typing import ClassVar

from pydantic import SecretStr

from services.runtime.settings import CommonSettings


class CliSettings(CommonSettings):
    """What `tidegate …` is told by the environment."""

    own_prefix: ClassVar[str] = "cli_"

    cli_token: SecretStr | None = None
    """The bearer token for `tidegate replay --gateway`."""
