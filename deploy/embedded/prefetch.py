"""Have everything at hand that the broker needs: `python -m deploy.embedded.prefetch` (part of `make setup`)."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

from deploy.embedded.archive import archive, forget_others
from deploy.embedded.broker import Broker, BrokerError
from deploy.embedded.jars import JarError, ensure_locked

_TRAINING_S = 120.0


def train(place: Path) -> None:
    """Start a broker on an empty folder and stop it: at its end Java writes the archive to `place`."""
    half = place.with_suffix(".new")
    with tempfile.TemporaryDirectory() as folder:
        broker = Broker(Path(folder), train_archive=half)
        try:
            broker.start()
            broker.stop(_TRAINING_S)
        finally:
            broker.close()
    half.replace(place)
    forget_others(place)


def main() -> int:
    """1 when a jar could not be had; without the archive all works, more slowly."""
    try:
        place = archive(ensure_locked())
    except JarError as error:
        print(error, file=sys.stderr)
        return 1
    if place.exists() or not os.access(place.parent, os.W_OK):
        return 0
    print("preparing Kafka for quick starts (once, some ten seconds)", flush=True)
    try:
        train(place)
    except (BrokerError, OSError) as error:
        print(f"that failed, so it will start more slowly: {error}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
