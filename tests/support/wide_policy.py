"""The default policy with limits that no test reaches, for tests that trip many channels and mean each of them."""

from datetime import timedelta
from pathlib import Path

from deploy.launcher.standard import ROOT
from schemas.governor import Governor
from schemas.resuming import ResumePolicy
from services.policies.reading import read_policy

WIDE = Governor(
    channels_at_once=10_000,
    channels_per_hour=10_000,
    products_at_once=10_000,
    products_per_hour=10_000,
    traffic_share_at_once=1.0,
    traffic_share_per_hour=1.0,
)
_LATER = ResumePolicy(wait=timedelta(days=1))


def wide_policy(home: Path) -> Path:
    """Writes the document into `home`; JSON is YAML as well. The governor is asked as ever, and grants all; what opens
    by itself begins to when the test is long over."""
    home.mkdir(parents=True, exist_ok=True)
    policy = read_policy(ROOT / "deploy" / "policy.yaml")
    indicators = {name: each.model_copy(update={"resume": _LATER}) for name, each in policy.indicators.items()}
    file = home / "wide_policy.yaml"
    file.write_text(policy.model_copy(update={"governor": WIDE, "indicators": indicators}).model_dump_json(), "utf-8")
    return file
