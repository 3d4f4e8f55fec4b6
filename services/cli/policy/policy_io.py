"""`tidegate policy`: check a document, put it in force, look at what was and is, go back."""

import argparse
import asyncio
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from aiokafka.errors import KafkaError

from schemas.policy import Policy
from schemas.policy_topic import PolicyTopic
from services.cli.policy.policy_pages import check_version, history_page, label_of, policy_page
from services.cli.settings import CliSettings
from services.policies.changes import Ask, RefusedError, apply, document, rollback
from services.policies.changing_io import Plan, change, read_topic
from services.policies.deciding import approve, reject, withdraw
from services.policies.differences import differences
from services.policies.reading import PolicyError, read_policy
from services.runtime.kafka.kafka_io import wait_for_broker


def add_commands(commands: Any) -> None:
    """Adds `policy …`."""
    policy = commands.add_parser("policy", help="check, change, compare and look up the policy")
    verbs = policy.add_subparsers(required=True, metavar="VERB")
    checking = verbs.add_parser("check", help="say what is wrong with a document, by line")
    checking.add_argument("file", type=Path)
    checking.set_defaults(run=_check)
    applying = verbs.add_parser("apply", help="put a document in force, or propose it where more would act by itself")
    applying.add_argument("file", type=Path)
    applying.add_argument(
        "--if-newer", action="store_true", help="leave what is in force unless it is an older version of this policy"
    )
    applying.set_defaults(run=_apply)
    for verb, plan, text in (
        ("approve", approve, "agree to a version that another person proposed; the last one puts it in force"),
        ("reject", reject, "say no to a version that another person proposed, with --note"),
        ("withdraw", withdraw, "take back a version that you proposed, with --note"),
        ("rollback", rollback, "put the content of an old version in force, as a new version"),
    ):
        changing = verbs.add_parser(verb, help=text)
        changing.add_argument("version", metavar="VERSION", help="3, or default/3")
        changing.set_defaults(run=_about_a_version, plan=plan)
    for changing in map(verbs.choices.__getitem__, ("apply", "approve", "reject", "withdraw", "rollback")):
        changing.add_argument("--as", dest="name", metavar="NAME", help="who you are (or TIDEGATE_CLI_PERSON)")
        changing.add_argument("--note", help="why, for the audit")
    showing = verbs.add_parser("show", help="a version as a document; the one in force if none is named")
    showing.add_argument("version", metavar="VERSION", nargs="?")
    showing.set_defaults(run=_show)
    comparing = verbs.add_parser("diff", help="what differs in meaning, defaults included")
    comparing.add_argument("a", metavar="A", help="a file or a version")
    comparing.add_argument("b", metavar="B")
    comparing.set_defaults(run=_diff)
    verbs.add_parser("history", help="every version, and who brought it about").set_defaults(run=_history)


async def _check(arguments: argparse.Namespace, _: CliSettings) -> int:
    try:
        print(f"{read_policy(arguments.file).label} is valid")
    except PolicyError as error:
        return _refuse(error)
    return 0


async def _apply(arguments: argparse.Namespace, settings: CliSettings) -> int:
    try:
        policy = read_policy(arguments.file)
    except PolicyError as error:
        return _refuse(error)
    return await _change(arguments, settings, lambda topic, ask: apply(topic, policy, ask, if_newer=arguments.if_newer))


async def _about_a_version(arguments: argparse.Namespace, settings: CliSettings) -> int:
    return await _change(
        arguments, settings, lambda topic, ask: arguments.plan(topic, label_of(topic, arguments.version), ask)
    )


async def _show(arguments: argparse.Namespace, settings: CliSettings) -> int:
    topic = await _read(settings)
    try:
        print(policy_page(topic, label_of(topic, arguments.version)), end="")
    except RefusedError as error:
        return _refuse(error)
    return 0


async def _history(_: argparse.Namespace, settings: CliSettings) -> int:
    print(history_page(await _read(settings), datetime.now(UTC)))
    return 0


async def _diff(arguments: argparse.Namespace, settings: CliSettings) -> int:
    try:
        before, after = [await policy_named(each, settings) for each in (arguments.a, arguments.b)]
    except (PolicyError, RefusedError) as error:
        return _refuse(error)
    print("\n".join(differences(before, after)) or "they mean the same")
    return 0


async def policy_named(name: str | None, settings: CliSettings) -> Policy:
    """What a file or a version says, or for None or `in-force` the one in force. Raises PolicyError, RefusedError.

    A misspelt file is refused at once, where there is no broker too.
    """
    if name is not None:
        if await asyncio.to_thread(Path(name).is_file):
            return read_policy(Path(name))
        check_version(name)
    topic = await _read(settings)
    return document(topic, label_of(topic, name))


async def _read(settings: CliSettings) -> PolicyTopic:
    await wait_for_broker(settings)
    return await read_topic(settings)


async def _change(arguments: argparse.Namespace, settings: CliSettings, plan: Plan) -> int:
    ask = Ask(arguments.name or settings.cli_person, datetime.now(UTC), arguments.note)
    try:
        print((await change(settings, ask, plan)).says)
    except RefusedError as error:
        return _refuse(error)
    except KafkaError as error:
        return _refuse(
            f"Kafka did not answer for it: {error}. Whether it counts, `tidegate policy history` tells; "
            "if it does, have it told to all once more: `tidegate policy approve VERSION`"
        )
    return 0


def _refuse(reason: object) -> int:
    print(reason, file=sys.stderr)
    return 1
