"""The kill switch: a person's order to all of automation, on every partition of `channel-commands`."""

from typing import Final

from schemas.commands import Command

KEY: Final = b"automation"
"""Of the record, whose value is the command."""
TARGET: Final = "automation:all"
"""Its target, and the key of its state on `channel-state`: a hold stands on it while automation is off."""


def records(command: Command, partitions: int) -> list[tuple[int, bytes, bytes]]:
    """What is to be written of it: partition, key and value."""
    value = command.model_dump_json(by_alias=True).encode()
    return [(partition, KEY, value) for partition in range(partitions)]
