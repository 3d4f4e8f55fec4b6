"""`python -m services.gateway`"""

import asyncio
import os
import sys

from schemas.topics import RAW_TOPICS
from services.gateway.app import build_app
from services.gateway.publisher_io import Publisher
from services.gateway.settings import GatewaySettings
from services.runtime import logs
from services.runtime.health import Health
from services.runtime.http_io import listen, serving, stop_on_signals
from services.runtime.kafka_io import TopicMismatchError, TopicRefusedError
from services.runtime.settings import load, variable


async def serve(settings: GatewaySettings) -> None:
    """Serves until SIGTERM or SIGINT. Requests that come before Kafka answers are told to try again."""
    bound = listen(settings.http_host, settings.gateway_port, variable("gateway_port"))
    health = Health()
    publisher = Publisher(settings, RAW_TOPICS, health.part("kafka"), settings.gateway_ack_timeout_s)
    stop = stop_on_signals()
    stopped = asyncio.create_task(stop.wait())
    running = asyncio.create_task(publisher.run())
    async with serving(build_app(settings, publisher, health), bound):
        await asyncio.wait((stopped, running), return_when=asyncio.FIRST_COMPLETED)
    stopped.cancel()
    running.cancel()
    await asyncio.wait((stopped, running))
    if not running.cancelled():
        running.result()


def main() -> int:
    """The exit code: 2 for settings or topics that must be mended first."""
    settings = load(GatewaySettings, os.environ)
    logs.configure("gateway", settings.log_level)
    try:
        asyncio.run(serve(settings))
    except (TopicMismatchError, TopicRefusedError) as error:
        sys.stderr.write(f"the topics are not as they must be:\n{error}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
