"""Settings of channel_control."""

from pathlib import Path
from typing import Annotated, ClassVar

from pydantic import AfterValidator, Field, SecretStr

from services.channel_control.enforcing.headers import header_text
from services.channel_control.platforms.generic import signing_secret
from services.runtime.http.urls import BaseUrl
from services.runtime.settings import CommonSettings, Port


class ControlSettings(CommonSettings):
    """The platforms that carry orders out. Without any, orders stand as wanted and unconfirmed."""

    own_prefix: ClassVar[str] = "control_"

    control_port: Port = 0
    """Of health and metrics."""
    control_platforms: Path | None = None
    """The list of platforms, a YAML file; see platform_list."""
    control_platform_url: BaseUrl | None = None
    """Of the default platform: where `/v1/targets/…` begins."""
    control_platform_token: Annotated[SecretStr, AfterValidator(header_text)] | None = None
    """Sent there as bearer token."""
    control_platform_secret: Annotated[SecretStr, AfterValidator(signing_secret)] | None = None
    """`whsec_…`: signs the requests to it; two while the first takes the second's place."""
    control_platform_deadline: Annotated[float, Field(gt=0, le=60)] = 5.0
    """Seconds that a platform has for one call, all in all."""
    control_parallel: Annotated[int, Field(ge=1, le=256)] = 16
    """New orders whose calls are under way at once, in each partition; retries have a quarter as many besides."""
    control_drift_interval: Annotated[float, Field(gt=0, le=3600)] = 25.0
    """Seconds in which every settled target is read again once: what somebody changes on a platform is found in twice
    that, so within a minute."""
    control_drift_rate: Annotated[float, Field(gt=0, le=1000)] = 120.0
    """Such readings a second, at most, in each partition: 3,000 targets within an interval."""
    control_away_after: Annotated[float, Field(gt=0, le=3600)] = 60.0
    """Seconds without a good answer after which a platform counts as away, and an alert says what waits for it."""
    control_backoff_cap: Annotated[float, Field(gt=0, le=3600)] = 60.0
    """Seconds: the longest pause between two attempts."""
