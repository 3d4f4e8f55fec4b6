"""`tidegate policy`: check a document, publish it."""

import argparse
import sys
from pathlib import Path
from typing import Any

from schemas.policy import Policy, PolicyInForce, PolicyRef
from schemas.topics import ALERTS, CHANNEL_COMMANDS, POLICY, TOPICS
from services.cli.policy import PolicyError, read_policy, stays
from services.cli.settings import CliSettings
from services.runtime.kafka_io import producer, read_compacted, wait_for_broker

ACTIVE_KEY = b"active"
IN_FORCE_KEY = b"policy"


def add_commands(commands: Any) -> None:
    """Adds `policy check` and `policy publish`."""
    policy = commands.add_parser("policy", help="check a policy document, or publish it")
    verbs = policy.add_subparsers(required=True, metavar="VERB")
    for verb, run, text in (
        ("check", check, "say what is wrong with a document"),
        ("publish", publish, "put a document in force"),
    ):
        command = verbs.add_parser(verb, help=text)
        command.add_argument("file", type=Path)
        command.set_defaults(run=run)
        if run is publish:
            text = "leave what is in force unless it is an older version of this policy"
            command.add_argument("--if-newer", action="store_true", help=text)


async def check(arguments: argparse.Namespace, _: CliSettings) -> int:
    """0 when the document is valid."""
    try:
        policy = read_policy(arguments.file)
    except PolicyError as error:
        print(error, file=sys.stderr)
        return 1
    print(f"{policy.label} is valid")
    return 0


async def publish(arguments: argparse.Namespace, settings: CliSettings) -> int:
    """0 when the document is in force, 1 when it is invalid or its version stands for another content already."""
    try:
        policy = read_policy(arguments.file)
    except PolicyError as error:
        print(error, file=sys.stderr)
        return 1
    await wait_for_broker(settings)
    known = await read_compacted(settings, POLICY)
    standing = known.get(ACTIVE_KEY) if arguments.if_newer else None
    if standing is not None and stays(ref := PolicyRef.model_validate_json(standing), policy):
        print(f"{ref.name}/{ref.version} stays in force, {policy.label} is not newer")
        return 0
    key, value = policy.label.encode(), policy.model_dump_json().encode()
    if known.get(key, value) != value:
        print(f"{policy.label} is published already with other content: raise its version", file=sys.stderr)
        return 1
    active = PolicyRef(name=policy.name, version=policy.version).model_dump_json().encode()
    if known.get(key) == value and known.get(ACTIVE_KEY) == active:
        print(f"{policy.label} is in force")
        return 0
    await _write(settings, policy, {key: value, ACTIVE_KEY: active})
    print(f"{policy.label} is in force now")
    return 0


async def _write(settings: CliSettings, policy: Policy, records: dict[bytes, bytes]) -> None:
    """The logs of commands and alerts first: `active` comes last, so that a broken publish is repeated whole."""
    sender = producer(settings)
    await sender.start()
    try:
        in_force = PolicyInForce(policy=policy).model_dump_json().encode()
        for topic in (CHANNEL_COMMANDS, ALERTS):
            for partition in range(TOPICS[topic].partitions(settings.partitions)):
                await sender.send_and_wait(settings.prefix + topic, in_force, key=IN_FORCE_KEY, partition=partition)
        for key, value in records.items():
            await sender.send_and_wait(settings.prefix + POLICY, value, key=key)
    finally:
        await sender.stop()
