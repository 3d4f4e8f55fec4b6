"""What docker-compose.yml says, held against what the services, the broker and the launcher are."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy.embedded.config import server_properties
from deploy.launcher.secrets import make_secrets
from deploy.launcher.table import Ports, StandIns, services
from services.alerting.settings import AlertingSettings
from services.channel_control.settings import ControlSettings
from services.cli.settings import CliSettings
from services.console.settings import ConsoleSettings
from services.gateway.settings import GatewaySettings
from services.indicators.settings import IndicatorsSettings
from services.ingest.settings import IngestSettings
from services.runtime.settings import CommonSettings, parse
from tests.support.compose import FILE, ROOT, Container, containers, known_to_no_provider, variables

ALL = containers()
OURS = {name: each for name, each in ALL.items() if each.is_ours}
LASTING = {name: each for name, each in OURS.items() if not each.runs_once}
DOORLESS = ("audit", "archive")
ONCE = {name: each for name, each in OURS.items() if each.runs_once}
SETTINGS: dict[str, type[CommonSettings]] = {
    "services.gateway": GatewaySettings,
    "services.ingest": IngestSettings,
    "services.indicators": IndicatorsSettings,
    "services.channel_control": ControlSettings,
    "services.alerting": AlertingSettings,
    "services.console": ConsoleSettings,
    "services.cli": CliSettings,
}


def document() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(FILE.read_text("utf-8"))
    return loaded


def module(container: Container) -> str:
    return "services.cli" if container.command[0] == "tidegate" else container.command[2]


def test_it_runs_what_the_launcher_runs(tmp_path: Path) -> None:
    table = services(tmp_path, Ports(1, 2, 3, 4), make_secrets(tmp_path), StandIns(False, False, False))
    launched = {each.name: list(each.arguments) for each in table if each.name not in DOORLESS}
    found = {name: each.command[2:] for name, each in LASTING.items() if name not in DOORLESS}
    assert found == launched
    assert LASTING["audit"].command[:-1] == ["tidegate", "audit", "heads", "--follow"]
    (archive,) = (each for each in table if each.name == "archive")
    assert LASTING["archive"].command[1:] == [
        each.replace(str(tmp_path), "/var/lib/tidegate") for each in archive.arguments[1:]
    ]


def test_the_console_reads_what_the_archive_writes() -> None:
    (writes,), (reads,) = LASTING["archive"].spec["volumes"], LASTING["console"].spec["volumes"]
    assert reads == f"{writes}:ro"
    folder = LASTING["console"].environment["TIDEGATE_CONSOLE_BACKTEST_ARCHIVE"]
    assert writes == f"archive:{folder}"
    assert folder in LASTING["archive"].command


@pytest.mark.parametrize("name", [name for name in OURS if name != "secrets"])
def test_a_service_takes_its_environment(name: str, tmp_path: Path) -> None:
    """With nothing in .env, and with all that .env.example offers."""
    known_to_no_provider(make_secrets(tmp_path).folder)
    offered = dict(re.findall(r"^#?(TIDEGATE_[A-Z_]+)=(.+)$", (ROOT / ".env.example").read_text("utf-8"), re.M))
    for given in ({}, offered):
        container = containers(given)[name]
        environ = {name: value.replace("/run/secrets", str(tmp_path)) for name, value in container.environment.items()}
        settings = parse(SETTINGS[module(container)], environ)
        assert settings.kafka == "kafka:9092"
        assert settings.http_host == "0.0.0.0"  # noqa: S104


def test_a_secret_is_one_that_we_make_and_goes_only_to_who_names_it(tmp_path: Path) -> None:
    made = {path.name for path in make_secrets(tmp_path).folder.iterdir()}
    declared = document()["secrets"]
    used: set[str] = set()
    for name, container in ALL.items():
        named = {value.rpartition("/")[2] for value in container.environment.values() if "/run/secrets/" in value}
        assert named == {*container.spec.get("secrets", ())}, name
        used |= named
    assert used == {*declared} <= made
    assert all(each["file"] == f"${{TIDEGATE_SECRETS:-./secrets}}/{name}" for name, each in declared.items())


@pytest.mark.parametrize("name", ALL)
def test_a_container_can_do_little(name: str) -> None:
    spec = ALL[name].spec
    assert spec["read_only"] is True
    assert spec["cap_drop"] == ["ALL"]
    assert spec["security_opt"] == ["no-new-privileges:true"]
    assert not {"privileged", "pid", "ipc", "devices", "cap_add"} & {*spec}
    if ALL[name].is_ours:
        assert spec["user"] == "10001:10001"
    if not ALL[name].runs_once:
        assert {"cpus", "memory", "pids"} == {*spec["deploy"]["resources"]["limits"]}
        assert spec["restart"] == "unless-stopped"


@pytest.mark.parametrize("name", ALL)
def test_an_image_has_a_tag_that_stays(name: str) -> None:
    assert re.fullmatch(r"[a-z/-]+:v?\d+\.\d+\.\d+", ALL[name].spec["image"])


def test_services_start_after_the_topics_and_the_policy() -> None:
    assert ALL["topics"].spec["depends_on"] == {"kafka": {"condition": "service_healthy"}}
    assert ALL["policy"].spec["depends_on"] == {"topics": {"condition": "service_completed_successfully"}}
    for container in LASTING.values():
        assert container.spec["depends_on"] == {"policy": {"condition": "service_completed_successfully"}}


@pytest.mark.parametrize("name", LASTING)
def test_a_service_says_whether_it_is_ready(name: str) -> None:
    """But for those without a port; and it may take its time to write a last snapshot."""
    probe = LASTING[name].probe
    assert probe == (None if name in DOORLESS else ["python", "-m", "services.runtime.http.probe_io"])
    ports = [each for each in LASTING[name].environment if each.endswith("_PORT")]
    assert len(ports) == (0 if name in DOORLESS else 1)
    assert LASTING[name].seconds("stop_grace_period") > 8


def test_the_broker_is_as_the_embedded_one() -> None:
    lock = (ROOT / "deploy/embedded/kafka.lock").read_text("utf-8")
    version = re.search(r"^org\.apache\.kafka:kafka_2\.13:(\S+)", lock, re.M)
    assert version is not None
    assert ALL["kafka"].spec["image"] == f"apache/kafka:{version[1]}"
    lines = server_properties(Path("data"), 1, 2, {}).splitlines()
    embedded = dict(line.split("=", 1) for line in lines)
    environment = ALL["kafka"].environment
    said = {name.removeprefix("KAFKA_").lower().replace("_", "."): value for name, value in environment.items()}
    shared = {name: value for name, value in said.items() if name in embedded}
    places = {"listeners", "advertised.listeners", "controller.quorum.voters", "log.dirs"}
    assert {name: value for name, value in shared.items() if name not in places} == {
        name: embedded[name] for name in shared if name not in places
    }
    assert {"message.max.bytes", "auto.create.topics.enable", "process.roles"} <= {*shared}
    assert {*said} - {*embedded} == {"cluster.id", "heap.opts"}


def test_only_the_gateway_and_the_console_are_published_and_to_this_machine_only() -> None:
    published = {name: each.spec["ports"] for name, each in ALL.items() if "ports" in each.spec}
    assert {name: ports for name, ports in published.items() if ALL[name].is_ours} == {
        "gateway": ["127.0.0.1:8080:8080"],
        "console": ["127.0.0.1:8081:8081"],
    }
    assert all(port.startswith("127.0.0.1:") for ports in published.values() for port in ports)
    assert document()["networks"]["inside"] == {"internal": True}
    assert ALL["kafka"].spec["networks"] == ["inside"]


def test_the_example_explains_every_variable() -> None:
    text = (ROOT / ".env.example").read_text("utf-8")
    offered = {*re.findall(r"^#?([A-Z_]+)=", text, re.M)}
    assert offered - {"COMPOSE_PROFILES"} == {name for name, _ in variables(FILE.read_text("utf-8"))}
    defaults = dict(variables(FILE.read_text("utf-8")))
    profiles = {profile for each in ALL.values() for profile in each.spec.get("profiles", ())}
    assert {*re.findall(r"^COMPOSE_PROFILES=(.*)$", text, re.M)} <= profiles
    for name, value in re.findall(r"^#([A-Z_]+)=(.+)$", text, re.M):
        assert defaults[name] in (value, "") or "example" in value, name


def test_prometheus_scrapes_every_service_and_finds_what_it_is_given() -> None:
    config = yaml.safe_load((ROOT / "deploy/prometheus/prometheus.yml").read_text("utf-8"))
    scraped = {
        target for job in config["scrape_configs"] for each in job["static_configs"] for target in each["targets"]
    }
    ports = {
        f"{name}:{value}"
        for name, each in LASTING.items()
        for variable, value in each.environment.items()
        if variable.endswith("_PORT")
    }
    assert scraped == ports | {"localhost:9090"}
    mounted = [volume.partition(":")[0] for each in ALL.values() for volume in each.spec.get("volumes", ())]
    ours = [path for path in mounted if path.startswith("./deploy")]
    assert len(ours) == 5
    assert all((ROOT / path).exists() for path in ours)
