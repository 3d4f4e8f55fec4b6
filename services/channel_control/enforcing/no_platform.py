"""What stands beside the machine where nobody carries orders out."""

import logging

from services.channel_control.machine import ControlMachine

log = logging.getLogger(__name__)


class NoPlatform:
    """The companion where there is no platform: says so once, and does nothing."""

    def __init__(self) -> None:
        self._said = False

    async def start(self, partition: int, machine: ControlMachine) -> None:
        """Says it."""
        if not self._said:
            self._said = True
            log.warning(
                "no platform is set (TIDEGATE_CONTROL_PLATFORM_URL, TIDEGATE_CONTROL_PLATFORMS): "
                "orders stand as wanted and unconfirmed"
            )

    async def stop(self, partition: int) -> None:
        """Nothing is under way."""

    def kick(self, partition: int) -> None:
        """Nobody is called."""
