"""Tokens and keys made on the first start."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path

import yaml

from deploy.launcher.secrets import ROLES, make_secrets
from services.auditing.heads import private_key
from services.console.people import TokenHolder
from services.console.signin.users import parse
from services.gateway.senders import Sender
from services.runtime.http.tokens import read_tokens


def test_they_are_for_their_owner_only_and_outlive_a_restart(tmp_path: Path) -> None:
    folder = tmp_path / "secrets"
    make_secrets(folder)
    first = {path.name: path.read_bytes() for path in folder.iterdir()}
    make_secrets(folder)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == first
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}
    assert folder.stat().st_mode & 0o777 == 0o700


def test_the_gateway_knows_the_demo_token_by_its_hash_only(tmp_path: Path) -> None:
    secrets = make_secrets(tmp_path)
    token = secrets.token("demo")
    owner = read_tokens(secrets.path("gateway-tokens.yaml"), Sender).owner_of(token.encode())
    assert owner is not None
    assert owner.name == "demo"
    assert token not in Path(secrets.path("gateway-tokens.yaml")).read_text(encoding="utf-8")


def test_the_console_knows_all_roles(tmp_path: Path) -> None:
    secrets = make_secrets(tmp_path)
    entries = yaml.safe_load(Path(secrets.path("console-tokens.yaml")).read_text(encoding="utf-8"))
    hashes = {role: hashlib.sha256(secrets.token(role).encode()).hexdigest() for role in ROLES}
    assert {entry["role"]: entry["sha256"] for entry in entries} == hashes


def test_the_holders_of_the_tokens_sign_in_with_them(tmp_path: Path) -> None:
    secrets = make_secrets(tmp_path)
    users = parse(Path(secrets.path("console-users.yaml")).read_bytes(), with_provider=False)
    user = users.by_password("demo-admin", secrets.token("admin"))
    assert user is not None
    assert user.role == "admin"
    assert users.by_password("demo-admin", secrets.token("viewer")) is None


def test_a_folder_of_fewer_roles_gets_the_others_once(tmp_path: Path) -> None:
    make_secrets(tmp_path)
    file = tmp_path / "console-tokens.yaml"
    entries = [entry for entry in yaml.safe_load(file.read_text(encoding="utf-8")) if entry["role"] in ROLES[:2]]
    file.write_text("# mine\n" + yaml.safe_dump(entries), encoding="utf-8")
    for role in ROLES[2:]:
        (tmp_path / f"{role}-token").unlink()
    secrets = make_secrets(tmp_path)
    people = read_tokens(file, TokenHolder)
    owners = [people.owner_of(secrets.token(role).encode()) for role in ROLES]
    assert [owner and owner.role for owner in owners] == list(ROLES)
    file.write_text("# mine\n" + yaml.safe_dump(entries), encoding="utf-8")
    make_secrets(tmp_path)
    assert len(read_tokens(file, TokenHolder)) == 2, "whom someone has taken out stays out"


def test_keys_have_their_form(tmp_path: Path) -> None:
    make_secrets(tmp_path)
    assert len(bytes.fromhex((tmp_path / "pseudonym-key").read_text(encoding="utf-8"))) == 32
    assert len(base64.urlsafe_b64decode((tmp_path / "dead-letter-key").read_text(encoding="utf-8").strip())) == 32
    assert private_key((tmp_path / "audit-key").read_text(encoding="utf-8"))
    for name in ("webhook-secret", "platform-secret"):
        assert (tmp_path / name).read_text(encoding="utf-8").startswith("whsec_")
