"""All dashboards."""

from typing import Final

from deploy.grafana.business import BUSINESS
from deploy.grafana.channels import CHANNELS
from deploy.grafana.indicators import INDICATORS
from deploy.grafana.pieces import Page
from deploy.grafana.platform import PLATFORM

PAGES: Final[tuple[Page, ...]] = (CHANNELS, INDICATORS, BUSINESS, PLATFORM)
