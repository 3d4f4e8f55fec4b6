"""The default policy, with a directory of what there is in the calm traffic and in the demonstration."""

from datetime import timedelta
from pathlib import Path

import yaml

from deploy.launcher.standard import ROOT
from schemas.directory import Directory
from schemas.governor import Governor
from schemas.policy import IndicatorPolicy, Policy
from services.policies.reading import read_policy

DIRECTORY = Path(__file__).parent / "directory.yaml"
STEPS = [0.6, 0.8, 1.0]
"""Shares of the traffic: finer than the usual ones, since the throttles of the story leave half of it."""
GOVERNOR = Governor(channels_at_once=4, traffic_share_at_once=1.0, traffic_share_per_hour=1.0)
"""Half of the channels at once. Eight channels are too few for shares of the traffic."""
OPENING = ("complaint_rate", "cac_spike")
"""Whose throttles open within seconds: what is held opens by the wall clock, whatever time the story tells."""


def named_policy(home: Path) -> Path:
    """Writes the default with these names into `home`."""
    return _written(home, _named())


def story_policy(home: Path) -> Path:
    """The same with waits and limits that suit the demonstration."""
    named = _named()
    indicators = named.indicators | {name: _opening(named.indicators[name]) for name in OPENING}
    return _written(home, named.model_copy(update={"governor": GOVERNOR, "indicators": indicators}))


def _named() -> Policy:
    directory = Directory.model_validate(yaml.safe_load(DIRECTORY.read_text("utf-8")))
    return read_policy(ROOT / "deploy" / "policy.yaml").model_copy(update={"directory": directory})


def _written(home: Path, policy: Policy) -> Path:
    """JSON is YAML as well."""
    file = home / "policy.yaml"
    file.write_text(policy.model_dump_json(), "utf-8")
    return file


def _opening(indicator: IndicatorPolicy) -> IndicatorPolicy:
    soon = {"steps": STEPS, "wait": timedelta(seconds=1), "watch": timedelta(seconds=2)}
    return indicator.model_copy(update={"resume": indicator.resume.model_copy(update=soon)})
