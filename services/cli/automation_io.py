"""`tidegate automation off | on`: the kill switch, for when the console is not at hand."""

import argparse
import asyncio
import secrets
import sys
from datetime import UTC, datetime
from typing import Any

from schemas import automation
from schemas.commands import Command
from schemas.topics import CHANNEL_COMMANDS, TOPICS
from services.cli.settings import CliSettings
from services.policies.changes import Ask, RefusedError
from services.runtime.kafka.kafka_io import producer, wait_for_broker


def add_commands(commands: Any) -> None:
    """Adds `automation …`."""
    switching = commands.add_parser("automation", help="let all of automation ask instead of act, or act again")
    switching.add_argument("state", choices=("off", "on"))
    switching.add_argument("--as", dest="name", metavar="NAME", help="who you are (or TIDEGATE_CLI_PERSON)")
    switching.add_argument("--reason", required=True, help="why, for the audit")
    switching.set_defaults(run=_switch)


async def _switch(arguments: argparse.Namespace, settings: CliSettings) -> int:
    ask = Ask(arguments.name or settings.cli_person, datetime.now(UTC), arguments.reason.strip())
    try:
        command = switch_of(arguments.state, ask, secrets.token_hex(16))
    except RefusedError as error:
        print(error, file=sys.stderr)
        return 1
    partitions = TOPICS[CHANNEL_COMMANDS].partitions(settings.partitions)
    await wait_for_broker(settings)
    async with producer(settings) as sender:
        topic = settings.prefix + CHANNEL_COMMANDS
        sent = [
            await sender.send(topic, value, key=key, partition=partition)
            for partition, key, value in automation.records(command, partitions)
        ]
        await asyncio.gather(*sent)
    print(f"automation is {arguments.state}, on {partitions} partitions; the audit tells of each under automation:all")
    return 0


def switch_of(state: str, ask: Ask, chance: str) -> Command:
    """The command; raises RefusedError where nobody is named, or no reason. `chance`: 32 hex digits."""
    if not ask.note:
        raise RefusedError("say why: --reason", "请填写原因：--reason")
    return Command(
        command_id=chance,
        command="automation_off" if state == "off" else "automation_on",
        target=automation.TARGET,
        issued_by=ask.by,
        issued_at=ask.at,
        note=ask.note,
    )
