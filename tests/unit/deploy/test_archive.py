"""The archive of Kafka's classes belongs to jars and Java as they are."""

from __future__ import annotations

import os
from pathlib import Path

from deploy.embedded.archive import archive, forget_others, use


def test_other_jars_mean_another_archive(tmp_path: Path) -> None:
    jar = tmp_path / "a.jar"
    jar.write_bytes(b"one")
    before = archive([jar], tmp_path)
    assert archive([jar], tmp_path) == before
    os.utime(jar, (1, 1))
    assert archive([jar], tmp_path) != before


def test_it_is_used_only_if_it_is_there(tmp_path: Path) -> None:
    place = archive([], tmp_path)
    assert use(place) == []
    place.write_bytes(b"")
    assert f"-XX:AOTCache={place}" in use(place)


def test_only_the_present_one_is_kept(tmp_path: Path) -> None:
    place = archive([], tmp_path)
    other, unrelated = tmp_path / "kafka-classes-0123.aot", tmp_path / "pyvenv.cfg"
    for path in (place, other, unrelated):
        path.write_bytes(b"")
    forget_others(place)
    assert sorted(tmp_path.iterdir()) == sorted([place, unrelated])
