"""Make an incident in the system that runs here: `python -m deploy.launcher.incident --kind complaints`."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

from deploy.launcher.secrets import Secrets


def main() -> int:
    """Hand over to the traffic generator with the address and token of the running system; 1 when none runs."""
    parser = argparse.ArgumentParser(prog="python -m deploy.launcher.incident")
    parser.add_argument("--kind", default="complaints")
    parser.add_argument("--channel", default="douyin")
    options = parser.parse_args()
    home = Path(os.environ.get("TIDEGATE_LAUNCHER_HOME") or ".tidegate")
    try:
        running = json.loads((home / "run.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        print(f"no system runs on {home}: start one with `make run`", file=sys.stderr)
        return 1
    gateway = running["processes"]["gateway"]["url"]
    env = {
        **os.environ,
        "TIDEGATE_DEMO_GATEWAY_URL": gateway,
        "TIDEGATE_DEMO_TOKEN_FILE": Secrets(home / "secrets").path("demo-token"),
    }
    command = ["-m", "deploy.demo.traffic", "--incident", options.kind, "--channel", options.channel]
    return subprocess.call([sys.executable, *command], env=env)


if __name__ == "__main__":
    sys.exit(main())
