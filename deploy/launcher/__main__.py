"""Tidegate on this machine, until Ctrl-C: `python -m deploy.launcher` (`make run`)."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import signal
import sys
import time
from itertools import zip_longest
from pathlib import Path

from deploy.demo.naming import named_policy
from deploy.launcher.secrets import ROLES
from deploy.launcher.settings import LauncherSettings, other_cluster, stand_ins
from deploy.launcher.standard import standard_system
from deploy.launcher.supervisor import StartError
from deploy.launcher.system import System
from services.runtime.settings import load

_PARENT_POLL_S = 0.5


def say(line: str) -> None:
    """One line for people; nobody may be reading any more, which is no reason to stop."""
    with contextlib.suppress(OSError):
        print(f"{time.strftime('%H:%M:%S')}  {line}", flush=True)


def banner(system: System, seconds: float) -> str:
    """Where everything is."""
    gateway, console = system.url("gateway"), system.url("console")
    places = zip_longest([f"console   {console}"], ROLES, fillvalue="")
    lines = [
        "",
        f"Tidegate is ready ({seconds:.0f} s).",
        f"  gateway   {gateway}   token     {system.secrets.token('demo')}",
        f"            for customers with a complaint: {gateway}/complaints",
        *(f"  {where:{len(console) + 10}}   {role:8}  {system.secrets.token(role)}" for where, role in places),
        "            to sign in there: demo-viewer … demo-admin, each with its token as the password",
        f"  Kafka     {system.kafka}",
        f"  logs      {system.home / 'logs'}",
    ]
    if "traffic" in system.services:
        lines += ["", "Calm traffic flows. To make an incident, in another terminal:  make incident"]
    return "\n".join([*lines, "", "Ctrl-C ends everything.", ""])


async def run(system: System, *, with_parent: bool = False) -> int:
    """Start it, say where it is, and wait; 0 after Ctrl-C or SIGTERM, else the code of what went wrong.

    with_parent: end as well when the process that started us does, be it by SIGKILL.
    """
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):  # SIGHUP: the terminal was closed
        loop.add_signal_handler(number, stop.set)
    life = asyncio.create_task(_live(system))
    asked = asyncio.create_task(_orphaned(stop) if with_parent else stop.wait())
    await asyncio.wait({life, asked}, return_when=asyncio.FIRST_COMPLETED)
    try:
        if not life.done():
            say("stopping")
            life.cancel()
        await life
    except asyncio.CancelledError:
        return 0
    except StartError as error:
        print(error, file=sys.stderr, flush=True)
        return error.code
    finally:
        asked.cancel()
        await system.stop()
    return 0


async def _orphaned(stop: asyncio.Event) -> None:
    """Returns when `stop` is set, or when our parent is no longer the one that we had."""
    parent = os.getppid()
    while not stop.is_set() and os.getppid() == parent:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_PARENT_POLL_S):
                await stop.wait()


async def _live(system: System) -> None:
    began = time.monotonic()
    await system.start()
    print(banner(system, time.monotonic() - began), flush=True)
    await system.failed()


def _with_names(home: Path) -> Path:
    """A policy that calls the channels of the calm traffic by their names."""
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    return named_policy(home)


def main() -> int:
    """2 for bad settings, a port or a folder in use; 1 when the system cannot start; 0 at its end."""
    parser = argparse.ArgumentParser(prog="python -m deploy.launcher", description=__doc__)
    parser.add_argument("--with-parent", action="store_true", help="end when the process that started this one does")
    options = parser.parse_args()
    settings, played = load(LauncherSettings, os.environ), stand_ins(os.environ)
    system = standard_system(
        settings.launcher_home,
        os.environ,
        say,
        stand_ins=played,
        gateway_port=settings.gateway_port,
        console_port=settings.console_port,
        kafka=other_cluster(os.environ),
        policy=settings.launcher_policy or (_with_names(settings.launcher_home) if played.traffic else None),
    )
    return asyncio.run(run(system, with_parent=options.with_parent))


if __name__ == "__main__":
    sys.exit(main())
