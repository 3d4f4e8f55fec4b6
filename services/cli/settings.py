"""Settings of the command line."""

from pathlib import Path
from typing import ClassVar

from pydantic import SecretStr

from schemas.base import Name
from services.ingest.settings import DeadLetterKey, PseudonymKey
from services.runtime.settings import CommonSettings


class CliSettings(CommonSettings):
    """What `tidegate …` is told by the environment."""

    own_prefix: ClassVar[str] = "cli_"

    cli_person: Name | None = None
    """Who changes the policy, where `--as` does not say."""
    cli_token: SecretStr | None = None
    """The bearer token for `tidegate replay --gateway` and `tidegate drill`."""
    cli_new_token: SecretStr | None = None
    """The one that takes its place in `tidegate drill leak`."""
    cli_audit_key: SecretStr | None = None
    """The Ed25519 key, in PEM, that signs the heads of the audit's chains."""
    cli_audit_heads: Path | None = None
    """The folder for signed heads."""
    ingest_pseudonym_key: PseudonymKey | None = None
    """Ingest's own, for `tidegate verify`: without it nothing about addresses and accounts can be derived again."""
    cli_old_pseudonym_key: PseudonymKey | None = None
    """The one that ingest had before, for `tidegate verify` of what was decided then."""
    ingest_dead_letter_key: DeadLetterKey | None = None
    """Ingest's own, for `tidegate dead-letters open`."""
