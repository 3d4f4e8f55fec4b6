"""Tokens and keys of a system on this machine, made on its first start and kept in a folder only its owner can read."""

from __future__ import annotations

import argparse
import base64
import hashlib
import os
import secrets as random_source
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from services.console.signin.passwords import hash_of

_GATEWAY_TOKENS = """\
# Who may send events, by the SHA-256 of their token.
- name: demo
  sha256: "{demo}"
  channels: "*"
  types: "*"
"""
_CONSOLE_TOKENS = """\
# Who may look (viewer), act (operator), say yes or no (approver), switch automation off (admin), each as well as what
# those before may; by the SHA-256 of their token.
"""
_ENTRY = """\
- name: demo-{role}
  role: {role}
  sha256: "{sha256}"
"""
_CONSOLE_USERS = """\
# Who may sign in on the console's pages: the holders of the tokens, whose token is their password.
users:
{users}"""
_USER = """\
  - name: demo-{role}
    role: {role}
    password: {password}
"""
ROLES: Final = ("viewer", "operator", "approver", "admin")


@dataclass(frozen=True, slots=True)
class Secrets:
    """The files of the folder; each holds one secret, or hashes of tokens."""

    folder: Path

    def path(self, name: str) -> str:
        """A file's place, for a setting that ends in _FILE."""
        return str(self.folder / name)

    def content(self, name: str) -> str:
        """What a file of one secret holds."""
        return (self.folder / name).read_text(encoding="utf-8").strip()

    def token(self, name: str) -> str:
        """A token in the clear, for people at this terminal: `demo`, or a role of the console."""
        return self.content(f"{name}-token")


def make_secrets(folder: Path) -> Secrets:
    """Make what is missing in `folder`; what is there stays, so that pseudonyms and tokens outlive a restart."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    new = [role for role in ROLES if not (folder / f"{role}-token").exists()]
    tokens = {name: _keep(folder / f"{name}-token", f"tg_{random_source.token_urlsafe(24)}") for name in _OWNERS}
    hashes = {name: hashlib.sha256(token.encode()).hexdigest() for name, token in tokens.items()}
    _keep(folder / "gateway-tokens.yaml", _GATEWAY_TOKENS.format(**hashes))
    known = _keep(folder / "console-tokens.yaml", _CONSOLE_TOKENS)
    entries = [_ENTRY.format(role=role, sha256=hashes[role]) for role in new]
    if entries:  # of an earlier release's folder, whose file knows fewer roles, the rest stays as it is
        _write(folder / "console-tokens.yaml", "\n".join([known, *entries]))
    if not (folder / "console-users.yaml").exists():
        users = "".join(_USER.format(role=role, password=hash_of(tokens[role])) for role in ROLES)
        _write(folder / "console-users.yaml", _CONSOLE_USERS.format(users=users))
    _keep(folder / "session-key", random_source.token_hex(32))
    _keep(folder / "grafana-password", random_source.token_urlsafe(24))
    _keep(folder / "pseudonym-key", random_source.token_hex(32))
    _keep(folder / "dead-letter-key", base64.urlsafe_b64encode(random_source.token_bytes(32)).decode())
    _keep(folder / "audit-key", _audit_key())
    for name in ("link-key", "door-key"):
        _keep(folder / name, random_source.token_hex(32))
    for name in ("webhook-secret", "platform-secret"):
        _keep(folder / name, "whsec_" + base64.b64encode(random_source.token_bytes(24)).decode())
    return Secrets(folder)


def _audit_key() -> str:
    pem = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return pem.decode().strip()


_OWNERS: Final = ("demo", *ROLES)


def _keep(path: Path, content: str) -> str:
    """Write `content` unless the file is there already; what it holds then."""
    if path.exists():
        return path.read_text(encoding="utf-8").strip()
    _write(path, content + "\n")
    return content


def _write(path: Path, content: str) -> None:
    half = path.with_suffix(".new")
    with os.fdopen(os.open(half, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        file.write(content)
    half.replace(path)  # whole or not at all


def main() -> int:
    """Make the folder's missing files, for systems that the launcher does not run."""
    parser = argparse.ArgumentParser(prog="python -m deploy.launcher.secrets", description=__doc__)
    parser.add_argument("folder", type=Path, help="where; what is there stays")
    print(f"tokens and keys are in {make_secrets(parser.parse_args().folder).folder}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
