"""Settings of the indicators."""

from typing import ClassVar

from services.runtime.settings import CommonSettings, Port


class IndicatorsSettings(CommonSettings):
    """The figures that they judge by are in the policy; this is about the process."""

    own_prefix: ClassVar[str] = "indicators_"

    indicators_port: Port = 0
    """Of health and metrics."""
