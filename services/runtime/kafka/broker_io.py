"""The way to the brokers: how clients prove themselves, waiting until one answers, and the admin client."""

import asyncio
import contextlib
import logging
import ssl
import time
from collections.abc import AsyncIterator
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from services.runtime import metrics
from services.runtime.http.tls import client_context
from services.runtime.settings import CommonSettings

log = logging.getLogger(__name__)

REQUEST_TIMEOUT_MS = 30_000
ANSWER_S = 5.0
"""How long a broker that is knocked at may take before it counts as away."""


def _tls(settings: CommonSettings) -> ssl.SSLContext | None:
    if not settings.kafka_tls:
        return None
    return client_context(settings.kafka_tls_ca_file, settings.kafka_tls_cert_file, settings.kafka_tls_key_file)


def connection(settings: CommonSettings, client: str = "tidegate") -> dict[str, Any]:
    """What every aiokafka client is told: servers, name, and how to prove itself."""
    protocol = "SSL" if settings.kafka_tls else "PLAINTEXT"
    sasl: dict[str, Any] = {}
    if settings.kafka_sasl_mechanism is not None and settings.kafka_sasl_password is not None:
        protocol = "SASL_SSL" if settings.kafka_tls else "SASL_PLAINTEXT"
        sasl = {
            "sasl_mechanism": settings.kafka_sasl_mechanism,
            "sasl_plain_username": settings.kafka_sasl_username,
            "sasl_plain_password": settings.kafka_sasl_password.get_secret_value(),
        }
    return {
        "bootstrap_servers": settings.kafka.split(","),
        "client_id": client,
        "security_protocol": protocol,
        "ssl_context": _tls(settings),
        "request_timeout_ms": REQUEST_TIMEOUT_MS,
        **sasl,
    }


async def wait_for_broker(settings: CommonSettings, say_every_s: float = 10.0) -> None:
    """Returns once a broker answers. Waits without limit, and says so at first and then every `say_every_s`."""
    began = time.monotonic()
    said = -say_every_s
    metrics.BROKER_UP.set(0)
    while True:
        try:
            await _knock(settings)
            # A frozen broker takes connections and answers nothing.
            async with asyncio.timeout(ANSWER_S), admin_client(settings) as admin:
                await admin.describe_cluster()
        except (OSError, TimeoutError, KafkaError) as error:
            waited = time.monotonic() - began
            if waited - said >= say_every_s:
                said = waited
                fields = {
                    "kafka": settings.kafka,
                    "waited_s": round(waited),
                    "reason": str(error) or type(error).__name__,
                }
                log.warning("Kafka does not answer, waiting for it", extra=fields)
            await asyncio.sleep(min(1.0, 0.1 + waited / 10))
        else:
            break
    metrics.BROKER_UP.set(1)
    if said >= 0:
        log.info("Kafka answers", extra={"kafka": settings.kafka, "waited_s": round(time.monotonic() - began)})


async def _knock(settings: CommonSettings) -> None:
    """Opens a plain connection to any of the brokers: aiokafka logs an error for each that it cannot reach."""
    failure: OSError = OSError("no broker is named")
    for address in settings.kafka.split(","):
        host, _, port = address.rpartition(":")
        try:
            _, writer = await asyncio.wait_for(asyncio.open_connection(host.strip("[]"), int(port)), ANSWER_S)
        except OSError as error:
            failure = error
        else:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()
            return
    raise failure


@contextlib.asynccontextmanager
async def admin_client(settings: CommonSettings) -> AsyncIterator[Any]:
    """A started admin client for the length of a `with` block. Raises KafkaConnectionError when no broker answers."""
    admin = AIOKafkaAdminClient(**connection(settings))
    try:
        await admin.start()
        yield admin
    finally:
        await admin.close()
