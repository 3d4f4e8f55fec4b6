"""Reading a policy document: YAML, then the closed model, then each rule's own thresholds."""

from pathlib import Path

import yaml
from pydantic import ValidationError

from schemas.policy import Policy, PolicyRef
from services.indicators.registry import problems_of


class PolicyError(ValueError):
    """All that is wrong with a document, one problem a line, each with its place."""


def read_policy(path: Path) -> Policy:
    """The policy in a YAML file; raises PolicyError."""
    try:
        document = yaml.safe_load(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise PolicyError(f"{path}: {error}") from error
    try:
        policy = Policy.model_validate(document)
    except ValidationError as error:
        raise PolicyError("\n".join(_lines(path, error))) from error
    if problems := [f"{path}: {problem}" for problem in problems_of(policy)]:
        raise PolicyError("\n".join(problems))
    return policy


def stays(active: PolicyRef, policy: Policy) -> bool:
    """Whether a start leaves the active policy in force: it is another one, or a later version than the document."""
    return active.name != policy.name or active.version > policy.version


def _lines(path: Path, error: ValidationError) -> list[str]:
    details = error.errors(include_url=False, include_input=False)
    return [f"{path}: {'.'.join(map(str, detail['loc'])) or 'document'}: {detail['msg']}" for detail in details]
