"""The one list of what the launcher runs. Pure.

To add a service, add a line to `services`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from pathlib import Path
from typing import Final

from deploy.launcher.secrets import Secrets
from services.indicators.machine import STORES

AUDIT_HEADS: Final = "audit-heads"
"""The folder for signed heads of the audit."""

ARCHIVE: Final = "archive"
"""The folder for what `tidegate archive` copies, on which people at the console try a policy."""

DEMO_BANK: Final = '{"name": {"en": "Demo Bank", "zh": "演示银行"}}'
"""Whose door for complaints it is, unless people say otherwise."""


class Stage(IntEnum):
    """When a process is started; a stage begins when the one before it is ready."""

    ALONE = 0
    """Needs nobody: at once, beside the broker."""
    SERVICE = 1
    """Needs the broker, the topics and a policy."""
    TRAFFIC = 2
    """Needs all services."""


@dataclass(frozen=True, slots=True)
class Service:
    """One process: `python -m` with `arguments`.

    port_variable: of its HTTP port; None when it has none, and it is then ready once it runs.
    port: where it listens; 0 lets the launcher find a free one, which stays the same over restarts.
    env: what it is told besides the common settings.
    """

    name: str
    arguments: tuple[str, ...]
    port_variable: str | None = None
    port: int = 0
    env: Mapping[str, str] = field(default_factory=dict)
    stage: Stage = Stage.SERVICE


@dataclass(frozen=True, slots=True)
class Ports:
    """Where people and senders find us, and where the stand-ins listen."""

    gateway: int
    console: int
    platform: int
    receiver: int


@dataclass(frozen=True, slots=True)
class StandIns:
    """Which of the outside world is played by us."""

    platform: bool = True
    """The ad platforms that channel_control pauses."""
    receiver: bool = True
    """Whoever is told by alerting."""
    traffic: bool = True
    """The senders of events: calm traffic."""


def services(
    home: Path, ports: Ports, secrets: Secrets, stand_ins: StandIns, *, archived: bool = True
) -> tuple[Service, ...]:
    """Everything that `make run` runs, with what it keeps in `home`. archived: with an archive, which a replay, on its
    own clock, has no use for."""
    archive = (_archive(home, secrets),) if archived else ()
    return _ours(home, ports, secrets, stand_ins, archived) + archive + _stand_ins(home, ports, secrets, stand_ins)


def _ours(home: Path, ports: Ports, secrets: Secrets, stand_ins: StandIns, archived: bool) -> tuple[Service, ...]:
    platform = {
        "TIDEGATE_CONTROL_PLATFORM_URL": _url(ports.platform),
        "TIDEGATE_CONTROL_PLATFORM_SECRET_FILE": secrets.path("platform-secret"),
    }
    webhooks = {
        "TIDEGATE_ALERTING_WEBHOOK_URL": _url(ports.receiver),
        "TIDEGATE_ALERTING_WEBHOOK_SECRET_FILE": secrets.path("webhook-secret"),
    }
    past = {"TIDEGATE_CONSOLE_BACKTEST_TOPICS": "true"}
    if archived:
        past["TIDEGATE_CONSOLE_BACKTEST_ARCHIVE"] = str(home / ARCHIVE)
    links = {
        "TIDEGATE_CONSOLE_URL": _url(ports.console),
        "TIDEGATE_CONSOLE_LINK_KEY_FILE": secrets.path("link-key"),
    }
    return (
        Service(
            "gateway",
            ("services.gateway",),
            "TIDEGATE_GATEWAY_PORT",
            ports.gateway,
            {
                "TIDEGATE_GATEWAY_TOKENS_FILE": secrets.path("gateway-tokens.yaml"),
                "TIDEGATE_GATEWAY_DOOR_KEY_FILE": secrets.path("door-key"),
                "TIDEGATE_GATEWAY_DOOR_INSTITUTION": DEMO_BANK,
            },
        ),
        Service(
            "ingest",
            ("services.ingest",),
            "TIDEGATE_INGEST_PORT",
            env={
                "TIDEGATE_INGEST_PSEUDONYM_KEY_FILE": secrets.path("pseudonym-key"),
                "TIDEGATE_INGEST_DEAD_LETTER_KEY_FILE": secrets.path("dead-letter-key"),
            },
        ),
        *(
            Service(f"indicators-{subject}", ("services.indicators", "--subject", subject), "TIDEGATE_INDICATORS_PORT")
            for subject in STORES
        ),
        Service(
            "channel_control",
            ("services.channel_control",),
            "TIDEGATE_CONTROL_PORT",
            env=platform if stand_ins.platform else {},
        ),
        Service(
            "alerting",
            ("services.alerting",),
            "TIDEGATE_ALERTING_PORT",
            env=(webhooks if stand_ins.receiver else {}) | links,
        ),
        Service(
            "console",
            ("services.console",),
            "TIDEGATE_CONSOLE_PORT",
            ports.console,
            {
                "TIDEGATE_CONSOLE_TOKENS_FILE": secrets.path("console-tokens.yaml"),
                **past,
                "TIDEGATE_CONSOLE_USERS_FILE": secrets.path("console-users.yaml"),
                "TIDEGATE_CONSOLE_SESSION_KEY_FILE": secrets.path("session-key"),
                **links,
            },
        ),
        Service(
            "audit",
            ("services.cli", "audit", "heads", "--follow", "60"),
            env={
                "TIDEGATE_CLI_AUDIT_KEY_FILE": secrets.path("audit-key"),
                "TIDEGATE_CLI_AUDIT_HEADS": str(home / AUDIT_HEADS),
            },
        ),
    )


def _archive(home: Path, secrets: Secrets) -> Service:
    return Service(
        "archive",
        ("services.cli", "archive", "--to", str(home / ARCHIVE), "--follow"),
        env={"TIDEGATE_INGEST_PSEUDONYM_KEY_FILE": secrets.path("pseudonym-key")},
    )


def _stand_ins(home: Path, ports: Ports, secrets: Secrets, stand_ins: StandIns) -> tuple[Service, ...]:
    platform = Service(
        "platform",
        ("deploy.demo.platform", "--state", str(home / "platform.json")),
        "TIDEGATE_DEMO_PLATFORM_PORT",
        ports.platform,
        {"TIDEGATE_DEMO_PLATFORM_SECRET_FILE": secrets.path("platform-secret")},
        Stage.ALONE,
    )
    receiver = Service(
        "receiver",
        ("deploy.demo.receiver",),
        "TIDEGATE_DEMO_RECEIVER_PORT",
        ports.receiver,
        {"TIDEGATE_DEMO_WEBHOOK_SECRET_FILE": secrets.path("webhook-secret")},
        Stage.ALONE,
    )
    traffic = Service(
        "traffic",
        ("deploy.demo.traffic",),
        env={
            "TIDEGATE_DEMO_GATEWAY_URL": _url(ports.gateway),
            "TIDEGATE_DEMO_TOKEN_FILE": secrets.path("demo-token"),
        },
        stage=Stage.TRAFFIC,
    )
    wanted = ((platform, stand_ins.platform), (receiver, stand_ins.receiver), (traffic, stand_ins.traffic))
    return tuple(service for service, is_wanted in wanted if is_wanted)


def environment(given: Mapping[str, str], service: Service, kafka: str) -> dict[str, str]:
    """What a process is told: what people gave, by value or by file, wins over the table, save for address and port."""
    given = {name: value for name, value in given.items() if value}
    defaults = {name: value for name, value in service.env.items() if name.removesuffix("_FILE") not in given}
    port = {service.port_variable: str(service.port)} if service.port_variable is not None else {}
    return {**defaults, **given, **port, "TIDEGATE_KAFKA": kafka}


def _url(port: int) -> str:
    return f"http://127.0.0.1:{port}"
