"""`tidegate user hash`: a person's line for the console's users' file, from a password that nobody sees."""

import argparse
import getpass
import json
import sys
from typing import Any, Final, get_args

from services.cli.settings import CliSettings
from services.console.people import Role
from services.console.signin.passwords import hash_of, weakness

BAD_USAGE: Final = 2


def add_commands(commands: Any) -> None:
    """Adds `user hash`."""
    user = commands.add_parser("user", help="the console's local users").add_subparsers(required=True, metavar="WHAT")
    making = user.add_parser("hash", help="ask for a password and print what the users' file keeps of it")
    making.add_argument("--name", required=True, help="the name to sign in with, which orders and the audit will show")
    making.add_argument("--role", choices=get_args(Role), default="viewer")
    making.set_defaults(run=_hash)


async def _hash(arguments: argparse.Namespace, _: CliSettings) -> int:
    password = _password()
    problem = "the two are not the same" if password is None else weakness(password, arguments.name)
    if password is None or problem is not None:
        print(problem, file=sys.stderr)
        return BAD_USAGE
    print(f"  - name: {json.dumps(arguments.name, ensure_ascii=False)}\n    role: {arguments.role}")
    print(f"    password: {hash_of(password)}")
    return 0


def _password() -> str | None:
    """Asked for twice on a terminal, without showing it; from a pipe its first line. None: the two differ."""
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    first = getpass.getpass("Password: ")
    return first if getpass.getpass("Once more: ") == first else None
