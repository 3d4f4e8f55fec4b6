"""`tidegate …`: topics, policy, replay, ledger, archive, dead letters, scans, proofs, audit, backtests, drills.

Exit codes: 0 done, 1 not as it should be, 2 bad usage or settings, 130 stopped by Ctrl-C or SIGTERM.
"""

import argparse
import asyncio
import os
import signal
import sys
from collections.abc import Callable, Coroutine
from importlib.metadata import version
from typing import Any

from services.cli import automation_io, topics_io, user_io
from services.cli.alert import alert_io
from services.cli.archive import archive_io
from services.cli.audit import audit_io
from services.cli.backtest import backtest_io
from services.cli.drill import drill_io
from services.cli.incident import incident_io
from services.cli.ledger import ledger_io
from services.cli.letters import letters_io
from services.cli.policy import policy_io
from services.cli.proof import explain_io, verify_io
from services.cli.replay import replay_io
from services.cli.scan import scan_io
from services.cli.settings import CliSettings
from services.runtime import logs
from services.runtime.settings import load

_MODULES = (
    topics_io,
    policy_io,
    automation_io,
    replay_io,
    ledger_io,
    letters_io,
    archive_io,
    scan_io,
    verify_io,
    explain_io,
    audit_io,
    alert_io,
    incident_io,
    backtest_io,
    user_io,
    drill_io,
)
Run = Callable[[argparse.Namespace, CliSettings], Coroutine[Any, Any, int]]


def parser() -> argparse.ArgumentParser:
    """The whole command line."""
    top = argparse.ArgumentParser(
        prog="tidegate",
        description="Real-time risk alerts and channel throttling. Settings come from TIDEGATE_… variables.",
    )
    top.add_argument("--version", action="version", version=version("tidegate"))
    commands = top.add_subparsers(required=True, metavar="COMMAND")
    for module in _MODULES:
        module.add_commands(commands)
    return top


def main() -> int:
    """Runs one command."""
    arguments = parser().parse_args()
    settings = load(CliSettings, os.environ)
    logs.configure("cli", settings.log_level)
    # The first process of a container is not ended by a signal that it does not handle, and a shell's job in the
    # background begins with Ctrl-C ignored, by which SIGTERM goes here.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    try:
        run: Run = arguments.run
        return asyncio.run(run(arguments, settings))
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
