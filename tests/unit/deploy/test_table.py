"""The list of services, and what each is told."""

from __future__ import annotations

from pathlib import Path

from deploy.launcher.secrets import Secrets
from deploy.launcher.settings import other_cluster, stand_ins
from deploy.launcher.table import Ports, Service, Stage, StandIns, environment, services
from services.indicators.machine import STORES

PORTS = Ports(gateway=8080, console=8081, platform=8082, receiver=8083)
SECRETS = Secrets(Path("secrets"))


def table(wanted: StandIns) -> dict[str, Service]:
    return {service.name: service for service in services(Path("home"), PORTS, SECRETS, wanted)}


def test_all_services_run_and_the_stand_ins_that_are_wanted() -> None:
    ours = {"gateway", "ingest", "channel_control", "alerting", "console", "audit", "archive"} | {
        f"indicators-{each}" for each in STORES
    }
    assert set(table(StandIns())) == ours | {"platform", "receiver", "traffic"}
    assert set(table(StandIns(platform=False, receiver=False, traffic=False))) == ours


def test_the_console_tries_policies_on_what_is_archived_and_what_came_after() -> None:
    running = table(StandIns())
    assert running["archive"].arguments[3] == running["console"].env["TIDEGATE_CONSOLE_BACKTEST_ARCHIVE"]
    assert running["console"].env["TIDEGATE_CONSOLE_BACKTEST_TOPICS"] == "true"
    key = "TIDEGATE_INGEST_PSEUDONYM_KEY_FILE"
    assert running["archive"].env[key] == running["ingest"].env[key], "actors are called as in alerts"
    on_its_own_clock = {each.name: each for each in services(Path("home"), PORTS, SECRETS, StandIns(), archived=False)}
    assert "archive" not in on_its_own_clock
    assert "TIDEGATE_CONSOLE_BACKTEST_ARCHIVE" not in on_its_own_clock["console"].env


def test_stand_ins_are_told_to_those_who_call_them() -> None:
    with_them, without = table(StandIns()), table(StandIns(platform=False, receiver=False))
    assert with_them["channel_control"].env["TIDEGATE_CONTROL_PLATFORM_URL"] == "http://127.0.0.1:8082"
    assert with_them["alerting"].env["TIDEGATE_ALERTING_WEBHOOK_URL"].startswith("http://127.0.0.1:8083")
    assert without["channel_control"].env == {}
    assert "TIDEGATE_ALERTING_WEBHOOK_URL" not in without["alerting"].env
    assert with_them["alerting"].env["TIDEGATE_CONSOLE_URL"] == "http://127.0.0.1:8081"


def test_traffic_waits_for_all_and_stand_ins_for_nobody() -> None:
    stages = {name: service.stage for name, service in table(StandIns()).items()}
    assert stages["platform"] == stages["receiver"] == Stage.ALONE
    assert max(stages, key=lambda name: stages[name]) == "traffic"


def test_what_people_give_wins_by_value_or_by_file() -> None:
    service = Service("x", ("m",), env={"TIDEGATE_X_KEY_FILE": "ours", "TIDEGATE_X_TOKENS_FILE": "ours"})
    given = {"TIDEGATE_X_KEY": "theirs", "TIDEGATE_X_TOKENS_FILE": "theirs"}
    assert environment(given, service, "k:1") == {**given, "TIDEGATE_KAFKA": "k:1"}


def test_address_and_port_are_ours() -> None:
    service = Service("x", ("m",), "TIDEGATE_X_PORT", 25000)
    told = environment({"TIDEGATE_KAFKA": "old:1", "TIDEGATE_X_PORT": "1", "EMPTY": ""}, service, "k:1")
    assert told == {"TIDEGATE_KAFKA": "k:1", "TIDEGATE_X_PORT": "25000"}


def test_whom_we_play_follows_from_the_environment() -> None:
    assert stand_ins({}) == StandIns()
    assert stand_ins({"DEMO": "0"}) == StandIns(traffic=False)
    assert stand_ins({"TIDEGATE_CONTROL_PLATFORM_URL": "http://ads"}) == StandIns(platform=False)
    assert stand_ins({"TIDEGATE_ALERTING_WEBHOOK_URL": "http://ops"}) == StandIns(receiver=False)
    assert stand_ins({"TIDEGATE_ALERTING_RECEIVERS": "receivers.yaml"}) == StandIns(receiver=False)


def test_an_empty_address_means_the_embedded_broker() -> None:
    assert other_cluster({}) is None
    assert other_cluster({"TIDEGATE_KAFKA": ""}) is None
    assert other_cluster({"TIDEGATE_KAFKA": "kafka:9092"}) == "kafka:9092"
