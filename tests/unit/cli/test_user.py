"""`tidegate user hash`: a line for the users' file."""

import io
import sys

import pytest
import yaml

from services.cli.__main__ import parser
from services.cli.settings import CliSettings
from services.console.signin.users import parse


async def run(monkeypatch: pytest.MonkeyPatch, password: str, *arguments: str) -> int:
    """The command, with a password from a pipe."""
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"{password}\n"))
    found = parser().parse_args(["user", "hash", *arguments])
    code: int = await found.run(found, CliSettings())
    return code


async def test_what_it_prints_belongs_into_the_file(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await run(monkeypatch, "correct horse battery", "--name", "李伟: admin?", "--role", "approver") == 0
    said = capsys.readouterr()
    assert "correct horse" not in said.out + said.err
    users = parse(f"users:\n{said.out}".encode(), with_provider=False)
    user = users.by_password("李伟: admin?", "correct horse battery")
    assert user is not None
    assert user.role == "approver"
    assert list(yaml.safe_load(said.out)[0]) == ["name", "role", "password"]


async def test_a_weak_password_gets_no_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await run(monkeypatch, "hunter2", "--name", "li") == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert "12 to 1000" in said.err
    assert "hunter2" not in said.err
