"""channel_control put together: the machine on `channel-commands`, with the reconciler and the expirer beside it."""

from collections.abc import Mapping

from schemas.topics import CHANNEL_COMMANDS, STATE_CHANNEL_CONTROL
from services.channel_control.adapter import Adapter
from services.channel_control.expirer_io import Expirer
from services.channel_control.machine import ControlMachine
from services.channel_control.platform_io import Platforms
from services.channel_control.reconcile import Patience
from services.channel_control.reconciler_io import Limits, NoPlatform, Reconciler
from services.channel_control.settings import ControlSettings
from services.runtime import faust_io
from services.runtime.companion_io import Companions
from services.runtime.harness_io import Tuning
from services.runtime.machine import Companion, MachineService
from services.runtime.pulse import safe_pause
from services.runtime.report_log_io import ReportLog
from services.runtime.settings import variable


def run(settings: ControlSettings, adapters: Mapping[str, Adapter]) -> None:
    """Serve until SIGTERM or SIGINT."""
    tuning = Tuning()

    def build(partition: int) -> ControlMachine:
        return ControlMachine(partition, settings.partitions, stale_acts=settings.clock == "events")

    expirer = Expirer(ReportLog(settings, CHANNEL_COMMANDS, "channel_control-expiries"))
    companions = Companions(_reconciler(settings, adapters, tuning), expirer)
    service = MachineService("channel_control", CHANNEL_COMMANDS, STATE_CHANNEL_CONTROL, build, companions)
    setting = variable("control_port")
    faust_io.run(service, settings, port=settings.control_port, port_setting=setting, tuning=tuning)


def _reconciler(settings: ControlSettings, adapters: Mapping[str, Adapter], tuning: Tuning) -> Companion:
    if not adapters:
        return NoPlatform()
    limits = Limits(
        parallel=settings.control_parallel,
        retries=max(1, settings.control_parallel // 4),
        session_s=tuning.session_s,
        safe_pause_s=safe_pause(tuning.session_s, tuning.heartbeat_s),
        patience=Patience(cap_s=settings.control_backoff_cap),
    )
    platforms = Platforms(adapters, settings.control_platform_deadline)
    return Reconciler(platforms, ReportLog(settings, CHANNEL_COMMANDS, "channel_control-reports"), limits)
