"""`python -m services.gateway`"""

import os
import sys

from schemas.topics import RAW_TOPICS
from services.gateway.app import build_app
from services.gateway.door.promise_io import PromiseFeed
from services.gateway.settings import GatewaySettings
from services.runtime import logs
from services.runtime.health import Health
from services.runtime.http import api_io
from services.runtime.http.http_io import listen
from services.runtime.kafka.publisher_io import Publisher
from services.runtime.settings import load, variable
from services.runtime.tracing import traces_io


async def serve(settings: GatewaySettings) -> None:
    """Serves until SIGTERM or SIGINT. Requests that come before Kafka answers are told to try again."""
    bound = listen(settings.http_host, settings.gateway_port, variable("gateway_port"))
    health = Health()
    publisher = Publisher(
        settings,
        RAW_TOPICS,
        health.part("kafka"),
        client="tidegate-gateway",
        ack_timeout_s=settings.gateway_ack_timeout_s,
    )
    workers, promised = [publisher.run()], None
    if settings.door_key is not None:
        promises = PromiseFeed(settings, health.part("policy"))
        workers.append(promises.run())
        promised = promises.current
    app = build_app(settings, publisher, health, promised)
    await api_io.serve(app, bound, *workers, give_up=publisher.give_up, certificate=settings.certificate)


def main() -> int:
    """The exit code: 2 for settings or topics that must be mended first."""
    settings = load(GatewaySettings, os.environ)
    logs.configure("gateway", settings.log_level)
    traces_io.configure("gateway", settings)
    return api_io.run(serve(settings))


if __name__ == "__main__":
    sys.exit(main())
