"""A policy as a document that people can read and apply again."""

import yaml

from schemas.policy import Policy
from services.policies.documents import RESOLVERS


class _Dumper(yaml.SafeDumper):
    """Quotes every text that YAML 1.1 (`no`) or YAML 1.2 (`88E01`) would take for something else."""

    yaml_implicit_resolvers = yaml.SafeDumper.yaml_implicit_resolvers | RESOLVERS


def text_of(policy: Policy) -> str:
    """YAML, without what is as it is by default. Comments are not kept on the topic, so there are none."""
    said = {"name": policy.name} | policy.model_dump(mode="json", exclude_defaults=True)
    return yaml.dump(said, Dumper=_Dumper, allow_unicode=True, sort_keys=False)
