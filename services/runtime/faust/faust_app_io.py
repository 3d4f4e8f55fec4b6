"""Stock Faust, made to keep the order that durability needs. Every override says what would go wrong without it.

Here the app itself; its consumer is in `faust_consumer_io`, what it does after a rebalance in `faust_recovery_io`.
Read them together with Faust 0.15.3's `transport/consumer.py`, `transport/drivers/aiokafka.py`, `tables/recovery.py`
and `app/base.py`; the version is pinned, for what is overridden here is not Faust's public interface.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Any

import faust
from faust.app.base import BootStrategy

from services.runtime.machines.harness_io import Harness
from services.runtime.machines.pulse import Pulse
from services.runtime.settings import CommonSettings

FAUST_LOG = logging.getLogger("faust.app")
"""Faust's own chatter stays under its name, also where it comes from our subclasses."""


class HarnessApp(faust.App):
    """A Faust app that is a consumer with one agent, and nothing else."""

    logger = FAUST_LOG
    harness: Harness
    kafka_settings: CommonSettings
    pulse: Pulse

    def on_init_dependencies(self) -> Iterable[Any]:
        """Without Faust's monitor, which would keep statistics of every message."""
        return self.boot_strategy.server()

    def _create_directories(self) -> None:
        """Without a data directory: there are no tables."""

    def on_rebalance_return(self) -> None:
        """Only the monitor would hear of it."""

    def on_rebalance_end(self) -> None:
        """Without a warning that there is no monitor."""
        self.rebalancing = False


class Boot(BootStrategy):
    """Which parts of Faust are started: no web server, no producer (outputs go through ours), no leader, no replies."""

    enable_web = False
    enable_kafka_producer = False
    enable_sensors = False

    def kafka_consumer(self) -> Iterable[Any]:
        """Only the consumer."""
        return [self.app.consumer]
