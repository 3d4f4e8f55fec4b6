"""`tidegate topics`: create what is missing, refuse what differs."""

import argparse
import sys
from typing import Any

from services.cli.settings import CliSettings
from services.runtime.kafka.kafka_io import (
    TopicMismatchError,
    TopicRefusedError,
    check_topics,
    ensure_topics,
    wait_for_broker,
)


def add_commands(commands: Any) -> None:
    """Adds `topics ensure` and `topics check`."""
    topics = commands.add_parser("topics", help="create the topics, or compare them with what they must be")
    verbs = topics.add_subparsers(required=True, metavar="VERB")
    verbs.add_parser("ensure", help="create missing topics; an existing one that differs is an error").set_defaults(
        run=ensure
    )
    verbs.add_parser("check", help="only compare").set_defaults(run=check)


async def ensure(_: argparse.Namespace, settings: CliSettings) -> int:
    """0 when all topics are as they must be now."""
    await wait_for_broker(settings)
    try:
        created = await ensure_topics(settings)
    except (TopicMismatchError, TopicRefusedError) as error:
        return _refuse(error)
    print(f"created {len(created)} topics" if created else "all topics are there")
    return 0


async def check(_: argparse.Namespace, settings: CliSettings) -> int:
    """0 when all topics are as they must be."""
    await wait_for_broker(settings)
    try:
        await check_topics(settings)
    except TopicMismatchError as error:
        return _refuse(error)
    print("all topics are as they must be")
    return 0


def _refuse(error: Exception) -> int:
    print(f"these topics are not as Tidegate needs them:\n{error}", file=sys.stderr)
    return 1
