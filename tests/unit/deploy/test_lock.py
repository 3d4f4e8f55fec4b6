"""The lock of Kafka's jars."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy.embedded.jars import locked
from deploy.embedded.lock import Jar, LockError, kafka_version, parse, render

HASH = "ab" * 32
names = st.text(st.sampled_from("abcxyz019._-"), min_size=1, max_size=12)
hashes = st.text(st.sampled_from("0123456789abcdef"), min_size=64, max_size=64)
jars = st.lists(st.builds(Jar, names, names, names, hashes), min_size=1, unique_by=lambda jar: jar.filename)


@given(jars)
def test_what_is_written_is_read_back(entries: list[Jar]) -> None:
    assert set(parse(render(entries))) == set(entries)


@pytest.mark.parametrize(
    "line", ["org.x:y:1", f"org.x:y:1 sha256:{HASH[1:]}", f"org.x:y sha256:{HASH}", f"org.x:../y:1 sha256:{HASH}"]
)
def test_a_line_that_is_not_one_is_refused_by_its_number(line: str) -> None:
    with pytest.raises(LockError, match="line 2"):
        parse(f"# head\n{line}\n")


def test_an_empty_lock_is_refused() -> None:
    with pytest.raises(LockError, match="no jar"):
        parse("# nothing\n")


def test_a_jar_may_be_locked_once_only() -> None:
    with pytest.raises(LockError, match=r"y-1\.jar"):
        parse(f"a:y:1 sha256:{HASH}\nb:y:1 sha256:{HASH}\n")


def test_the_committed_lock_holds_kafka_and_a_voice_for_its_logs() -> None:
    assert kafka_version(locked()).startswith("4.")
    assert "slf4j-simple" in {jar.artifact for jar in locked()}


def test_a_lock_without_kafka_has_no_version() -> None:
    with pytest.raises(LockError, match="kafka_2"):
        kafka_version(parse(f"a:y:1 sha256:{HASH}"))
