"""Kafka's own partitioning, so that ours puts a key where any Kafka client would. Pure, unlike aiokafka's."""

from typing import Final

SEED: Final = 0x9747B28C
M: Final = 0x5BD1E995
_MASK: Final = 0xFFFFFFFF


def murmur2(data: bytes) -> int:
    """The 32-bit hash that Kafka's default partitioner takes of a key."""
    size = len(data)
    value = SEED ^ size
    whole = size & ~3
    for at in range(0, whole, 4):
        part = int.from_bytes(data[at : at + 4], "little") * M & _MASK
        part = (part ^ part >> 24) * M & _MASK
        value = value * M & _MASK ^ part
    if whole != size:
        value = (value ^ int.from_bytes(data[whole:], "little")) * M & _MASK
    value = (value ^ value >> 13) * M & _MASK
    return value ^ value >> 15


def partition_of(key: bytes, partitions: int) -> int:
    """The partition of a key."""
    return (murmur2(key) & 0x7FFFFFFF) % partitions


def misplaced(key: bytes, partition: int, partitions: int) -> str | None:
    """Why a record with this key must not be on this partition; None where it belongs there."""
    home = partition_of(key, partitions)
    if home == partition:
        return None
    return f"on partition {partition}, its key belongs on {home}: the sender does not place records as Kafka does"
