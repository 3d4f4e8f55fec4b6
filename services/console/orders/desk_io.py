"""The desk: sends people's orders to `channel-commands` and reads their outcome back from the audit."""

import asyncio
import logging
from collections.abc import Sequence
from typing import Final, Protocol

from fastapi import Response

from schemas import automation
from schemas.audit import AuditRecord
from schemas.commands import Command
from schemas.topics import CHANNEL_COMMANDS
from services.console import metrics
from services.console.api.answers import OrderProblem
from services.console.orders import orders
from services.console.orders.orders import Given, OrderAnswer
from services.console.state.feed_io import Feed
from services.runtime.http.api_io import ApiError, refusal
from services.runtime.kafka.publisher_io import BrokerAwayError
from services.runtime.machines.machine import Output

log = logging.getLogger(__name__)

RETRY_S: Final = 2
UNKNOWN: Final = "Kafka has not acknowledged the order in time; it may still be carried out"


class Publishing(Protocol):
    """What the app needs of a publisher."""

    async def publish(self, messages: Sequence[Output]) -> set[int]:
        """The place of each message that was not acknowledged. Raises BrokerAwayError."""
        ...


class Desk:
    """Takes orders in, each once."""

    def __init__(self, feed: Feed, publisher: Publishing, partitions: int) -> None:
        self._feed = feed
        self._publisher = publisher
        self._partitions = partitions
        self._given = Given()

    async def give(self, command: Command, wait: float, response: Response) -> OrderAnswer:
        """Sends the order unless the audit knows it already; says what came of it. A refusal is an ApiError."""
        (answer,) = await self.give_all([command], wait, response)
        if answer.outcome == "refused" and answer.audit is not None:
            why = answer.audit.why or "no reason was given"
            raise ApiError(OrderProblem.of(409, f"refused: {why}", order=answer))
        return answer

    async def give_all(self, commands: Sequence[Command], wait: float, response: Response) -> list[OrderAnswer]:
        """The same for orders that belong together; what came of each is told, a refusal too."""
        is_other = [self._given.is_other(command) for command in commands]
        if not any(is_other):
            await self._send([command for command in commands if self._is_to_be_sent(command)])
            await asyncio.gather(*(self._feed.wait_for_outcome(command.command_id, wait) for command in commands))
        known = [(command, self._outcome(command)) for command in commands]
        if any(is_other) or any(audit is not None and orders.differs(command, audit) for command, audit in known):
            raise refusal(
                422, "this Idempotency-Key was used for another order", zh="该表单已用于另一指令，请重新打开页面"
            )
        response.status_code = 202 if any(audit is None for _, audit in known) else 200
        return [orders.answer_of(command, audit) for command, audit in known]

    def _is_to_be_sent(self, command: Command) -> bool:
        """What is for every partition is sent again, since the audit may know it from one of them only."""
        return self._outcome(command) is None or command.target == automation.TARGET

    def _outcome(self, command: Command) -> AuditRecord | None:
        return self._feed.audit.outcome_of(command.command_id)

    async def _send(self, commands: Sequence[Command]) -> None:
        messages = [(command, message) for command in commands for message in self._messages(command)]
        problem, missing = "", set[int]()
        try:
            missing = await self._publisher.publish([message for _, message in messages])
        except BrokerAwayError:
            problem, missing = "Kafka does not answer; the order was not given", set(range(len(messages)))
        lost = {messages[place][0].command_id: messages[place][0] for place in sorted(missing)}
        problem = problem or UNKNOWN
        for command in commands:
            _note(command, problem if command.command_id in lost else "")
        for command in lost.values():
            body = OrderProblem.of(503, problem, order=orders.answer_of(command, None))
            raise ApiError(body, {"Retry-After": str(RETRY_S)}, "Kafka 无应答")

    def _messages(self, command: Command) -> list[Output]:
        if command.target == automation.TARGET:
            records = automation.records(command, self._partitions)
            return [Output(CHANNEL_COMMANDS, key, value, partition) for partition, key, value in records]
        value = command.model_dump_json(by_alias=True).encode()
        return [Output(CHANNEL_COMMANDS, command.target.encode(), value)]


def _note(command: Command, problem: str) -> None:
    metrics.ORDERS.labels(command.command, "no" if problem else "yes").inc()
    log.info(
        "order",
        extra={
            "command": command.command,
            "command_id": command.command_id,
            "target": command.target,
            "alert_id": command.alert_id,
            "by": command.issued_by,
            "problem": problem,
        },
    )
