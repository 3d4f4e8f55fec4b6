"""The lock of Kafka's jars: which ones, and what each must hash to."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

_LINE = re.compile(r"(?P<group>[\w.-]+):(?P<artifact>[\w.-]+):(?P<version>[\w.+-]+) sha256:(?P<sha256>[0-9a-f]{64})")
_KAFKA = ("org.apache.kafka", "kafka_2.13")


class LockError(Exception):
    """The lock file cannot be used as it is."""


@dataclass(frozen=True, slots=True)
class Jar:
    """One jar by its Maven coordinates, with the SHA-256 (hex) that its bytes must have."""

    group: str
    artifact: str
    version: str
    sha256: str

    @property
    def filename(self) -> str:
        return f"{self.artifact}-{self.version}.jar"

    @property
    def coordinates(self) -> str:
        return f"{self.group}:{self.artifact}:{self.version}"


def parse(text: str) -> tuple[Jar, ...]:
    """Read a lock; raises LockError that names the line that is wrong."""
    jars: list[Jar] = []
    for number, line in enumerate(text.splitlines(), start=1):
        entry = line.strip()
        if not entry or entry.startswith("#"):
            continue
        match = _LINE.fullmatch(entry)
        if match is None:
            raise LockError(f"line {number}: not 'group:artifact:version sha256:<64 hex digits>'")
        jars.append(Jar(**match.groupdict()))
    if not jars:
        raise LockError("no jar in the lock")
    names = [jar.filename for jar in jars]
    doubles = sorted({name for name in names if names.count(name) > 1})
    if doubles:
        raise LockError(f"more than once in the lock: {', '.join(doubles)}")
    return tuple(jars)


def render(jars: Iterable[Jar]) -> str:
    """Write a lock, sorted so that a new one differs only where the jars do."""
    lines = sorted(f"{jar.coordinates} sha256:{jar.sha256}" for jar in jars)
    return "# Written by `python -m deploy.embedded.relock`; do not edit.\n" + "\n".join(lines) + "\n"


def kafka_version(jars: Iterable[Jar]) -> str:
    """The version of Apache Kafka that the lock holds."""
    for jar in jars:
        if (jar.group, jar.artifact) == _KAFKA:
            return jar.version
    raise LockError(f"the lock holds no {':'.join(_KAFKA)}")
