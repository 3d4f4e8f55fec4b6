"""Every command, option, target, setting, metric, endpoint, module and link that the documentation names exists."""

import argparse
import importlib
import importlib.util
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from pydantic import SecretStr
from starlette.routing import BaseRoute, Match

from deploy import metrics_page
from deploy.demo.platform import build_app as build_platform
from deploy.demo.platform_state import PlatformState
from schemas.platform_api import platform_api
from services.cli.__main__ import parser
from services.console.app import build_app as build_console
from services.console.state.feed_io import Feed
from services.gateway.app import build_app as build_gateway
from services.gateway.door.institution import Institution
from services.gateway.settings import GatewaySettings
from services.runtime.health import Health
from services.runtime.http.tokens import Tokens
from services.runtime.settings import CommonSettings, variable
from tests.support.documents import PAGES, ROOT, anchors, commands, links, name_of, paths
from tests.unit.console.samples import NOW
from tests.unit.console.world import SETTINGS, World
from tests.unit.gateway.samples import sender

MAKEFILE: Final = (ROOT / "Makefile").read_text("utf-8")
KEY: Final = SecretStr("k" * 40)
each_page = pytest.mark.parametrize("page", PAGES, ids=name_of)


# -- commands


def misspelt(line: str) -> list[str]:
    """What `tidegate …` does not know of a command line."""
    current, options, wrong = parser(), set[str](), list[str]()
    for word in line.split()[1:]:
        options |= set(current._option_string_actions)
        choices = _choices(current)
        if word.startswith("--"):
            wrong += [] if word.split("=")[0].rstrip(",.)") in options else [word]
        elif choices and re.fullmatch(r"[a-z][a-z-]*", word):
            wrong += [] if word in choices else [word]
            current = choices.get(word, current)
    return wrong


def _choices(current: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    found = [each for each in current._actions if isinstance(each, argparse._SubParsersAction)]
    return dict(found[0].choices) if found else {}


def test_a_misspelt_command_or_option_is_seen() -> None:
    assert misspelt("tidegate audit verify --heads DIR") == []
    assert misspelt("tidegate audit veryfy --head DIR") == ["veryfy", "--head"]
    text = "`tidegate\nledger`\n```console\n$ TIDEGATE_KAFKA=a:1 .venv/bin/tidegate scan a | less\n```\n"
    assert list(commands(text)) == ["tidegate scan a", "tidegate ledger"]


@each_page
def test_commands_exist(page: Path) -> None:
    said = [re.sub(r"^docker compose run --rm cli ", "tidegate ", line) for line in commands(page.read_text("utf-8"))]
    assert {line: wrong for line in said if re.match(r"tidegate [a-z-]", line) and (wrong := misspelt(line))} == {}


@each_page
def test_make_targets_and_their_variables_exist(page: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", MAKEFILE, re.MULTILINE))
    variables = set(re.findall(r"\$\(([A-Z]+)\)", MAKEFILE)) | {"DEMO"}
    words = [
        word for line in commands(page.read_text("utf-8")) if line.startswith("make ") for word in line.split()[1:]
    ]
    assert {word for word in words if re.fullmatch(r"[a-z-]+", word)} <= targets
    assert {found[1] for word in words if (found := re.match(r"([A-Z]+)=", word))} <= variables


@each_page
def test_modules_that_people_run_exist(page: Path) -> None:
    named = set(re.findall(r"python -m ((?:services|deploy|schemas|tests)[\w.]*)", page.read_text("utf-8")))
    assert [name for name in named if importlib.util.find_spec(name) is None] == []


# -- settings and metrics


def settings() -> Iterator[str]:
    """All that can be set, in any process and in Compose's own file."""
    for file in (*ROOT.glob("services/**/*.py"), *ROOT.glob("deploy/**/*.py")):
        if "CommonSettings)" in (text := file.read_text("utf-8")) or file.stem == "settings" or "own_prefix" in text:
            importlib.import_module(".".join(file.relative_to(ROOT).with_suffix("").parts))
    for kind in _kinds(CommonSettings):
        for field, info in kind.model_fields.items():
            yield variable(field)
            if "SecretStr" in str(info.annotation):
                yield f"{variable(field)}_FILE"
    yield from re.findall(r"\$\{(TIDEGATE_[A-Z_]+)", (ROOT / "docker-compose.yml").read_text("utf-8"))


def _kinds(kind: type[CommonSettings]) -> Iterator[type[CommonSettings]]:
    if kind.__module__.startswith(("services.", "deploy.")):
        yield kind
    for child in kind.__subclasses__():
        yield from _kinds(child)


ALL_SETTINGS: Final = frozenset(settings())
METRICS: Final = {told.name: told.type for told in metrics_page.registry()}


@each_page
def test_settings_exist(page: Path) -> None:
    named = set(re.findall(r"\bTIDEGATE_(?=[A-Z…])[A-Z0-9_]*…?[A-Z_]*", page.read_text("utf-8")))
    patterns = {name: re.escape(name).replace("…", "[A-Z0-9_]*") for name in named}
    assert [
        name for name, like in patterns.items() if not any(re.fullmatch(like, known) for known in ALL_SETTINGS)
    ] == []


@each_page
def test_metrics_exist(page: Path) -> None:
    named = set(re.findall(r"\btidegate_[a-z_]+[a-z]", page.read_text("utf-8")))
    series = {
        f"{name}_{of}" for name, kind in METRICS.items() if kind == "histogram" for of in ("bucket", "count", "sum")
    }
    assert named - METRICS.keys() - series == set()


# -- endpoints


@pytest.fixture(scope="module")
def routes() -> list[BaseRoute]:
    """Of console, gateway and a platform."""
    world = World(Feed(SETTINGS, Health(), NOW))
    console = build_console(SETTINGS.model_copy(update={"console_link_key": KEY}), world.feed, world, Health())
    given: dict[str, Any] = {"gateway_tokens_file": Tokens([sender()]), "gateway_door_key": KEY}
    bank = Institution.model_validate({"name": {"en": "Bank", "zh": "银行"}})
    gateway_settings = GatewaySettings.model_construct(**given, gateway_door_institution=bank)
    gateway = build_gateway(gateway_settings, world, Health(), lambda: None)
    return [*console.routes, *gateway.routes, *build_platform(PlatformState()).routes]


def exists(routes: list[BaseRoute], method: str | None, path: str) -> bool:
    """Whether somebody answers there; `…` at the end stands for any path that begins so."""
    if path.endswith("…"):
        return any(exists(routes, "POST", path.removesuffix("…") + word) for word in ("pause", "events"))
    wanted = [method] if method else ["GET", "POST", "PUT"]
    return any(
        route.matches({"type": "http", "method": each, "path": path, "root_path": "", "headers": []})[0] == Match.FULL
        for route in routes
        for each in wanted
    )


def test_an_endpoint_that_is_not_there_is_seen(routes: list[BaseRoute]) -> None:
    assert exists(routes, "POST", "/v1/events")
    assert not exists(routes, "GET", "/v1/events")
    assert not exists(routes, None, "/api/v1/ordres/pause")
    assert "/v1/targets/{target}" in platform_api()["paths"]


@each_page
def test_endpoints_exist(page: Path, routes: list[BaseRoute]) -> None:
    named = set(paths(page.read_text("utf-8")))
    assert [one for one in named if not exists(routes, *one)] == []


# -- links


def test_anchors_are_as_github_makes_them() -> None:
    assert anchors("# With `a` B, c\n## x\n```\n# no\n```\n## [x](y.md)\n") == {"with-a-b-c", "x", "x-1"}


@each_page
def test_links_and_their_anchors_lead_somewhere(page: Path) -> None:
    lost = []
    for target, anchor in links(page.read_text("utf-8")):
        file = page.parent / target if target else page
        if not file.exists() or (anchor and file.suffix == ".md" and anchor not in anchors(file.read_text("utf-8"))):
            lost.append(f"{target}#{anchor}")
    assert lost == []
