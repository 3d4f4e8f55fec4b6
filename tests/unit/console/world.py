"""The console on views that are filled by hand, and a publisher that does as it is told."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, SecretStr

from schemas.commands import Command
from schemas.topics import AUDIT, POLICY
from services.console.settings import ConsoleSettings
from services.console.state.feed_io import Feed
from services.policies.changes import Ask, Change
from services.policies.changing_io import Plan
from services.runtime.http.tokens import Tokens
from services.runtime.kafka.kafka_io import Batch, Received
from services.runtime.kafka.publisher_io import BrokerAwayError
from services.runtime.machines.machine import Output
from tests.unit.console.samples import audit, person

PAUSE = "/api/v1/orders/pause"


STOP = {"target": "channel:a", "note": "n"}


class World:
    """What the topics hold and what becomes of an order. `judge`: writes the audit of each order at once."""

    def __init__(self, feed: Feed) -> None:
        self.feed = feed
        self.commands: list[Command] = []
        self.partitions: list[int | None] = []
        self.away = self.lost = False
        self.judge: dict[str, Any] | None = None
        self._offset = 0

    async def read(self, topic: str, *messages: tuple[str, BaseModel], caught_up: bool = True) -> None:
        """As if these had been read from a topic."""
        records = [self._record(topic, key, message) for key, message in messages]
        await self.feed.take(topic, Batch(records, caught_up))

    async def change(self, ask: Ask, plan: Plan) -> Change:
        """As if somebody had changed the policy on the topic."""
        change = plan(self.feed.policies, ask)
        values = [self._received(POLICY, key, value) for key, value in change.records.items()]
        await self.feed.take(POLICY, Batch(values, True))
        return change

    def _record(self, topic: str, key: str, message: BaseModel) -> Received:
        return self._received(topic, key, message.model_dump_json(by_alias=True).encode())

    def _received(self, topic: str, key: str, value: bytes) -> Received:
        self._offset += 1
        return Received(topic, 0, self._offset, self._offset, key.encode(), value)

    async def publish(self, messages: Sequence[Output]) -> set[int]:
        if self.away:
            raise BrokerAwayError
        for message in messages:
            command = Command.model_validate_json(message.value or b"")
            key = b"automation" if command.target == "automation:all" else command.target.encode()
            assert (message.topic, message.key) == ("channel-commands", key)
            self.commands.append(command)
            self.partitions.append(message.partition)
            if self.judge is not None:
                told: dict[str, Any] = {"what": command.command, "target": command.target}
                told |= {
                    "command_id": command.command_id,
                    "detail": {"fingerprint": command.fingerprint(), "incidents": command.incidents},
                }
                await self.read(AUDIT, (command.target, audit(command.command_id, **told | self.judge)))
        return {0} if self.lost else set()


SETTINGS = ConsoleSettings.model_construct(
    console_tokens_file=Tokens(
        [person("operator"), *(person(role, f"an {role}") for role in ("viewer", "approver", "admin"))]
    ),
    console_users_file=Path(__file__).parents[2] / "data" / "console_users.yml",
    console_session_key=SecretStr("k" * 32),
    console_resolved_alerts=10,
    console_audit_records=100,
    console_audit_days=31,
)
