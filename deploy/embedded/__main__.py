"""One broker in the foreground: `python -m deploy.embedded --port 9092 --data .tidegate/kafka`."""

from __future__ import annotations

import argparse
import signal
import sys
from pathlib import Path
from types import FrameType

from deploy.embedded.broker import Broker, BrokerError
from deploy.embedded.jars import JarError


def main(arguments: list[str] | None = None) -> int:
    """Run until Ctrl-C or SIGTERM (0), or until the broker ends by itself (1)."""
    parser = argparse.ArgumentParser(prog="python -m deploy.embedded", description="Apache Kafka, one node.")
    parser.add_argument("--port", type=int, default=9092, help="of the clients; 0 for any free one")
    parser.add_argument("--data", type=Path, default=Path(".tidegate/kafka"), help="folder that keeps its data")
    options = parser.parse_args(arguments)
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        with Broker(options.data, options.port) as broker:
            print(f"Apache Kafka serves on {broker.bootstrap}, data in {broker.data_dir}", flush=True)
            broker.wait()
            print(f"the broker ended by itself; see {broker.log_file}", file=sys.stderr)
            return 1
    except KeyboardInterrupt:
        return 0
    except (BrokerError, JarError) as error:
        print(error, file=sys.stderr)
        return 1


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
