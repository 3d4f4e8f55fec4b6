"""`python -m services.indicators --subject channel`: judges the frames of one subject."""

import argparse
import os

from services.indicators.app import run
from services.indicators.machine import STORES
from services.indicators.settings import IndicatorsSettings
from services.runtime.settings import load


def main() -> None:
    """Reads the arguments and settings; what is wrong with either is named, and the process ends with 2."""
    parser = argparse.ArgumentParser(prog="python -m services.indicators", description="Judges one subject's frames.")
    parser.add_argument("--subject", required=True, choices=sorted(STORES), help="what the indicators are about")
    subject = parser.parse_args().subject
    run(load(IndicatorsSettings, os.environ), subject)


if __name__ == "__main__":
    main()
