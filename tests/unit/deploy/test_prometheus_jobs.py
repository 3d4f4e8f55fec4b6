"""Wherever it runs, a process has the same job and subject for rules and dashboards."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

FOLDER = Path(__file__).resolve().parents[3] / "deploy" / "prometheus"


def scraped(name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = yaml.safe_load((FOLDER / name).read_text("utf-8"))["scrape_configs"]
    return found


IN_COMPOSE = {
    group["targets"][0].partition(":")[0]: {"job": job["job_name"], **group.get("labels", {})}
    for job in scraped("prometheus.yml")
    for group in job["static_configs"]
    if job["job_name"] != "prometheus"
}
"""By a service's name the labels that it has there."""


def relabelled(labels: dict[str, str], rules: list[dict[str, Any]]) -> dict[str, str] | None:
    """What Prometheus makes of a target's labels; None where it drops it."""
    for rule in rules:
        value = ";".join(labels.get(name, "") for name in rule["source_labels"])
        match = re.fullmatch(rule.get("regex", "(.*)"), value)
        action = rule.get("action", "replace")
        if (action == "keep" and not match) or (action == "drop" and match):
            return None
        if action == "replace" and match:
            template = re.sub(r"\$(\d)", r"\\\1", rule.get("replacement", "$1"))
            labels = labels | {rule["target_label"]: match.expand(template)}
    return labels


def pod(component: str, **more: str) -> dict[str, str]:
    """The labels of a pod of the chart as Prometheus finds it."""
    meta = {
        "label_app_kubernetes_io_name": "tidegate",
        "label_app_kubernetes_io_component": component,
        "annotation_prometheus_io_scrape": "true",
        "annotation_prometheus_io_port": "8000",
        "phase": "Running",
        "ip": "10.0.0.7",
        "name": f"tidegate-{component}-0",
        **more,
    }
    return {"job": "tidegate"} | {f"__meta_kubernetes_pod_{name}": value for name, value in meta.items()}


RULES = scraped("kubernetes.yml")[0]["relabel_configs"]


@pytest.mark.parametrize("service", [*IN_COMPOSE, "channel-control"])
def test_a_pod_has_the_job_that_its_service_has_elsewhere(service: str) -> None:
    found = relabelled(pod(service), RULES)
    assert found is not None
    elsewhere = IN_COMPOSE[service.replace("channel-", "channel_")]
    assert {name: found[name] for name in ("job", "subject") if name in found} == elsewhere
    assert (found["__address__"], found["instance"]) == ("10.0.0.7:8000", f"tidegate-{service}-0")


def test_other_pods_and_those_that_have_ended_are_left_out() -> None:
    assert relabelled(pod("ingest", label_app_kubernetes_io_name="other"), RULES) is None
    assert relabelled(pod("policy", annotation_prometheus_io_scrape=""), RULES) is None
    assert relabelled(pod("ingest", phase="Succeeded"), RULES) is None


def test_both_go_by_the_same_rules() -> None:
    rules = [yaml.safe_load((FOLDER / name).read_text())["rule_files"] for name in ("prometheus.yml", "kubernetes.yml")]
    assert rules == [["rules/*.yml"]] * 2
