"""`python -m services.alerting`: merges the facts on `alerts`, keeps `alert-state`, and sends the webhooks."""

import os

from services.alerting.app import run
from services.alerting.settings import AlertingSettings
from services.runtime.settings import load

if __name__ == "__main__":
    run(load(AlertingSettings, os.environ))
