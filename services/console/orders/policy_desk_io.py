"""Changes the policy for people at the console: by the same rules and in the same transaction as the command line."""

import asyncio
import logging
from typing import Final, Protocol

from aiokafka.errors import KafkaError

from services.console.settings import ConsoleSettings
from services.policies import changing_io
from services.policies.changes import Ask, Change
from services.policies.changing_io import Plan

log = logging.getLogger(__name__)

TIMEOUT_S: Final = 15.0


class PolicyAwayError(Exception):
    """Kafka has not taken the change in time; whether it is in force, the history will tell."""


class Changing(Protocol):
    """What the pages need of a desk."""

    async def change(self, ask: Ask, plan: Plan) -> Change:
        """Makes a change. Raises RefusedError, PolicyAwayError."""
        ...


class PolicyDesk:
    """Writes to the topic."""

    def __init__(self, settings: ConsoleSettings) -> None:
        self._settings = settings

    async def change(self, ask: Ask, plan: Plan) -> Change:
        """As Changing says."""
        try:
            async with asyncio.timeout(TIMEOUT_S):
                change = await changing_io.change(self._settings, ask, plan)
        except (TimeoutError, KafkaError) as error:
            log.warning("the policy was not changed", extra={"reason": type(error).__name__})
            raise PolicyAwayError from None
        log.info("policy", extra={"by": ask.name, "says": change.says.partition("\n")[0]})
        return change
