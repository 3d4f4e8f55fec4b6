"""From the bytes of a request to the bytes of its events. Pure."""

import contextlib
import re
import zlib
from collections.abc import Iterator
from typing import Final

import msgspec

JSON: Final = "application/json"
NDJSON: Final = "application/x-ndjson"
PIECE: Final = 256 * 1024
MAX_MEMBERS: Final = 100
"""Gzip files may be joined; each of the parts costs a copy of what is left."""
MARKS_PER_EVENT: Final = 100
"""Commas, brackets and strings to expect of an event on average when a body is bounded before it is taken apart."""

_GZIP: Final = 31  # zlib's window bits for the gzip format, header checked
_WHITESPACE: Final = b" \t\n\r"
_ARRAY: Final = msgspec.json.Decoder(list[msgspec.Raw])
# A string that does not end is taken to the end of the body, and nothing is tried twice: linear in any input.
_TOKEN: Final = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z)|[\[\]{},]', re.DOTALL)


class UnreadableError(ValueError):
    """The body as a whole is not what its headers say. The message is for the sender and quotes nothing."""


class TooLargeError(ValueError):
    """More bytes or events than one request may have."""


def inflate(data: bytes, limit: int) -> Iterator[bytes]:
    """What a gzip body holds, at most `limit` bytes, in pieces of up to PIECE.

    Raises UnreadableError, and TooLargeError before more is unpacked than may be.
    """
    size = 0
    for _ in range(MAX_MEMBERS):
        member = zlib.decompressobj(_GZIP)
        while not member.eof:
            try:
                piece = member.decompress(data, min(PIECE, limit + 1 - size))
            except zlib.error:
                raise UnreadableError("the body is not gzip") from None
            data = member.unconsumed_tail or member.unused_data
            if not piece and not member.eof and not data:
                raise UnreadableError("the gzip body is cut off")
            size += len(piece)
            if size > limit:
                raise TooLargeError(f"the body unpacks to more than {limit} bytes")
            yield piece
        if not data:
            return
    raise UnreadableError("the gzip body has too many members")


def split(body: bytes, content_type: str, limit: int) -> list[bytes]:
    """The bytes of each event, at most `limit` events, whatever is in them.

    content_type: JSON (one object, or an array of them) or NDJSON (one a line; empty lines do not count). Raises
    UnreadableError where the events cannot be told apart, TooLargeError.
    """
    body = body.strip(_WHITESPACE)
    if not body:
        raise UnreadableError("the body is empty")
    if content_type == NDJSON:
        events = _lines(body, limit)
    elif body.startswith(b"["):
        events = _elements(body, limit)
    else:
        events = [body]
    if len(events) > limit:
        raise TooLargeError(f"more than {limit} events in one request")
    return events


def _lines(body: bytes, limit: int) -> list[bytes]:
    if body.count(b"\n") > 2 * limit:  # before a million empty lines become a million objects
        raise TooLargeError(f"more than {2 * limit} lines in one request")
    return [line for line in (part.strip(_WHITESPACE) for part in body.split(b"\n")) if line]


def _elements(body: bytes, limit: int) -> list[bytes]:
    """The elements of a JSON array: by msgspec, or one by one where a single bad one must not spoil the others."""
    if body.count(b",") <= MARKS_PER_EVENT * limit:  # msgspec would make millions of objects of `[1,1,1,…`
        with contextlib.suppress(msgspec.DecodeError, RecursionError):
            return [bytes(raw) for raw in _ARRAY.decode(body)]
    return _scan(body, limit)


def _scan(body: bytes, limit: int) -> list[bytes]:
    """What stands between the commas of the outermost array; looks at nothing but strings, brackets and commas."""
    found: list[bytes] = []
    depth, start = 0, 1
    for count, token in enumerate(_TOKEN.finditer(body)):
        if count > MARKS_PER_EVENT * limit:
            raise UnreadableError("the array is too intricate to tell its events apart; send it as NDJSON")
        mark = token[0]
        if mark in (b"[", b"{"):
            depth += 1
        elif mark in (b"]", b"}"):
            depth -= 1
        if depth == 0 or (depth == 1 and mark == b","):
            found.append(body[start : token.start()].strip(_WHITESPACE))
            start = token.end()
        if depth == 0 or len(found) > limit:
            break
    else:
        raise UnreadableError("the array does not end")
    if depth == 0 and start != len(body):
        raise UnreadableError("there is something after the end of the array")
    return found
