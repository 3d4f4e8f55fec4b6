"""What the tests of pages share: a browser without scripts, signed in or not."""

import secrets
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from html.parser import HTMLParser
from typing import Any

import httpx

from services.console.app import build_app
from services.console.jobs.trials_io import Trials
from services.console.people import Role
from services.console.signin.sealing import NONCE_BYTES
from services.console.signin.sessions import seal
from services.runtime.health import Health
from services.runtime.ids import derive
from tests.unit.console.world import SETTINGS, World

COOKIE = "tidegate"
PASSWORD = "correct horse battery"
"""Of all in tests/data/console_users.yml."""
NAMES: dict[Role, str] = {
    "viewer": "an viewer",
    "operator": "li.wei",
    "approver": "an approver",
    "admin": "an admin",
}
"""The same people as the holders of the tokens."""


def cookie_of(name: str, **changed: Any) -> str:
    """Of somebody who signed in just now, without a password that takes its time to check."""
    user = SETTINGS.users().named(name)
    assert user is not None
    session = user.session(derive(name), time.time()).model_copy(update=changed)
    return seal(SETTINGS.session_keys(""), session, secrets.token_bytes(NONCE_BYTES))


@asynccontextmanager
async def browsing(
    world: World,
    role: Role | None = "operator",
    language: str = "en",
    trials: Trials | None = None,
    health: Health | None = None,
) -> AsyncIterator[httpx.AsyncClient]:
    """A client that keeps cookies, signed in with a role."""
    transport = httpx.ASGITransport(build_app(SETTINGS, world.feed, world, health or Health(), world, trials))
    headers = {"Accept-Language": language, "Origin": "http://console"}
    async with httpx.AsyncClient(transport=transport, base_url="http://console", headers=headers) as client:
        if role is not None:
            client.cookies.set(COOKIE, cookie_of(NAMES[role]))
        yield client


class Form(HTMLParser):
    """The hidden fields of the first form of a page with this action."""

    def __init__(self, page: str, action: str) -> None:
        super().__init__()
        self.fields: dict[str, str] = {}
        self._action, self._inside = action, False
        self.feed(page)
        assert self.fields, f"no form gives {action}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._inside = found.get("action") == self._action and not self.fields
        elif tag == "input" and self._inside and found.get("type") == "hidden":
            self.fields[found["name"]] = found["value"]

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._inside = False
