"""What the console is told of signing in, and the users' file as it changes."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest

from services.console.app import build_app
from services.console.settings import ConsoleSettings
from services.console.signin.users_io import LOOK_S, UsersNow
from services.runtime.health import Health
from services.runtime.settings import SettingsError, parse
from tests.unit.console.browsing import PASSWORD
from tests.unit.console.world import SETTINGS, World

TOKENS = f"- {{name: li, role: viewer, sha256: {'a' * 64}}}\n"
USERS = (SETTINGS.console_users_file or Path()).read_text()


def told(folder: Path, users: str | None = None, **given: str) -> ConsoleSettings:
    """The settings of these variables, and of these users if any."""
    (folder / "tokens.yml").write_text(TOKENS)
    known: Mapping[str, str] = {"tokens_file": str(folder / "tokens.yml"), **given}
    if users is not None:
        (folder / "users.yml").write_text(users)
        known = {**known, "users_file": str(folder / "users.yml")}
    return parse(ConsoleSettings, {f"TIDEGATE_CONSOLE_{name.upper()}": value for name, value in known.items()})


PROVIDER = {
    "url": "https://tidegate.bank.example",
    "link_key": "l" * 32,
    "oidc_issuer": "https://login.bank.example/",
    "oidc_client_id": "tidegate",
}


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({"session_key": "short"}, "at least 32 characters"),
        ({"session_key": f"{'k' * 32}\nshort"}, "at least 32 characters"),
        ({**PROVIDER, "oidc_client_id": ""}, "CONSOLE_OIDC_CLIENT_ID: is needed"),
        ({**PROVIDER, "url": "", "link_key": ""}, "needs TIDEGATE_CONSOLE_URL too"),
        ({**PROVIDER, "oidc_roles": '{"root": ["a"]}'}, "CONSOLE_OIDC_ROLES"),
        ({"proxies": '["everywhere"]'}, "CONSOLE_PROXIES"),
        ({"users": "users: [{name: li}]"}, r"users\.0\.role: is required"),
        ({**PROVIDER, "users": USERS.replace("    at_provider: null\n", "")}, "what the provider calls"),
    ],
)
def test_what_cannot_work_is_refused_at_the_start(tmp_path: Path, given: dict[str, str], problem: str) -> None:
    with pytest.raises(SettingsError, match=problem):
        told(tmp_path, **given)


def test_without_a_way_to_sign_in_only_tokens_are_let_in(tmp_path: Path) -> None:
    settings = told(tmp_path)
    assert len(settings.users()) == 0
    assert not settings.is_https


def test_a_provider_and_users_go_together(tmp_path: Path) -> None:
    settings = told(tmp_path, USERS, **PROVIDER)
    assert settings.console_oidc_issuer == "https://login.bank.example"
    assert len(settings.users()) == 4
    assert settings.is_https


def test_the_file_is_read_again_and_a_bad_one_never_takes_the_place_of_a_good_one(tmp_path: Path) -> None:
    now = 0.0
    file, settings = tmp_path / "users.yml", told(tmp_path, USERS)
    users = UsersNow(settings, lambda: now)

    def write(text: str) -> None:
        nonlocal now
        file.write_text(text)
        now += LOOK_S
        os.utime(file, (now, now))

    write("users: [")
    assert users().named("li.wei") is not None
    write("users: []")
    assert users().named("li.wei") is None
    write(USERS)
    assert users().named("li.wei") is not None
    file.unlink()
    now += LOOK_S
    assert users().named("li.wei") is not None


@pytest.mark.parametrize("caught", ["", "\n", "# the users of the desk\n", "---\n", "{}"])
def test_a_file_that_is_caught_empty_signs_nobody_out(tmp_path: Path, caught: str) -> None:
    now, file = 0.0, tmp_path / "users.yml"
    users = UsersNow(told(tmp_path, USERS), lambda: now)
    for number, (text, is_known) in enumerate([(caught, True), ("users: []", False), (caught, False), (USERS, True)]):
        file.write_text(text)
        os.utime(file, (number + 1, number + 1))
        now += LOOK_S
        assert (users().named("li.wei") is not None) == is_known


def test_a_file_that_is_empty_at_the_start_is_one_without_users(tmp_path: Path) -> None:
    now, settings = 0.0, told(tmp_path, "")
    users = UsersNow(settings, lambda: now)
    assert len(users()) == 0
    (tmp_path / "users.yml").write_text(USERS)
    now += LOOK_S
    assert users().named("li.wei") is not None


async def test_behind_tls_the_cookie_is_of_this_host_only_and_outlives_a_restart(world: World, tmp_path: Path) -> None:
    known: dict[str, Any] = {"console_url": "https://tidegate.bank.example", "console_link_key": None}
    settings = SETTINGS.model_copy(update=known)
    for topic in ("channel-state", "alert-state", "audit", "policy"):
        await world.read(topic)
    for number in range(2):  # two consoles, or one that was started again
        app = build_app(settings, world.feed, world, Health())
        place = {"base_url": "https://tidegate.bank.example", "headers": {"Origin": "https://tidegate.bank.example"}}
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), **place) as browser:  # type: ignore[arg-type]
            if number == 0:
                answer = await browser.post("/signin", data={"name": "li.wei", "password": PASSWORD})
                header = answer.headers["set-cookie"]
                cookies = dict(answer.cookies)
            else:
                browser.cookies.update(cookies)
                assert (await browser.get("/account")).status_code == 200
    assert header.startswith("__Host-tidegate=")
    assert "Secure" in header
    assert "Path=/" in header
    assert "Domain" not in header
