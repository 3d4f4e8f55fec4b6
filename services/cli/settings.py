"""Settings of the command line."""

from typing import ClassVar

from pydantic import SecretStr

from schemas.base import Name
from services.runtime.settings import CommonSettings


class CliSettings(CommonSettings):
    """What `tidegate …` is told by the environment."""

    own_prefix: ClassVar[str] = "cli_"

    cli_person: Name | None = None
    """Who changes the policy, where `--as` does not say."""
    cli_token: SecretStr | None = None
    """The bearer token for `tidegate replay --gateway`."""
