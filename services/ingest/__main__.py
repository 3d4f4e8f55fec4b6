"""`python -m services.ingest`"""

import asyncio
import gc
import os
import sys

from services.ingest.app import Ingest
from services.ingest.settings import IngestSettings
from services.runtime import logs
from services.runtime.health import Health
from services.runtime.http.http_io import health_app, listen, serving, stop_on_signals
from services.runtime.kafka.kafka_io import TopicMismatchError, TopicRefusedError
from services.runtime.settings import load, variable
from services.runtime.tracing import traces_io


async def serve(settings: IngestSettings) -> None:
    """Works until SIGTERM or SIGINT."""
    bound = listen(settings.http_host, settings.ingest_port, variable("ingest_port"))
    stop = stop_on_signals()
    health = Health()
    async with serving(health_app(health), bound):
        await Ingest(settings, health).run(stop)


def main() -> int:
    """The exit code: 2 for settings or topics that must be mended first."""
    settings = load(IngestSettings, os.environ)
    logs.configure("ingest", settings.log_level)
    traces_io.configure("ingest", settings)
    # What is here now stays, and a poll makes thousands of objects that die with it: look less often, at less.
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)
    try:
        asyncio.run(serve(settings))
    except (TopicMismatchError, TopicRefusedError) as error:
        sys.stderr.write(f"the topics are not as they must be:\n{error}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
