"""Frames and marks: what ingest writes to `frames.<subject>`. Internal and versioned, MessagePack.

A frame holds what one poll of ingest found for one partition of a subject: for each source partition a contiguous
slice of offsets, and the events of those slices in columns (little-endian, ready for numpy), each with its source
offset. A mark says how far ingest has read. Both travel on the same partitions, so a partition is a complete log.

Personal data has ended here: addresses and accounts are 16-byte pseudonyms.
"""

from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from schemas.rows import CaseRow, ComplaintRow, ContentRow, FloodRow, MentionRow, ReadingRow

FORMAT: Final = 3
RAW_TOPIC_ORDER: Final = (
    "channel-events",
    "complaint-events",
    "conversion-events",
    "mention-events",
    "market-events",
)
"""The raw topics by their number in a `source`; append only."""

END_OF_SOURCE: Final = 2**62
"""Added to the time up to which a source was read by one that has ended (`events` clock)."""


def source_of(topic: str, partition: int) -> int:
    """A source partition as one integer: the topic's number and the partition."""
    return RAW_TOPIC_ORDER.index(topic) << 16 | partition


def source_name(source: int) -> tuple[str, int]:
    """`(topic, partition)` of a source."""
    return RAW_TOPIC_ORDER[source >> 16], source & 0xFFFF


class Slice(msgspec.Struct, array_like=True, frozen=True):
    """Offsets `[first, next)` of one source partition; `rows` of the columns, in order, belong to it."""

    source: int
    first: int
    next: int
    rows: int


MEASURES: Final = (
    "impressions",
    "clicks",
    "searches",
    "spend_micros",
    "engagements",
    "leads",
    "accounts_opened",
    "purchases",
)
"""What a channel's pane adds up, by the code in a frame's `measure` column; append only. Spend is in millionths of CNY,
an integer, so that sums do not depend on their order."""

FEED_OF_MEASURE: Final = (0, 0, 0, 0, 0, 2, 2, 2)
"""The raw topic (its number) that feeds each measure."""


SEGMENTS: Final = ("young", "middle", "silver", "high_net_worth")
"""Of customers, by the code in a frame's `segment` column; append only."""
NO_SEGMENT: Final = 255


class ChannelFrame(msgspec.Struct, array_like=True, frozen=True, tag="channel"):
    """Rows of numeric columns, one an event that adds to a channel's panes, and the complaints beside them.

    offset, at_ms, amount: int64. channel: int32, an index into `channels`. measure: uint8, an index into MEASURES.
    The rows of slice 0 come first, then those of slice 1, and so on.

    For people's figures, of the rows that tell more: parted: int32, which row; product: int32, an index into `products`
    or -1; segment: uint8, an index into SEGMENTS or NO_SEGMENT; paid: int64, of a purchase, in millionths of CNY.
    """

    v: int
    slices: list[Slice]
    channels: list[str]
    offset: bytes
    at_ms: bytes
    channel: bytes
    measure: bytes
    amount: bytes
    complaints: list[ComplaintRow]
    products: list[str] = []
    parted: bytes = b""
    product: bytes = b""
    segment: bytes = b""
    paid: bytes = b""


class ActorFrame(msgspec.Struct, array_like=True, frozen=True, tag="actor"):
    """Clicks with an address, one a row of the columns, and the one-click complaints beside them.

    offset, at_ms, count: int64. actor: int32, an index into `actors`, which holds 16 bytes each, joined. account:
    int32, likewise into `accounts`; channel, link: int32 into `names`. -1 stands for none.
    """

    v: int
    slices: list[Slice]
    actors: bytes
    accounts: bytes
    names: list[str]
    offset: bytes
    at_ms: bytes
    actor: bytes
    account: bytes
    channel: bytes
    link: bytes
    count: bytes
    complaints: list[FloodRow]


class ProductFrame(msgspec.Struct, array_like=True, frozen=True, tag="product"):
    """What adds to a product's panes, one a row, and which channels carried which product in which hour.

    offset, at_ms, amount: int64. product: int32, an index into `products`; measure: uint8, an index into MEASURES.
    carried_product, carried_channel, carried_hour: int32, indices into `products` and `channels`, and the hour since
    the epoch; each combination once. carried_slice: int32, an index into `slices`, and carried_offset: int64, of the
    first event of a combination: by it evidence says how that is known.
    """

    v: int
    slices: list[Slice]
    products: list[str]
    channels: list[str]
    offset: bytes
    at_ms: bytes
    product: bytes
    measure: bytes
    amount: bytes
    carried_product: bytes
    carried_channel: bytes
    carried_hour: bytes
    carried_slice: bytes
    carried_offset: bytes


class ComplaintFrame(msgspec.Struct, array_like=True, frozen=True, tag="complaint"):
    """What happened to complaints; the slices have no rows of columns."""

    v: int
    slices: list[Slice]
    rows: list[CaseRow]


class ContentFrame(msgspec.Struct, array_like=True, frozen=True, tag="content"):
    """Content published and removed."""

    v: int
    slices: list[Slice]
    rows: list[ContentRow]


class BrandFrame(msgspec.Struct, array_like=True, frozen=True, tag="brand"):
    """Mentions."""

    v: int
    slices: list[Slice]
    rows: list[MentionRow]


class MarketFrame(msgspec.Struct, array_like=True, frozen=True, tag="market"):
    """Readings of the market."""

    v: int
    slices: list[Slice]
    rows: list[ReadingRow]


class Read(msgspec.Struct, array_like=True, frozen=True):
    """How far one source partition has been read: the next offset, and the time up to which nothing is missing."""

    source: int
    next: int
    time_ms: int


class Anew(msgspec.Struct, array_like=True, frozen=True):
    """Ingest's books of a source partition were begun anew, since somebody else had set its committed offset.

    since_ms: when, which also tells one beginning from another. base: the offset from which they count.
    """

    source: int
    since_ms: int
    base: int


class Mark(msgspec.Struct, array_like=True, frozen=True, tag="mark"):
    """Ingest's word, once a second, on how far it has read; sent after its frames are acknowledged.

    roster: every source partition there is. read: those that this ingest owns. policy: `name/version`, in force from
    here on. document: the policy itself as JSON, in an ingest's first mark and whenever it changes, else nothing.
    clock: `wall` or `events`. anew: of the sources in question, so that who counts after ingest can begin anew as well.
    """

    v: int
    wall_ms: int
    clock: str
    roster: list[int]
    read: list[Read]
    policy: str
    document: bytes | None
    anew: list[Anew] = []


RowFrame = ComplaintFrame | ContentFrame | BrandFrame | MarketFrame
"""Those of subjects whose events are rows."""
SubjectFrame = ChannelFrame | ActorFrame | ProductFrame | RowFrame
AnyFrame = SubjectFrame | Mark

_ENCODER: Final = msgspec.msgpack.Encoder()
_DECODER: Final[msgspec.msgpack.Decoder[AnyFrame]] = msgspec.msgpack.Decoder(AnyFrame)


class UnknownFormatError(ValueError):
    """A frame of another format version: a newer ingest is at work, or the topic holds something else."""


def encode(frame: AnyFrame) -> bytes:
    """The bytes of one Kafka message."""
    return _ENCODER.encode(frame)


def decode(raw: bytes) -> AnyFrame:
    """The frame or mark in one Kafka message; raises UnknownFormatError."""
    try:
        frame: AnyFrame = _DECODER.decode(raw)
    except msgspec.MsgspecError as error:
        raise UnknownFormatError(f"not a frame of format {FORMAT}: {error}") from error
    if frame.v != FORMAT:
        raise UnknownFormatError(f"frame format {frame.v}, this release reads {FORMAT}")
    return frame


def int64(column: bytes) -> NDArray[np.int64]:
    """A column of 64-bit integers, without a copy."""
    return np.frombuffer(column, dtype="<i8")


def int32(column: bytes) -> NDArray[np.int32]:
    """A column of 32-bit integers, without a copy."""
    return np.frombuffer(column, dtype="<i4")


def uint8(column: bytes) -> NDArray[np.uint8]:
    """A column of bytes, without a copy."""
    return np.frombuffer(column, dtype="u1")
