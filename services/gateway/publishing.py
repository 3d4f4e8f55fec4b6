"""What the gateway needs of a publisher. Pure."""

from collections.abc import Sequence
from typing import Protocol

from services.runtime.machines.machine import Output


class Publishing(Protocol):
    """Sends messages to Kafka."""

    async def publish(self, messages: Sequence[Output]) -> set[int]:
        """The place of each message that was not acknowledged. Raises BrokerAwayError."""
        ...
