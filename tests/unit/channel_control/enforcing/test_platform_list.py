"""The list of platforms: all that is wrong with it is said at once, and no secret is ever shown."""

import importlib
import inspect
import os
import subprocess
import sys
from base64 import b64encode
from datetime import UTC, datetime
from pathlib import Path

import pytest

from services.channel_control.enforcing.adapters import all_kinds, found_in
from services.channel_control.enforcing.addresses import DEFAULT, Address
from services.channel_control.enforcing.platform_io import Platforms
from services.channel_control.enforcing.platform_list import platforms_of
from services.channel_control.platforms.generic import Generic, GenericOptions
from services.channel_control.platforms.meta_ads import MetaAds
from services.channel_control.settings import ControlSettings
from services.runtime.settings import SettingsError, parse

SECRET = "whsec_" + b64encode(b"k" * 24).decode()


def now() -> datetime:
    return datetime(2026, 1, 1, tzinfo=UTC)


def settings(folder: Path, text: str, **more: str) -> ControlSettings:
    (folder / "platforms.yaml").write_text(text, "utf-8")
    return parse(ControlSettings, {"TIDEGATE_CONTROL_PLATFORMS": str(folder / "platforms.yaml"), **more})


def problems(folder: Path, text: str, environ: dict[str, str], **more: str) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        platforms_of(settings(folder, text, **more), environ, now)
    assert {name for name, _ in caught.value.problems} == {"TIDEGATE_CONTROL_PLATFORMS"}
    return [problem for _, problem in caught.value.problems]


def test_the_generic_kind_is_found_by_walking() -> None:
    assert all_kinds()["generic"] is Generic


def test_a_library_that_is_not_installed_is_named_with_what_installs_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(MetaAds, "library", "no-such-library")
    found = problems(tmp_path, "platforms:\n  a: {kind: meta_ads, token: env:T}", {"T": "t"})
    assert found == ["a: its library no-such-library is not installed: pip install 'tidegate[meta-ads]'"]


def test_two_adapters_of_one_kind_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = Path(inspect.getfile(Generic)).read_text("utf-8")
    (tmp_path / "twice").mkdir()
    for name in ("__init__", "one", "other"):
        (tmp_path / "twice" / f"{name}.py").write_text("" if name == "__init__" else source, "utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ValueError, match=r"^twice\.other: a second adapter is called generic$"):
        found_in(importlib.import_module("twice"))


def test_without_anything_there_is_none() -> None:
    assert platforms_of(parse(ControlSettings, {}), {}, now) == {}


def test_the_address_of_the_settings_is_the_default(tmp_path: Path) -> None:
    text = (
        f"platforms:\n  douyin: {{kind: generic, url: 'https://a', secret: env:S, token: 'file:{tmp_path / 'token'}'}}"
    )
    (tmp_path / "token").write_text("s3cret\n")
    found = platforms_of(settings(tmp_path, text, TIDEGATE_CONTROL_PLATFORM_URL="https://b"), {"S": SECRET}, now)
    assert list(found) == ["douyin", DEFAULT]


def test_all_that_is_wrong_is_said_at_once_and_nothing_is_quoted(tmp_path: Path) -> None:
    text = """
platforms:
  a: {kind: telegraph}
  b: {kind: generic, url: "https://user:hunter2@ads.example"}
  c: {kind: generic, url: https://ads.example, token: hunter2, colour: red}
  d: {kind: generic, url: https://ads.example, token: env:NOWHERE, secret: "file:/no/such/file"}
  e: {kind: generic, url: https://ads.example, secret: env:WEAK}
  f: hunter2
  default: {kind: generic, url: https://ads.example}
"""
    said = problems(tmp_path, text, {"WEAK": "hunter2"}, TIDEGATE_CONTROL_PLATFORM_URL="https://b")
    assert said == [
        f"a: kind must be one of {', '.join(all_kinds())}",
        "b.url: must be an http:// or https:// address without user, query or fragment",
        "c.colour: Extra inputs are not permitted",
        "c.token: must be env:NAME or file:PATH; a secret does not stand in this file itself",
        "d.secret: the file that it names cannot be read: No such file or directory",
        "d.token: the variable NOWHERE is not set",
        "e.secret: must be whsec_ and 24 to 64 bytes in base64",
        "f: must be a mapping with a kind",
        "the platform default is given twice, here and by TIDEGATE_CONTROL_PLATFORM_URL; keep one",
    ]
    assert "hunter2" not in repr(said)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("platforms: {a: [", "the file is not YAML, line 1"),
        ("platform: {}", "the file is a mapping with one key, platforms, which is a mapping by name"),
        ("platforms: {1: {kind: generic, url: 'https://a'}}", "a platform's name is text of 1 to 200 characters"),
    ],
)
def test_a_file_of_something_else_is_refused(tmp_path: Path, text: str, problem: str) -> None:
    assert problems(tmp_path, text, {}) == [problem]


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    given = parse(ControlSettings, {"TIDEGATE_CONTROL_PLATFORMS": str(tmp_path / "none.yaml")})
    with pytest.raises(SettingsError) as caught:
        platforms_of(given, {}, now)
    assert caught.value.problems == (
        ("TIDEGATE_CONTROL_PLATFORMS", "the file cannot be read: No such file or directory"),
    )


@pytest.mark.parametrize(
    ("names", "asked", "served"),
    [
        ([DEFAULT], "ads", DEFAULT),
        ([DEFAULT], DEFAULT, DEFAULT),
        ([DEFAULT, "own"], "ads", None),
        (["own"], DEFAULT, None),
        ([DEFAULT, "ads"], "ads", "ads"),
    ],
)
def test_the_default_serves_all_only_where_it_is_alone(names: list[str], asked: str, served: str | None) -> None:
    adapters = {name: Generic(GenericOptions(url="https://a"), now) for name in names}
    assert Platforms(adapters, 1.0).name_of(Address(asked)) == served


def test_a_bad_list_ends_the_start_with_2_and_all_its_problems(tmp_path: Path) -> None:
    path = tmp_path / "platforms.yaml"
    path.write_text("platforms: {a: {kind: generic, token: hunter2}, b: {kind: telegraph}}", "utf-8")
    clean = {name: value for name, value in os.environ.items() if not name.startswith("TIDEGATE_")}
    done = subprocess.run(
        [sys.executable, "-m", "services.channel_control"],
        env=clean | {"TIDEGATE_CONTROL_PLATFORMS": str(path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert [line.split(":")[1] for line in done.stderr.splitlines()[1:]] == [" a.token", " a.url", " b"]
    assert "hunter2" not in done.stderr


def test_no_secret_shows_in_what_an_adapter_is_made_of(tmp_path: Path) -> None:
    text = "platforms:\n  a: {kind: generic, url: 'https://a', secret: env:S, token: env:T}"
    found = platforms_of(settings(tmp_path, text), {"S": SECRET, "T": "hunter2"}, now)
    shown = repr(vars(found["a"]))
    assert "hunter2" not in shown
    assert SECRET not in shown
