"""The indicators of one subject put together: a machine for each partition of its frames."""

from typing import Final

from prometheus_client import REGISTRY

from schemas.topics import frames, indicators_state
from services.indicators.machine import IndicatorMachine
from services.indicators.machine import build as build_machine
from services.indicators.metrics import IndicatorCollector
from services.indicators.settings import IndicatorsSettings
from services.runtime.faust import faust_io
from services.runtime.machines.harness_io import Tuning
from services.runtime.machines.machine import MachineService
from services.runtime.settings import variable

FETCH_WAIT_MS: Final = 1_500
"""More than from one mark to the next, so that while nothing else comes each mark is the answer to one fetch."""


def run(settings: IndicatorsSettings, subject: str) -> None:
    """Serve until SIGTERM or SIGINT."""
    collector = IndicatorCollector()
    REGISTRY.register(collector)

    def build(partition: int) -> IndicatorMachine:
        return collector.watch(partition, build_machine(subject, partition, readings=True))

    service = MachineService(f"indicators-{subject}", frames(subject), indicators_state(subject), build)
    faust_io.run(
        service,
        settings,
        port=settings.indicators_port,
        port_setting=variable("indicators_port"),
        tuning=Tuning(fetch_wait_ms=FETCH_WAIT_MS),
    )
