"""Kafka's own partitioning where there are many keys to place."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from services.runtime.murmur import SEED, M, partition_of


@lru_cache(maxsize=20_000)
def partition_of_name(name: str, partitions: int) -> int:
    """The partition of a key that is text, such as a channel: few, and asked for again and again."""
    return partition_of(name.encode(), partitions)


def partitions_of(keys: NDArray[np.uint32], partitions: int) -> NDArray[np.uint16]:
    """The partitions of many keys of the same length, one a line, in little-endian words: all at once, with numpy."""
    words = keys * np.uint32(M)
    words = (words ^ words >> np.uint32(24)) * np.uint32(M)
    value = np.full(len(keys), SEED ^ 4 * keys.shape[1], dtype=np.uint32)
    for column in words.T:
        value = value * np.uint32(M) ^ column
    value = (value ^ value >> np.uint32(13)) * np.uint32(M)
    value = (value ^ value >> np.uint32(15)) & np.uint32(0x7FFFFFFF)
    return (value % np.uint32(partitions)).astype(np.uint16)
