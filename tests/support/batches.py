"""Record batches as a broker keeps them, byte by byte: also such as no client of ours would send."""

from typing import Any, Final

from aiokafka.codec import gzip_encode, lz4_encode, snappy_encode, zstd_encode
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from aiokafka.record.util import calc_crc32c

STAMP: Final = 1_795_426_200_250
PRODUCER: Final = 77
CODECS: Final = {"gzip": 1, "snappy": 2, "lz4": 3, "zstd": 4}


def batch(
    first: int, *values: bytes | None, stamp: int = STAMP, transaction: bool = False, codec: int = 0, **parts: Any
) -> bytes:
    """One batch as a broker keeps it, with the append time of the log."""
    builder = DefaultRecordBatchBuilder(2, codec, transaction, PRODUCER if transaction else -1, 0, 0, 1 << 20)
    for index, value in enumerate(values):
        builder.append(index, STAMP, parts.get("key"), value, parts.get("headers", []))
    return appended(builder.build(), first, stamp)


def appended(raw: bytearray, first: int, stamp: int, attributes: int = 0) -> bytes:
    """What a broker writes into a batch: its place, its time, and what kind of time that is."""
    raw[0:8] = first.to_bytes(8, "big")
    raw[22] |= 0b1000 | attributes
    raw[35:43] = stamp.to_bytes(8, "big")
    return checked(raw)


def checked(raw: bytearray) -> bytes:
    """With the checksum that fits."""
    raw[17:21] = calc_crc32c(memoryview(raw)[21:]).to_bytes(4, "big")
    return bytes(raw)


def repacked(plain: bytes, body: bytes, codec: int) -> bytes:
    """A batch with the same header before another body."""
    head = plain[:8] + (49 + len(body)).to_bytes(4, "big") + plain[12:61]
    return appended(bytearray(head + body), int.from_bytes(plain[:8], "big"), STAMP, attributes=codec)


def encode(codec: int, body: bytes) -> bytes:
    """Compressed, by Kafka's number of the codec."""
    return bytes({1: gzip_encode, 2: snappy_encode, 3: lz4_encode, 4: zstd_encode}[codec](body))
