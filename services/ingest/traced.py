"""Which traced events are in which frame. Pure."""

from collections.abc import Iterator, Mapping

from schemas.frames import ActorFrame, ChannelFrame, ProductFrame, SubjectFrame, int64
from services.runtime.tracing.traces import MOST, Context, Headers

Traced = Mapping[int, Mapping[int, Context]]
"""By source and offset."""


def headers_of(frame: SubjectFrame, traced: Traced) -> Headers:
    """A header for each trace that has an event in the frame, up to MOST of them."""
    if traced.keys().isdisjoint(part.source for part in frame.slices):
        return ()
    found = (traced.get(source, {}).get(offset) for source, offset in _places(frame))
    return tuple(each.header() for each in list(dict.fromkeys(filter(None, found)))[:MOST])


def _places(frame: SubjectFrame) -> Iterator[tuple[int, int]]:
    """The source and offset of every row."""
    if isinstance(frame, ChannelFrame | ActorFrame | ProductFrame):
        offsets = iter(int64(frame.offset).tolist())
        for part in frame.slices:
            yield from ((part.source, next(offsets)) for _ in range(part.rows))
    if not isinstance(frame, ProductFrame):
        rows = frame.complaints if isinstance(frame, ChannelFrame | ActorFrame) else frame.rows
        yield from ((frame.slices[row.slice].source, row.offset) for row in rows)
