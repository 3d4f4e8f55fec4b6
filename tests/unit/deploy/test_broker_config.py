"""What the broker is told."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from deploy.embedded.config import cluster_id, cluster_of, java_command, server_properties


def properties(**extra: str) -> dict[str, str]:
    text = server_properties(Path("data"), 9092, 9093, extra)
    return dict(line.split("=", 1) for line in text.splitlines())


def test_it_listens_on_loopback_only() -> None:
    listeners = properties()["listeners"] + "," + properties()["advertised.listeners"]
    assert {listener.split("://")[1].rpartition(":")[0] for listener in listeners.split(",")} == {"127.0.0.1"}


def test_it_makes_no_topic_by_itself_and_takes_four_megabytes() -> None:
    told = properties()
    assert told["auto.create.topics.enable"] == "false"
    assert int(told["message.max.bytes"]) > 4 * 1024 * 1024
    assert int(told["replica.fetch.max.bytes"]) >= int(told["message.max.bytes"])


def test_extra_properties_have_the_last_word() -> None:
    assert properties(**{"num.io.threads": "9"})["num.io.threads"] == "9"


@given(st.uuids())
def test_a_cluster_id_never_reads_as_an_option(random: UUID) -> None:
    assert len(cluster_id(random)) == 22
    assert cluster_id(random)[0].isalpha()


def test_the_class_path_holds_every_jar() -> None:
    command = java_command(Path("java"), [Path("a.jar"), Path("b.jar")], 256, ["-Dx=y"], ["Main", "file"])
    assert command[0] == "java"
    assert "-Xmx256m" in command
    assert command[-4:] == ["-cp", "a.jar:b.jar", "Main", "file"]


def test_the_cluster_is_read_from_what_formatting_leaves() -> None:
    assert cluster_of("#\n#Mon\nversion=1\ncluster.id=AbC_d-1\nnode.id=1\n") == "AbC_d-1"
    assert cluster_of("version=1\n") == ""
