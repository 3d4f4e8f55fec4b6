"""The real launcher with stand-ins for services: `python -m tests.support.small_launcher HOME [--kafka ADDRESS] …`."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from pathlib import Path

from deploy.launcher.__main__ import run, say
from deploy.launcher.system import Options, System
from deploy.launcher.table import Service

STANDIN = "tests.support.standin"
PORT = "TIDEGATE_STANDIN_PORT"


def row(name: str, *options: str, port: int = 0) -> Service:
    """A stand-in's row of the table."""
    return Service(name, (STANDIN, *options), PORT, port)


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("home", type=Path)
    parser.add_argument("--kafka", help="another cluster; without it the embedded broker is started")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--grandchild", default="")
    parser.add_argument("--stubborn", action="store_true")
    parser.add_argument("--refuse", action="store_true")
    parser.add_argument("--with-parent", action="store_true")
    options = parser.parse_args()
    gateway = ["--grandchild", options.grandchild] if options.grandchild else []
    flags = [f"--{flag}" for flag in ("stubborn", "refuse") if getattr(options, flag)]
    table = (row("gateway", *gateway, port=options.port), row("console", *flags))
    system = System(Options(options.home, options.kafka, os.environ), lambda _: table, say)
    return asyncio.run(run(system, with_parent=options.with_parent))


if __name__ == "__main__":
    sys.exit(main())
