"""The dashboards and the rules: current, explained, and about metrics that there are."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy import metrics_page
from deploy.grafana.__main__ import stale
from deploy.grafana.channels import CHANNELS
from deploy.grafana.drawing import drawn
from deploy.grafana.pages import PAGES
from deploy.grafana.pieces import MARKS, Page, Panel

ROOT = Path(__file__).resolve().parents[3]
RULES = [
    rule
    for path in sorted((ROOT / "deploy/prometheus/rules").glob("*.yml"))
    for group in yaml.safe_load(path.read_text("utf-8"))["groups"]
    for rule in group["rules"]
]
ALERTS = [rule for rule in RULES if "alert" in rule]
RECORDED = {rule["record"] for rule in RULES if "record" in rule}
PANELS = [panel for page in PAGES for panel in page.panels()]
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


def unknown(expr: str) -> set[str]:
    """The names of ours in a query that nobody tells."""
    names = set(re.findall(r"\btidegate[a-z0-9_:]*\b", expr)) - {"tidegate_"}
    told = {metric.name for metric in metrics_page.registry()} | RECORDED
    return {name for name in names if name not in told and re.sub("_(bucket|sum|count)$", "", name) not in told}


def anchors(page: Path) -> set[str]:
    """Of its headings, as a forge makes them."""
    found = HEADING.findall(page.read_text("utf-8"))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in found}


def leads_somewhere(see: str) -> bool:
    path, _, anchor = see.partition("#")
    page = ROOT / path
    return page.is_file() and (not anchor or anchor in anchors(page))


def test_the_files_are_current() -> None:
    assert stale() == []


@pytest.mark.parametrize("panel", PANELS, ids=lambda panel: str(panel.title))
def test_every_panel_says_what_it_shows_and_what_to_do(panel: Panel) -> None:
    assert len(panel.says) > 20
    assert panel.says.rstrip("。").rstrip(".") != panel.says
    assert panel.unit
    assert panel.steps[0][0] is None
    assert leads_somewhere(panel.see)
    assert panel.queries


@pytest.mark.parametrize("panel", PANELS, ids=lambda panel: str(panel.title))
def test_queries_ask_for_what_is_told(panel: Panel) -> None:
    assert set().union(*(unknown(query.expr) for query in panel.queries)) == set()


def test_marks_and_lists_ask_for_what_is_told() -> None:
    asked = [mark.expr for mark in MARKS] + [choice.query for page in PAGES for choice in page.choices]
    assert set().union(*map(unknown, asked)) == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.uid))
def test_no_panel_lies_on_another(page: Page) -> None:
    cells: set[tuple[int, int]] = set()
    for panel in json.loads(drawn(page))["panels"]:
        at = panel["gridPos"]
        mine = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert not cells & mine, panel["title"]
        assert max(x for x, _ in mine) < 24
        cells |= mine


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.uid))
def test_every_page_has_the_marks_and_the_source_to_choose(page: Page) -> None:
    made = json.loads(drawn(page))
    assert [each["name"] for each in made["annotations"]["list"]] == [mark.name for mark in MARKS]
    assert {each["name"] for each in made["templating"]["list"]} >= {"datasource", "docs"}
    targets = [target for panel in made["panels"] for target in panel.get("targets", [])]
    assert len(targets) == sum(len(panel.queries) for panel in page.panels())


def test_titles_differ_on_a_page() -> None:
    for page in PAGES:
        titles = [panel.title for panel in page.panels()]
        assert len(titles) == len(set(titles))


def test_what_operations_read_is_in_chinese_too() -> None:
    for panel in CHANNELS.panels():
        assert re.search("[\u4e00-\u9fff]", panel.title)
        assert re.search("[\u4e00-\u9fff]", panel.says)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: str(rule.get("alert") or rule.get("record")))
def test_rules_ask_for_what_is_told(rule: dict[str, Any]) -> None:
    assert unknown(re.sub(r"\{__name__=~[^}]*\}", "", rule["expr"])) == set()


@pytest.mark.parametrize("rule", ALERTS, ids=lambda rule: str(rule["alert"]))
def test_every_alert_has_a_runbook(rule: dict[str, Any]) -> None:
    assert rule["annotations"]["runbook"] == f"docs/runbooks.md#{rule['alert'].lower()}"
    assert leads_somewhere(rule["annotations"]["runbook"])
    assert rule["labels"]["severity"] in ("info", "warning", "critical")


def test_every_alert_is_tested_to_come_and_to_stay_away() -> None:
    """What of both there is, `promtool test rules` holds to be so."""
    tests = yaml.safe_load((ROOT / "tests/system/rules/alerting.yml").read_text("utf-8"))["tests"]
    cases = [case for test in tests for case in test["alert_rule_test"]]
    names = {rule["alert"] for rule in ALERTS}
    assert {case["alertname"] for case in cases if case["exp_alerts"]} == names
    assert {case["alertname"] for case in cases if not case["exp_alerts"]} == names


def test_the_runbooks_are_about_alerts_that_there_are() -> None:
    headings = HEADING.findall((ROOT / "docs/runbooks.md").read_text("utf-8"))
    assert set(headings[1:]) == {rule["alert"] for rule in ALERTS}


def test_one_recorded_name_stands_for_one_thing() -> None:
    recorded = [rule["record"] for rule in RULES if "record" in rule]
    assert len(recorded) == len(set(recorded))
