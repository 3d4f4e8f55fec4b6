"""Unpacks what a batch of records holds, never more than a given number of bytes: a few kilobytes may stand for
gigabytes, and whoever may write to a raw topic may send them."""

import zlib
from collections.abc import Callable, Iterator
from typing import Any, Final

import cramjam
import numpy as np

from services.ingest.reading.records import UnreadableError

_GZIP_FRAMING: Final = 31
_XERIAL: Final = b"\x82SNAPPY\0"
_XERIAL_HEADER: Final = 16
"""Java's framing of snappy: the magic, two versions, then blocks, each after its length."""


def inflate(codec: int, packed: bytes, limit: int) -> bytes:
    """What `packed` stands for, by Kafka's number of the codec. Raises UnreadableError past `limit` bytes."""
    if codec not in _CODECS:
        raise UnreadableError(f"it has a compression, number {codec}, that is not known")
    name, unpack = _CODECS[codec]
    try:
        return unpack(packed, limit)
    except (cramjam.DecompressionError, zlib.error) as error:
        raise UnreadableError(f"it holds {name} that is broken, or unpacks to more than {limit:,} bytes") from error


def _gzip(packed: bytes, limit: int) -> bytes:
    parts, room = [], limit
    while packed:
        member = zlib.decompressobj(_GZIP_FRAMING)
        parts.append(member.decompress(packed, room + 1))
        room -= len(parts[-1])
        if room < 0 or not member.eof:
            raise zlib.error("too long, or cut off")
        packed = member.unused_data
    return b"".join(parts)


def _snappy(packed: bytes, limit: int) -> bytes:
    blocks = list(_xerial_blocks(packed)) if packed.startswith(_XERIAL) else [packed]
    if sum(map(cramjam.snappy.decompress_raw_len, blocks)) > limit:
        raise UnreadableError(f"it holds snappy that unpacks to more than {limit:,} bytes")
    return b"".join(bytes(cramjam.snappy.decompress_raw(block)) for block in blocks)


def _xerial_blocks(packed: bytes) -> Iterator[bytes]:
    place = _XERIAL_HEADER
    while place < len(packed):
        begin = place + 4
        place = begin + int.from_bytes(packed[place:begin], "big")
        yield packed[begin:place]


def _snug(decompress_into: Callable[[bytes, Any], int]) -> Callable[[bytes, int], bytes]:
    """By a function of cramjam that writes into memory of ours, and never past its end."""

    def unpack(packed: bytes, limit: int) -> bytes:
        room = np.empty(limit, np.uint8)
        return room[: decompress_into(packed, room)].tobytes()

    return unpack


_CODECS: Final[dict[int, tuple[str, Callable[[bytes, int], bytes]]]] = {
    1: ("gzip", _gzip),
    2: ("snappy", _snappy),
    3: ("lz4", _snug(cramjam.lz4.decompress_into)),
    4: ("zstd", _snug(cramjam.zstd.decompress_into)),
}
