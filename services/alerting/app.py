"""Alerting put together: the machine on `alerts`, and beside it the deliverer, the timekeeper and the watchdog."""

import logging

from prometheus_client import REGISTRY

from schemas.topics import ALERTS, STATE_ALERTING
from services.alerting.groups.timekeeper_io import Timekeeper
from services.alerting.machine import AlertingMachine, build
from services.alerting.metrics import AlertingCollector
from services.alerting.sending.deliverer_io import Deliverer
from services.alerting.sending.delivery import Patience
from services.alerting.sending.lines_io import Lines
from services.alerting.settings import AlertingSettings
from services.alerting.watching.heartbeat_io import Heartbeat
from services.alerting.watching.receiver_watch_io import ReceiverWatch
from services.alerting.watching.watchdog_io import Watchdog
from services.runtime.faust import faust_io
from services.runtime.health import Health
from services.runtime.machines.companion_io import Companions
from services.runtime.machines.machine import Companion, MachineService
from services.runtime.machines.report_log_io import ReportLog
from services.runtime.settings import variable

log = logging.getLogger(__name__)


def run(settings: AlertingSettings) -> None:
    """Serve until SIGTERM or SIGINT."""
    health, collector = Health(), AlertingCollector()
    REGISTRY.register(collector)
    lines = Lines(
        settings.receivers().values(),
        parallel=settings.alerting_webhook_parallel,
        timeout_s=settings.alerting_webhook_timeout,
        linker=settings.linker(),
    )
    deliverer = Deliverer(
        lines,
        ReportLog(settings, ALERTS, "alerting-reports"),
        patience=Patience(give_up_after_s=settings.alerting_give_up_after.total_seconds()),
        health=health.part("receiver"),
    )

    def machine(partition: int) -> AlertingMachine:
        return collector.watch(partition, build(partition, settings.partitions))

    companions = Companions(beside(settings, deliverer, health), *looking_after(settings, lines))
    service = MachineService("alerting", ALERTS, STATE_ALERTING, machine, companions)
    setting = variable("alerting_port")
    faust_io.run(service, settings, port=settings.alerting_port, port_setting=setting, health=health)


def beside(settings: AlertingSettings, deliverer: Deliverer, health: Health) -> Companion:
    """What works beside the machines. While history is replayed nobody is woken because of how fast it goes."""
    timekeeper = Timekeeper(ReportLog(settings, ALERTS, "alerting-time"))
    if settings.clock == "events":
        return Companions(deliverer, timekeeper)
    alert_log = ReportLog(settings, ALERTS, "alerting-watch")
    return Companions(deliverer, timekeeper, Watchdog(settings, alert_log, health.part("watchdog")))


def looking_after(settings: AlertingSettings, lines: Lines) -> list[Companion]:
    """Who tells of dead receivers, and the outside watchdog that we live."""
    if settings.clock == "events":
        return []
    watch = ReceiverWatch(settings, lines, ReportLog(settings, ALERTS, "alerting-receivers"))
    if settings.alerting_heartbeat_url is None:
        return [watch]
    alert_log = ReportLog(settings, ALERTS, "alerting-heartbeat")
    return [watch, Heartbeat(settings.alerting_heartbeat_url, lines, alert_log)]
