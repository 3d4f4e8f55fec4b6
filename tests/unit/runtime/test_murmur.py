"""Keys go where Kafka's own clients put them."""

from aiokafka.partitioner import murmur2 as kafkas_murmur2
from hypothesis import given
from hypothesis import strategies as st

from services.runtime.murmur import misplaced, murmur2, partition_of


@given(st.binary(max_size=64))
def test_partitions_are_kafkas(key: bytes) -> None:
    assert murmur2(key) == kafkas_murmur2(key) & 0xFFFFFFFF
    assert partition_of(key, 7) == (kafkas_murmur2(key) & 0x7FFFFFFF) % 7


@given(st.binary(max_size=20), st.integers(1, 9))
def test_a_key_is_misplaced_everywhere_but_at_home(key: bytes, partitions: int) -> None:
    home = partition_of(key, partitions)
    found = [number for number in range(partitions) if misplaced(key, number, partitions) is None]
    assert found == [home]
    assert f"its key belongs on {home}" in (misplaced(key, partitions, partitions) or "")
