"""A broker that lets each principal do only what its row in `schemas.access` says, over TLS and SCRAM."""

import secrets
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.protocol.admin import CreateAclsRequest

from deploy.embedded.broker import Broker
from deploy.ports import free_port
from schemas.access import EVERYONE, Access, Right
from services.runtime.kafka.broker_io import connection
from services.runtime.settings import CommonSettings
from tests.support.secured import HOST, pem_files

# As Kafka numbers them.
_RESOURCE: Final = {"topic": 2, "group": 3, "transactionalId": 5}
_OPERATION: Final = {"Read": 3, "Write": 4, "Create": 5, "Describe": 8, "DescribeConfigs": 10}
_LITERAL, _PREFIXED, _ALLOW = 3, 4, 3
_Creation = tuple[int, str, int, str, str, int, int]


class Guarded:
    """The broker's address for those who have to sign in, and what each principal is told."""

    def __init__(self, owner: CommonSettings, port: int, pem: dict[str, Path], passwords: dict[str, str]) -> None:
        self.owner = owner
        self.address = f"{HOST}:{port}"
        self._pem = pem
        self._passwords = passwords

    def settings(self, name: str) -> CommonSettings:
        """Of a principal."""
        return CommonSettings(kafka=self.address, **self._credentials(name))

    def environ(self, name: str) -> dict[str, str]:
        """The same for its process."""
        return {f"TIDEGATE_{field.upper()}": str(value) for field, value in self._credentials(name).items()}

    def password(self, name: str) -> str:
        """In the clear."""
        return self._passwords[name]

    def _credentials(self, name: str) -> dict[str, Any]:
        return {
            "kafka_tls": True,
            "kafka_tls_ca_file": self._pem["cert"],
            "kafka_sasl_mechanism": "SCRAM-SHA-512",
            "kafka_sasl_username": name,
            "kafka_sasl_password": self._passwords[name],
        }


@asynccontextmanager
async def guarded_broker(folder: Path) -> AsyncIterator[Guarded]:
    """Who comes in by the plain door is its owner; all others have a name, and the rights of their row."""
    ports, pem = [free_port() for _ in range(3)], pem_files(folder)
    passwords = {name: secrets.token_urlsafe(16) for name in EVERYONE}
    async with Broker(folder / "kafka", ports[0], _properties(ports, pem), users=passwords):
        owner = CommonSettings(kafka=f"{HOST}:{ports[0]}")
        await grant(owner, EVERYONE.values())
        yield Guarded(owner, ports[1], pem, passwords)


def _properties(ports: list[int], pem: dict[str, Path]) -> dict[str, str]:
    plain, secure, controller = ports
    return {
        "listeners": f"PLAINTEXT://{HOST}:{plain},SECURE://{HOST}:{secure},CONTROLLER://{HOST}:{controller}",
        "advertised.listeners": f"PLAINTEXT://{HOST}:{plain},SECURE://{HOST}:{secure}",
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,SECURE:SASL_SSL,CONTROLLER:PLAINTEXT",
        "controller.quorum.voters": f"1@{HOST}:{controller}",
        "listener.name.secure.sasl.enabled.mechanisms": "SCRAM-SHA-512",
        "listener.name.secure.scram-sha-512.sasl.jaas.config": (
            "org.apache.kafka.common.security.scram.ScramLoginModule required;"
        ),
        "ssl.keystore.type": "PEM",
        "ssl.keystore.location": str(pem["both"]),
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "super.users": "User:ANONYMOUS",
    }


class _Grants(CreateAclsRequest):  # type: ignore[misc]
    """Many rights in one request, where aiokafka's own takes one."""

    def __init__(self, creations: list[_Creation]) -> None:
        self._creations = creations

    def build(self, request_struct_class: Any) -> Any:
        return request_struct_class(self._creations)


async def grant(owner: CommonSettings, rows: Any) -> None:
    """Gives everybody the rights of their rows."""
    admin = AIOKafkaAdminClient(**connection(owner, "owner"))
    await admin.start()
    try:
        response = await admin._send_request(_Grants([each for row in rows for each in _creations(owner.prefix, row)]))
        assert [error for error, _ in response.creation_responses if error] == []
    finally:
        await admin.close()


def _creations(prefix: str, row: Access) -> Iterator[_Creation]:
    for right in row.rights():
        for operation in right.operations:
            yield _creation(prefix, row, right, _OPERATION[operation])


def _creation(prefix: str, row: Access, right: Right, operation: int) -> _Creation:
    pattern = _PREFIXED if right.prefixed else _LITERAL
    return _RESOURCE[right.resource], prefix + right.name, pattern, f"User:{row.name}", "*", operation, _ALLOW
