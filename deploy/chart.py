"""`python -m deploy.chart [--check]`: writes what the Helm chart says of Kafka, or says that it is not current.

Topics from schemas/topics.py, users and their rights from schemas/access.py; the templates add the prefix.
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Any, Final

from schemas.access import EVERYONE, Right
from schemas.topics import TOPICS

CHART: Final = Path(__file__).parent / "helm" / "tidegate"
FILE: Final = CHART / "files" / "kafka.json"


def document() -> dict[str, Any]:
    """Topics, and by principal its rights, as Strimzi spells them."""
    return {
        "topics": [
            {"name": each.name, "single": each.single, "config": each.required() | each.tuning()}
            for each in TOPICS.values()
        ],
        "users": {name: [_acl(right) for right in each.rights()] for name, each in EVERYONE.items()},
    }


def _acl(right: Right) -> dict[str, Any]:
    pattern = "prefix" if right.prefixed else "literal"
    return {"type": right.resource, "name": right.name, "pattern": pattern, "operations": list(right.operations)}


def text() -> str:
    """The whole file: a topic, and a right, on a line each."""
    found = document()
    topics = ",\n".join(f"    {json.dumps(each)}" for each in found["topics"])
    users = ",\n".join(
        f'    "{name}": [\n' + ",\n".join(f"      {json.dumps(each)}" for each in rights) + "\n    ]"
        for name, rights in found["users"].items()
    )
    return f'{{\n  "topics": [\n{topics}\n  ],\n  "users": {{\n{users}\n  }}\n}}\n'


def main() -> int:
    """1 with `--check` when the file is not what the code says."""
    parser = argparse.ArgumentParser(prog="python -m deploy.chart", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing")
    if not parser.parse_args().check:
        FILE.write_text(text(), "utf-8")
        return 0
    if FILE.is_file() and FILE.read_text("utf-8") == text():
        return 0
    print("deploy/helm/tidegate/files/kafka.json is not current: python -m deploy.chart", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
