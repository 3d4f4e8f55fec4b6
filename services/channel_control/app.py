"""channel_control put together: the machine on `channel-commands`, with its companions beside it."""

from collections.abc import Mapping

from prometheus_client import REGISTRY

from schemas.topics import CHANNEL_COMMANDS, STATE_CHANNEL_CONTROL
from services.channel_control.adapter import Adapter
from services.channel_control.enforcing.lookout_io import Lookout
from services.channel_control.enforcing.no_platform import NoPlatform
from services.channel_control.enforcing.platform_io import Platforms
from services.channel_control.enforcing.reachability import Sights
from services.channel_control.enforcing.reconcile import Patience
from services.channel_control.enforcing.reconciler_io import Limits, Reconciler
from services.channel_control.enforcing.watcher_io import Watcher
from services.channel_control.holding.expirer_io import Expirer
from services.channel_control.machine import ControlMachine
from services.channel_control.metrics import ControlCollector
from services.channel_control.ramps.attention import Attention
from services.channel_control.ramps.attention_io import Listener
from services.channel_control.settings import ControlSettings
from services.runtime.faust import faust_io
from services.runtime.machines.companion_io import Companions
from services.runtime.machines.harness_io import Tuning
from services.runtime.machines.machine import Companion, MachineService
from services.runtime.machines.pulse import safe_pause
from services.runtime.machines.report_log_io import ReportLog
from services.runtime.settings import variable


def run(settings: ControlSettings, adapters: Mapping[str, Adapter]) -> None:
    """Serve until SIGTERM or SIGINT."""
    tuning, replayed = Tuning(), settings.clock == "events"
    attention = Attention(settings.partitions, replayed=replayed)
    collector = ControlCollector(confirmed=bool(adapters), awake=attention.is_paid)
    REGISTRY.register(collector)

    def build(partition: int) -> ControlMachine:
        machine = ControlMachine(partition, settings.partitions, stale_acts=replayed)
        return collector.watch(partition, machine)

    expirer = Expirer(ReportLog(settings, CHANNEL_COMMANDS, "channel_control-expiries"), awake=attention.is_paid)
    companions = Companions(*_callers(settings, adapters, tuning), Listener(settings, attention), expirer)
    service = MachineService("channel_control", CHANNEL_COMMANDS, STATE_CHANNEL_CONTROL, build, companions)
    setting = variable("control_port")
    faust_io.run(service, settings, port=settings.control_port, port_setting=setting, tuning=tuning)


def _callers(settings: ControlSettings, adapters: Mapping[str, Adapter], tuning: Tuning) -> tuple[Companion, ...]:
    """The companions that call platforms."""
    if not adapters:
        return (NoPlatform(),)
    limits = Limits(
        parallel=settings.control_parallel,
        retries=max(1, settings.control_parallel // 4),
        session_s=tuning.session_s,
        safe_pause_s=safe_pause(tuning.session_s, tuning.heartbeat_s),
        patience=Patience(cap_s=settings.control_backoff_cap),
    )
    reports = ReportLog(settings, CHANNEL_COMMANDS, "channel_control-reports")
    readings = ReportLog(settings, CHANNEL_COMMANDS, "channel_control-readings")
    outages = ReportLog(settings, CHANNEL_COMMANDS, "channel_control-outages")
    sights = Sights(settings.control_away_after)
    platforms = Platforms(adapters, settings.control_platform_deadline, sights)
    watcher = Watcher(platforms, readings, settings.control_drift_interval, settings.control_drift_rate)
    lookout = Lookout(sights, tuple(adapters), platforms.name_of, outages, settings.partitions)
    return Reconciler(platforms, reports, limits), watcher, lookout
