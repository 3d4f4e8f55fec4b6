"""What ingest is told."""

from typing import Annotated, ClassVar

from pydantic import AfterValidator, Field, SecretStr

from services.ingest.frames.pseudonyms import MAX_KEY_BYTES, MIN_KEY_BYTES
from services.ingest.sources.quarantine import BadLimit
from services.ingest.sources.sealing import Sealer
from services.runtime.settings import CommonSettings, Port


def _pseudonym_key(value: SecretStr) -> SecretStr:
    if not MIN_KEY_BYTES <= len(value.get_secret_value().encode()) <= MAX_KEY_BYTES:
        raise ValueError(f"must be {MIN_KEY_BYTES} to {MAX_KEY_BYTES} bytes long")
    return value


PseudonymKey = Annotated[SecretStr, AfterValidator(_pseudonym_key)]
"""The key of the pseudonyms of addresses and accounts, as it is, in UTF-8."""


def _seal_key(value: SecretStr) -> SecretStr:
    Sealer(value.get_secret_value())
    return value


DeadLetterKey = Annotated[SecretStr, AfterValidator(_seal_key)]
"""Seals what is kept of a bad record: a Fernet key, 32 bytes in URL-safe base64."""


class IngestSettings(CommonSettings):
    """`TIDEGATE_INGEST_…`"""

    own_prefix: ClassVar[str] = "ingest_"

    ingest_port: Port = 0
    """Of /healthz, /readyz and /metrics."""
    ingest_pseudonym_key: PseudonymKey
    """The account system has the same."""
    ingest_dead_letter_key: DeadLetterKey
    ingest_pause_ms: Annotated[int, Field(ge=0, le=1000)] = 20
    """From one poll to the next while little waits: fewer, fuller frames for more latency."""
    ingest_ack_s: Annotated[float, Field(gt=0, le=600)] = 60.0
    """A process in which nothing is acknowledged for so long ends."""
    ingest_bad_stretch: Annotated[int, Field(ge=1, le=1_000_000)] = 1_000
    """A source partition is paused when, of so many records,"""
    ingest_bad_least: Annotated[int, Field(ge=1, le=1_000_000)] = 200
    """at least so many are bad,"""
    ingest_bad_share: Annotated[float, Field(gt=0, le=1)] = 0.5
    """and at least this share;"""
    ingest_bad_pause_s: Annotated[float, Field(gt=0, le=86_400)] = 30.0
    """for so long, and twice as long each time that it was no use,"""
    ingest_bad_longest_pause_s: Annotated[float, Field(gt=0, le=86_400)] = 3_600.0
    """up to this."""

    def bad_limit(self) -> BadLimit:
        """The limit past which a source partition is paused."""
        return BadLimit(
            self.ingest_bad_stretch,
            self.ingest_bad_least,
            self.ingest_bad_share,
            self.ingest_bad_pause_s,
            self.ingest_bad_longest_pause_s,
        )
