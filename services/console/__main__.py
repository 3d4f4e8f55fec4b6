"""`python -m services.console`"""

import os
import sys
from datetime import UTC, datetime

from prometheus_client import REGISTRY

from schemas.topics import CHANNEL_COMMANDS
from services.console.app import build_app
from services.console.metrics import ReadingsCollector
from services.console.settings import ConsoleSettings
from services.console.state.business import Business
from services.console.state.feed_io import Feed
from services.console.state_metrics import StateCollector
from services.runtime import logs
from services.runtime.health import Health
from services.runtime.http import api_io
from services.runtime.http.http_io import listen
from services.runtime.kafka.publisher_io import Publisher
from services.runtime.settings import load, variable


async def serve(settings: ConsoleSettings) -> None:
    """Serves until SIGTERM or SIGINT."""
    bound = listen(settings.http_host, settings.console_port, variable("console_port"))
    health = Health()
    feed = Feed(settings, health, datetime.now(UTC))
    collector = ReadingsCollector()
    collector.watch(
        Business(feed.tallies, feed.readings),
        lambda: (feed.policy.document.goals, feed.policy.zone, datetime.now(UTC)),
    )
    REGISTRY.register(collector)
    REGISTRY.register(StateCollector(feed.channels, feed.alerts))
    publisher = Publisher(
        settings,
        [CHANNEL_COMMANDS],
        health.part("kafka"),
        client="tidegate-console",
        ack_timeout_s=settings.console_send_timeout_s,
    )

    def give_up() -> None:
        publisher.give_up()
        feed.end()

    app = build_app(settings, feed, publisher, health)
    await api_io.serve(app, bound, publisher.run(), feed.run(), give_up=give_up, certificate=settings.certificate)


def main() -> int:
    """The exit code: 2 for settings or topics that must be mended first."""
    settings = load(ConsoleSettings, os.environ)
    logs.configure("console", settings.log_level)
    return api_io.run(serve(settings))


if __name__ == "__main__":
    sys.exit(main())
