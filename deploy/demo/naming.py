"""The default policy, with a directory of what there is in the demonstration, and waits and limits that suit it."""

from datetime import timedelta
from pathlib import Path

import yaml

from deploy.launcher.standard import ROOT
from schemas.directory import Directory
from schemas.governor import Governor
from schemas.policy import IndicatorPolicy
from services.policies.reading import read_policy

DIRECTORY = Path(__file__).parent / "directory.yaml"
STEPS = [0.6, 0.8, 1.0]
"""Shares of the traffic: finer than the usual ones, since the throttles of the story leave half of it."""
GOVERNOR = Governor(channels_at_once=4, traffic_share_at_once=1.0, traffic_share_per_hour=1.0)
"""Half of the channels at once. Eight channels are too few for shares of the traffic."""
OPENING = ("complaint_rate", "cac_spike")
"""Whose throttles open within seconds: what is held opens by the wall clock, whatever time the story tells."""


def named_policy(home: Path) -> Path:
    """Writes the document into `home`; JSON is YAML as well."""
    directory = Directory.model_validate(yaml.safe_load(DIRECTORY.read_text("utf-8")))
    default = read_policy(ROOT / "deploy" / "policy.yaml")
    indicators = default.indicators | {name: _opening(default.indicators[name]) for name in OPENING}
    policy = default.model_copy(update={"directory": directory, "governor": GOVERNOR, "indicators": indicators})
    file = home / "policy.yaml"
    file.write_text(policy.model_dump_json(), "utf-8")
    return file


def _opening(indicator: IndicatorPolicy) -> IndicatorPolicy:
    soon = {"steps": STEPS, "wait": timedelta(seconds=1), "watch": timedelta(seconds=2)}
    return indicator.model_copy(update={"resume": indicator.resume.model_copy(update=soon)})
