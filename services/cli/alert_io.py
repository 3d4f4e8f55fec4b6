"""`tidegate alert test`: a marked test alert, rendered and sent as alerting would, and what came back of it."""

import argparse
import os
import secrets
import sys
from datetime import UTC, datetime
from typing import Any, get_args

from schemas.alerts import Language
from schemas.base import Severity
from services.alerting.linking import Linker
from services.alerting.receivers.notice import Notice
from services.alerting.receivers.receiver import Receiver
from services.alerting.receivers.trial import trial
from services.alerting.settings import AlertingSettings
from services.cli.alert_test import changes, line, unknown
from services.cli.settings import CliSettings
from services.runtime.outgoing_io import Outbox
from services.runtime.settings import load


def add_commands(commands: Any) -> None:
    """Adds `alert test`."""
    alert = commands.add_parser("alert", help="try whether alerts arrive")
    verbs = alert.add_subparsers(required=True, metavar="VERB")
    testing = verbs.add_parser(
        "test", help="send a marked test alert, with alerting's own settings, and say what came back"
    )
    testing.add_argument("receiver", metavar="RECEIVER", help="its name in the receivers' file, or `default`")
    testing.add_argument("--severity", choices=get_args(Severity), default="warning")
    testing.add_argument("--lang", choices=get_args(Language), default="both")
    testing.set_defaults(run=_test)


async def _test(arguments: argparse.Namespace, _: CliSettings) -> int:
    """0 taken, 1 not taken, 2 no such receiver."""
    settings = load(AlertingSettings, os.environ)
    receivers = settings.receivers()
    receiver = receivers.get(arguments.receiver)
    if receiver is None:
        for said in unknown(arguments.receiver, list(receivers)):
            print(said, file=sys.stderr)
        return 2
    outbox = Outbox(settings.alerting_webhook_timeout)
    await outbox.open()
    try:
        taken = await _send(outbox, receiver, settings.linker(), arguments.severity, arguments.lang)
    finally:
        await outbox.close()
    return 0 if taken else 1


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
