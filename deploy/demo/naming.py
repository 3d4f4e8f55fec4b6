"""The default policy, with a directory of what there is in the demonstration."""

from pathlib import Path

import yaml

from deploy.launcher.standard import ROOT
from schemas.directory import Directory
from services.cli.policy import read_policy

DIRECTORY = Path(__file__).parent / "directory.yaml"


def named_policy(home: Path) -> Path:
    """Writes the document into `home`; JSON is YAML as well."""
    directory = Directory.model_validate(yaml.safe_load(DIRECTORY.read_text("utf-8")))
    policy = read_policy(ROOT / "deploy" / "policy.yaml").model_copy(update={"directory": directory})
    file = home / "policy.yaml"
    file.write_text(policy.model_dump_json(), "utf-8")
    return file
