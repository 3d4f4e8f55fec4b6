"""`tidegate drill take-down | outage | leak`: tries on marked targets whether all works, and times each step."""

import argparse
import secrets
import sys
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import httpx
from pydantic import SecretStr

from services.cli.drill import leak_io, outage_io, take_down_io
from services.cli.drill.course import MARK, Course, NotMarkedError, report
from services.cli.drill.leak import leak_of
from services.cli.drill.outage import outage_of
from services.cli.drill.take_down import take_down_of
from services.cli.policy.policy_io import policy_named
from services.cli.settings import CliSettings
from services.policies.changes import RefusedError
from services.runtime.http import http_io

BAD_USAGE: Final = 2
REQUEST_S: Final = 60.0
Kind = Callable[[argparse.Namespace, CliSettings], Awaitable[Course]]


class UnusableError(ValueError):
    """What a drill cannot do without is not set."""


def add_commands(commands: Any) -> None:
    """Adds `drill take-down`, `drill outage` and `drill leak`."""
    kinds = commands.add_parser("drill", help="try on a marked target whether all works as it must").add_subparsers(
        required=True, metavar="KIND"
    )
    _add(
        kinds,
        "take-down",
        _take_down,
        within_s=60,
        brief="publish a text that breaks the rules, and time what follows",
        text="Publishes a text that breaks the rules through the gateway, as the owner of TIDEGATE_CLI_TOKEN, "
        "and times the alert, the order, the platform's confirmation and the message to people.",
    ).add_argument("--gateway", metavar="URL", required=True, help="where events are sent")
    outage = _add(
        kinds,
        "outage",
        _outage,
        within_s=300,
        brief="order a pause while the channel's platform refuses everything, and time what follows",
        text="Plays the platform of the channel, which channel_control must reach there; orders through the console, "
        "as the owner of TIDEGATE_CLI_TOKEN (an operator); and times the alert, the return and the all-clear.",
    )
    outage.add_argument("--console", metavar="URL", required=True, help="where orders are given")
    outage.add_argument(
        "--listen", metavar="HOST:PORT", required=True, help="where the platform is played, as its url in the list says"
    )
    leak = _add(
        kinds,
        "leak",
        _leak,
        within_s=900,
        brief="let a made-up person and a token leak, and time until the token is refused and all is searched",
        text="Sends what a made-up person does with TIDEGATE_CLI_TOKEN, which people then take out as if it had leaked "
        "(TIDEGATE_CLI_NEW_TOKEN takes its place), and searches all that is behind ingest for the person. "
        "Takes ingest's TIDEGATE_INGEST_PSEUDONYM_KEY.",
    )
    leak.add_argument("--gateway", metavar="URL", required=True, help="where events are sent")
    leak.add_argument(
        "--search", metavar="PATH", type=Path, nargs="+", default=[], help="files and folders, such as those of logs"
    )


def _add(kinds: Any, name: str, kind: Kind, *, within_s: float, brief: str, text: str) -> argparse.ArgumentParser:
    """One kind of drill, with what all of them take."""

    async def run(arguments: argparse.Namespace, settings: CliSettings) -> int:
        return await _run(kind, arguments, settings)

    adding: argparse.ArgumentParser = kinds.add_parser(name, help=brief, description=text)
    adding.add_argument("--channel", metavar="NAME", required=True, help=f"for drills only: begins with {MARK}")
    adding.add_argument("--within", metavar="SECONDS", type=float, default=within_s, help=f"for all ({within_s})")
    adding.add_argument("--report", metavar="FILE", type=Path, help="the report, in Markdown, instead of on stdout")
    adding.set_defaults(run=run)
    return adding


async def _run(kind: Kind, arguments: argparse.Namespace, settings: CliSettings) -> int:
    """0 all steps in time, 1 not, 2 nothing that is for drills, or a token or key is missing."""
    began = datetime.now(UTC)
    try:
        course = await kind(arguments, settings)
    except (NotMarkedError, UnusableError) as error:
        print(error, file=sys.stderr)
        return BAD_USAGE
    except (httpx.HTTPError, RefusedError) as error:
        print(f"the drill was not taken: {error}", file=sys.stderr)
        return 1
    text = "\n".join([*report(course, began), ""])
    if arguments.report is None:
        print(text, end="")
    else:
        arguments.report.write_text(text, encoding="utf-8")
    return 1 if course.missing else 0


async def _take_down(arguments: argparse.Namespace, settings: CliSettings) -> Course:
    taking = take_down_of(arguments.channel, secrets.token_hex(6))
    async with _client(arguments.gateway, settings.cli_token, "TIDEGATE_CLI_TOKEN") as gateway:
        return await take_down_io.run(taking, arguments.within, settings, gateway)


async def _outage(arguments: argparse.Namespace, settings: CliSettings) -> Course:
    host, _, port = arguments.listen.rpartition(":")
    if not (host and port.isascii() and port.isdigit()):
        raise UnusableError(f"--listen takes HOST:PORT, not {arguments.listen!r}")
    async with _client(arguments.console, settings.cli_token, "TIDEGATE_CLI_TOKEN") as console:
        outage = outage_of(arguments.channel, (await policy_named(None, settings)).directory)
        bound = http_io.listen(host, int(port), "--listen")
        return await outage_io.run(outage, arguments.within, settings, console, bound)


async def _leak(arguments: argparse.Namespace, settings: CliSettings) -> Course:
    if settings.ingest_pseudonym_key is None:
        raise UnusableError("TIDEGATE_INGEST_PSEUDONYM_KEY, or …_KEY_FILE: is required")
    key = settings.ingest_pseudonym_key.get_secret_value().encode()
    leak = leak_of(arguments.channel, secrets.token_hex(8), secrets.token_hex(8), key)
    async with (
        _client(arguments.gateway, settings.cli_token, "TIDEGATE_CLI_TOKEN") as leaked,
        _client(arguments.gateway, settings.cli_new_token, "TIDEGATE_CLI_NEW_TOKEN") as renewed,
    ):
        return await leak_io.run(leak, arguments.within, settings, leaked, renewed, arguments.search)


def _client(url: str, token: SecretStr | None, variable: str) -> httpx.AsyncClient:
    if token is None:
        raise UnusableError(f"{variable}: is required")
    headers = {"Authorization": f"Bearer {token.get_secret_value()}"}
    return httpx.AsyncClient(base_url=url, timeout=REQUEST_S, headers=headers)
