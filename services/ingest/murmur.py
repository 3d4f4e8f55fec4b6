"""Kafka's own partitioning, so that ours puts a key where any Kafka client would."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

_SEED = 0x9747B28C
_M = 0x5BD1E995
_MASK = 0xFFFFFFFF


def murmur2(data: bytes) -> int:
    """The 32-bit hash that Kafka's default partitioner takes of a key."""
    size = len(data)
    value = _SEED ^ size
    whole = size & ~3
    for at in range(0, whole, 4):
        part = int.from_bytes(data[at : at + 4], "little") * _M & _MASK
        part = (part ^ part >> 24) * _M & _MASK
        value = value * _M & _MASK ^ part
    if whole != size:
        value = (value ^ int.from_bytes(data[whole:], "little")) * _M & _MASK
    value = (value ^ value >> 13) * _M & _MASK
    return value ^ value >> 15


@lru_cache(maxsize=20_000)
def partition_of_name(name: str, partitions: int) -> int:
    """The partition of a key that is text, such as a channel: few, and asked for again and again."""
    return partition_of(name.encode(), partitions)


def partition_of(key: bytes, partitions: int) -> int:
    """The partition of a key."""
    return (murmur2(key) & 0x7FFFFFFF) % partitions


def partitions_of(keys: NDArray[np.uint32], partitions: int) -> NDArray[np.uint16]:
    """The partitions of many keys of the same length, one a line, in little-endian words: all at once, with numpy."""
    words = keys * np.uint32(_M)
    words = (words ^ words >> np.uint32(24)) * np.uint32(_M)
    value = np.full(len(keys), _SEED ^ 4 * keys.shape[1], dtype=np.uint32)
    for column in words.T:
        value = value * np.uint32(_M) ^ column
    value = (value ^ value >> np.uint32(13)) * np.uint32(_M)
    value = (value ^ value >> np.uint32(15)) & np.uint32(0x7FFFFFFF)
    return (value % np.uint32(partitions)).astype(np.uint16)
