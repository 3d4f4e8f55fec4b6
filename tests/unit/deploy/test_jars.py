"""The cache of jars: fetched once, and never trusted."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from deploy.embedded.jars import JarError, ensure
from deploy.embedded.lock import Jar

CONTENT = b"the jar's bytes"
JAR = Jar("org.example", "thing", "1.0", hashlib.sha256(CONTENT).hexdigest())


class Registry:
    """Hands out `content` for every jar and counts how often it was asked."""

    def __init__(self, content: bytes = CONTENT) -> None:
        self.content = content
        self.asked = 0

    def __call__(self, jar: Jar, scratch: Path) -> Path:
        self.asked += 1
        place = scratch / "download"
        place.write_bytes(self.content)
        return place


def test_a_missing_jar_is_fetched_and_a_good_one_is_not_fetched_again(tmp_path: Path) -> None:
    registry, said = Registry(), list[str]()
    (path,) = ensure(tmp_path, [JAR], registry, said.append)
    assert path.read_bytes() == CONTENT
    assert "thing-1.0.jar" in said[-1]
    said.clear()
    assert ensure(tmp_path, [JAR], registry, said.append) == [path]
    assert (registry.asked, said) == (1, [])


def test_a_jar_that_was_tampered_with_is_fetched_again(tmp_path: Path) -> None:
    registry, said = Registry(), list[str]()
    (path,) = ensure(tmp_path, [JAR], registry, said.append)
    before = path.stat()
    path.write_bytes(CONTENT.swapcase())
    assert path.stat().st_size == before.st_size
    assert ensure(tmp_path, [JAR], registry, said.append)[0].read_bytes() == CONTENT
    assert registry.asked == 2
    assert any("is not the locked one" in line for line in said)


def test_what_comes_with_another_hash_is_refused_and_not_kept(tmp_path: Path) -> None:
    with pytest.raises(JarError, match=r"org\.example:thing:1\.0 is not the locked one"):
        ensure(tmp_path, [JAR], Registry(b"something else"), lambda _: None)
    assert list(tmp_path.iterdir()) == []


def test_a_failed_download_names_the_jar(tmp_path: Path) -> None:
    def unreachable(jar: Jar, scratch: Path) -> Path:
        raise OSError("no route")

    with pytest.raises(JarError, match=r"org\.example:thing:1\.0 could not be downloaded: no route"):
        ensure(tmp_path, [JAR], unreachable, lambda _: None)
