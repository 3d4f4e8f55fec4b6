"""A real Prometheus scrapes a running Tidegate: its names are those of the registry, and every query has an answer."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from deploy import metrics_page
from deploy.grafana.pages import PAGES
from deploy.grafana.pieces import MARKS, Choice, Page, Panel
from tests.system.empty_queries import EMPTY
from tests.system.prometheus import PROGRAM, Prometheus
from tests.system.watched import lived

PROMTOOL, AMTOOL = shutil.which("promtool"), shutil.which("amtool")
ROOT = Path(__file__).resolve().parents[2]
ROUTES = [("critical", "on-call"), ("warning", "platform"), ("info", "platform")]
pytestmark = pytest.mark.system
needs_promtool = pytest.mark.skipif(PROMTOOL is None, reason="prometheus is not installed")
needs_amtool = pytest.mark.skipif(AMTOOL is None, reason="prometheus-alertmanager is not installed")


def run(program: str | None, *arguments: str, given: str | None = None) -> str:
    """What a program says; it must end well."""
    done = subprocess.run(
        [str(program), *arguments], input=given, capture_output=True, text=True, cwd=ROOT, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@needs_promtool
def test_the_configuration_and_the_rules_are_valid() -> None:
    run(PROMTOOL, "check", "config", "deploy/prometheus/prometheus.yml")


@needs_promtool
def test_the_rules_do_what_they_should() -> None:
    tests = sorted(str(path) for path in (ROOT / "tests/system/rules").glob("*.yml"))
    run(PROMTOOL, "test", "rules", *tests)


@needs_amtool
def test_alertmanager_takes_its_configuration() -> None:
    run(AMTOOL, "check-config", "deploy/alertmanager/alertmanager.yml")


@needs_amtool
@pytest.mark.parametrize(("severity", "receiver"), ROUTES)
def test_an_alert_goes_to_those_it_is_for(severity: str, receiver: str) -> None:
    config = "--config.file=deploy/alertmanager/alertmanager.yml"
    assert run(AMTOOL, "config", "routes", "test", config, f"severity={severity}").split() == [receiver]


def filled(expr: str) -> str:
    """A query with what Grafana puts into it."""
    return re.sub(r"\$(channel|indicator|subject|scope|name)", ".*", expr.replace("$__rate_interval", "10s"))


def panels() -> Iterator[tuple[Page, Panel]]:
    yield from ((page, panel) for page in PAGES for panel in page.panels())


@pytest.mark.skipif(PROGRAM is None, reason="prometheus is not installed")
@pytest.mark.timeout(300)
async def test_everything_that_is_asked_for_is_told(tmp_path: Path) -> None:
    async with lived(tmp_path) as (system, watch):
        empty = {
            (page.title, panel.title)
            for page, panel in panels()
            if not all([await watch.has_numbers(filled(query.expr)) for query in panel.queries])
        }
        assert empty == set(EMPTY)
        for mark in MARKS:
            assert await watch.has_numbers(mark.expr), mark.name
        for choice in (choice for page in PAGES for choice in page.choices):
            await _lists_something(watch, choice)
        await _compare_with_the_registry(watch)
        await _bounds(watch)
        for name, service in system.services.items():
            if service.port_variable and name not in ("platform", "receiver"):
                await _follow_the_conventions(service.port)


async def _lists_something(watch: Prometheus, choice: Choice) -> None:
    """`label_values(metric, label)` is Grafana's, not Prometheus'."""
    metric, label = choice.query.removeprefix("label_values(").removesuffix(")").split(", ")
    assert await watch.values_of(label, filled(metric)), choice.name


async def _compare_with_the_registry(watch: Prometheus) -> None:
    """Nothing is told that is not in the registry."""
    names = await watch.values_of("__name__", '{__name__=~"tidegate_.+"}')
    told = {name for name in names if not name.endswith("_created")}
    known = {metric.name: metric for metric in metrics_page.registry()}
    parts = {f"{name}_{end}" for name in known for end in ("bucket", "sum", "count")}
    assert told <= known.keys() | parts


async def _bounds(watch: Prometheus) -> None:
    """No label has more values than the registry allows it."""
    for name, label in metrics_page.LABELS.items():
        assert len(await watch.values_of(name, '{__name__=~"tidegate_.+"}')) <= label.most, name


async def _follow_the_conventions(port: int) -> None:
    """As Prometheus' own tool sees them."""
    async with httpx.AsyncClient(trust_env=False) as client:
        text = (await client.get(f"http://127.0.0.1:{port}/metrics")).text
    run(PROMTOOL, "check", "metrics", given=text)
