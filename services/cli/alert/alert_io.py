"""`tidegate alert test`: a marked test alert, rendered and sent as alerting would, and what came back of it."""

import argparse
import os
import secrets
import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, get_args

from schemas.alerts import Language
from schemas.base import Severity
from services.alerting.receivers.notice import Notice
from services.alerting.receivers.receiver import Receiver
from services.alerting.receivers.trial import trial
from services.alerting.sending.linking import Linker
from services.alerting.settings import AlertingSettings
from services.cli.alert.alert_test import changes, line, receivers_of, unknown
from services.cli.policy.policy_io import policy_named
from services.cli.settings import CliSettings
from services.policies.changes import RefusedError
from services.policies.reading import PolicyError
from services.runtime.http.outgoing_io import Outbox
from services.runtime.settings import load


def add_commands(commands: Any) -> None:
    """Adds `alert test`."""
    alert = commands.add_parser("alert", help="try whether alerts arrive")
    verbs = alert.add_subparsers(required=True, metavar="VERB")
    testing = verbs.add_parser(
        "test", help="send a marked test alert, with alerting's own settings, and say what came back"
    )
    testing.add_argument("name", metavar="NAME", help="a receiver of the receivers' file, or `default`")
    testing.add_argument(
        "--route", action="store_true", help="NAME is a route of the policy in force: all receivers that it may tell"
    )
    testing.add_argument("--policy", metavar="POLICY", help="with --route: a file, or a version, instead")
    testing.add_argument("--severity", choices=get_args(Severity), default="warning")
    testing.add_argument("--lang", choices=get_args(Language), help="instead of the route's, or both")
    testing.set_defaults(run=_test)


async def _test(arguments: argparse.Namespace, settings: CliSettings) -> int:
    """0 taken, 1 not taken by all, 2 no such receiver or route."""
    alerting = load(AlertingSettings, os.environ)
    receivers = alerting.receivers()
    names: list[str] = [arguments.name]
    language: Language = arguments.lang or "both"
    if arguments.route:
        try:
            policy = await policy_named(arguments.policy, settings)
        except (PolicyError, RefusedError) as error:
            return _refuse([str(error)])
        routes = {route.name: route for route in policy.alerting.routes}
        if (route := routes.get(arguments.name)) is None:
            return _refuse(unknown("route", arguments.name, list(routes)))
        names, language = receivers_of(route), arguments.lang or route.language
    if strangers := [name for name in names if name not in receivers]:
        return _refuse(unknown("receiver", strangers[0], list(receivers)))
    outbox = Outbox(alerting.alerting_webhook_timeout)
    await outbox.open()
    try:
        taken = [
            await _send(outbox, receivers[name], alerting.linker(), arguments.severity, language) for name in names
        ]
    finally:
        await outbox.close()
    return 0 if all(taken) else 1


def _refuse(lines: Iterable[str]) -> int:
    for said in lines:
        print(said, file=sys.stderr)
    return 2


async def _send(
    outbox: Outbox, receiver: Receiver, linker: Linker | None, severity: Severity, language: Language
) -> bool:
    """Whether all was taken; what came back is printed."""
    alert_id = secrets.token_hex(16)
    for change in changes(receiver):
        now = datetime.now(UTC)
        notice = Notice.of(trial(alert_id, receiver.name, now, change, severity=severity, language=language))
        if linker is not None:
            notice = Notice.of(notice.due, linker.links(notice.due, notice.message, now.timestamp()))
        answer = receiver.understand(await outbox.send(receiver.render(notice, now.timestamp())))
        print(line(receiver, change, answer))
        if not answer.delivered:
            return False
    return True
