"""A policy as a document that people can read and apply again."""

import yaml

from schemas.policy import Policy


def text_of(policy: Policy) -> str:
    """YAML, without what is as it is by default. Comments are not kept on the topic, so there are none."""
    said = {"name": policy.name} | policy.model_dump(mode="json", exclude_defaults=True)
    return yaml.safe_dump(said, allow_unicode=True, sort_keys=False)
