"""`python -m services.channel_control`: keeps the holds on every target, and brings the platforms to what they want."""

import os
from datetime import UTC, datetime

from services.channel_control.app import run
from services.channel_control.enforcing.platform_list import platforms_of
from services.channel_control.settings import ControlSettings
from services.runtime.settings import load, refusing

if __name__ == "__main__":
    settings = load(ControlSettings, os.environ)
    with refusing():
        adapters = platforms_of(settings, os.environ, lambda: datetime.now(UTC))
    run(settings, adapters)
