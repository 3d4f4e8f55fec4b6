"""Write the lock anew: `python -m deploy.embedded.relock [KAFKA_VERSION]`."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import jgo

from deploy.embedded.jars import LOCK_FILE, fetch_from_central, locked, sha256_of
from deploy.embedded.lock import Jar, kafka_version, render

# Kafka speaks through slf4j and brings no voice; the simple one has no configuration to load at start.
_SLF4J_ARTIFACT = "slf4j-api"


def resolve(version: str) -> list[Jar]:
    """All jars of that Kafka, resolved and hashed."""
    found = {(a.groupId, a.artifactId, a.version) for a in jgo.resolve(f"org.apache.kafka:kafka_2.13:{version}")}
    found |= {("org.slf4j", "slf4j-simple", v) for _, artifact, v in found if artifact == _SLF4J_ARTIFACT}
    jars = []
    with tempfile.TemporaryDirectory() as scratch:
        for group, artifact, at in sorted(found):
            print(f"{group}:{artifact}:{at}", flush=True)
            path = fetch_from_central(Jar(group, artifact, at, ""), Path(scratch))
            jars.append(Jar(group, artifact, at, sha256_of(path)))
    return jars


def main(arguments: list[str]) -> int:
    version = arguments[0] if arguments else kafka_version(locked())
    LOCK_FILE.write_text(render(resolve(version)), encoding="utf-8")
    print(f"{LOCK_FILE.name} written for Apache Kafka {version}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
