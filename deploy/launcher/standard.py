"""Tidegate as it is run on one machine: the table of services with the topics and the policy before them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from deploy.launcher.processes import Say
from deploy.launcher.system import Options, System
from deploy.launcher.table import Ports, StandIns, services
from deploy.ports import free_port

ROOT = Path(__file__).resolve().parents[2]


def standard_system(
    home: Path,
    env: Mapping[str, str],
    say: Say,
    *,
    stand_ins: StandIns | None = None,
    gateway_port: int = 0,
    console_port: int = 0,
    kafka: str | None = None,
    policy: Path | None = None,
) -> System:
    """A System of all services, not yet started.

    env: the environment of every process. Ports of 0 take free ones. kafka: another cluster instead of the embedded
    broker. stand_ins: by default all of them, and the rest is real.
    """
    ports = Ports(gateway_port or free_port(), console_port or free_port(), free_port(), free_port())
    document = policy or ROOT / "deploy" / "policy.yaml"
    prepare = (("services.cli", "topics", "ensure"), ("services.cli", "policy", "apply", "--if-newer", str(document)))
    options = Options(home, kafka, env, prepare)
    archived = env.get("TIDEGATE_CLOCK") != "events"
    played = stand_ins or StandIns()
    return System(options, lambda secrets: services(home.resolve(), ports, secrets, played, archived=archived), say)
