"""`python -m services.channel_control`: keeps the holds on every target, and brings the platform to what they want."""

import os

from services.channel_control.app import run
from services.channel_control.settings import ControlSettings
from services.runtime.settings import load

if __name__ == "__main__":
    run(load(ControlSettings, os.environ))
