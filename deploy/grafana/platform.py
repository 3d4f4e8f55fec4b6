"""*Tidegate*: how the system itself fares, for those who run it."""

from typing import Final

from deploy.grafana.pieces import Page
from deploy.grafana.platform_flow import LAG, TRAFFIC, WELL
from deploy.grafana.platform_work import ERRORS, LATENCY, RECOVERY, SATURATION

PLATFORM: Final = Page(
    "tidegate-platform",
    "Tidegate",
    "How the system itself fares: lag, latency, errors, saturation and recovery.",
    (WELL, TRAFFIC, LAG, LATENCY, ERRORS, SATURATION, RECOVERY),
    since="now-3h",
)
