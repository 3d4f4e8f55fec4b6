"""What the launcher is told by the environment."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar, Final

from deploy.launcher.table import StandIns
from services.runtime.settings import CommonSettings, Port


class LauncherSettings(CommonSettings):
    """The common settings, so that a bad one is named before anything starts, and the launcher's own."""

    own_prefix: ClassVar[str] = "launcher_"

    launcher_home: Path = Path(".tidegate")
    """Keeps the broker's data, logs, tokens and run.json."""
    launcher_policy: Path = Path("deploy/policy.yaml")
    """The policy that is put in force at the start."""
    gateway_port: Port = 8080
    console_port: Port = 8081


_RECEIVERS: Final = (
    "TIDEGATE_ALERTING_RECEIVERS",
    "TIDEGATE_ALERTING_WEBHOOK_URL",
    "TIDEGATE_ALERTING_WEBHOOK_URL_FILE",
)
"""Each of these says where alerts go."""


def stand_ins(environ: Mapping[str, str]) -> StandIns:
    """Whom we play: calm traffic unless DEMO says no, and the outside that no address was given for."""
    return StandIns(
        platform=not environ.get("TIDEGATE_CONTROL_PLATFORM_URL"),
        receiver=not any(map(environ.get, _RECEIVERS)),
        traffic=environ.get("DEMO", "1").lower() not in ("0", "no", "off", "false"),
    )


def other_cluster(environ: Mapping[str, str]) -> str | None:
    """The cluster to use instead of the embedded broker, if one is named."""
    return environ.get("TIDEGATE_KAFKA") or None
