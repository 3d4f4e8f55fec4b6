"""Ask a broker whether it serves, over its own protocol and without a client library."""

from __future__ import annotations

import socket
import struct

_METADATA = 3
_VERSION = 1
_CLIENT = b"tidegate-probe"
# Topics `null` (-1): all of them.
_BODY = struct.pack(">hhih", _METADATA, _VERSION, 1, len(_CLIENT)) + _CLIENT + struct.pack(">i", -1)
REQUEST = struct.pack(">i", len(_BODY)) + _BODY


class _Reader:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def take(self, form: str) -> int:
        (value,) = struct.unpack_from(">" + form, self._data, self._at)
        self._at += struct.calcsize(form)
        return int(value)

    def skip_text(self) -> None:
        length = self.take("h")
        self._at += max(0, length)

    def skip_ints(self) -> None:
        count = self.take("i")
        self._at += 4 * max(0, count)


def serves(response: bytes) -> bool:
    """Whether a metadata response (its bytes after the length) shows a broker and a leader for every partition."""
    reader = _Reader(response)
    reader.take("i")
    brokers = reader.take("i")
    for _ in range(brokers):
        reader.take("i")
        reader.skip_text()
        reader.take("i")
        reader.skip_text()
    reader.take("i")
    leaders = [leader for _ in range(reader.take("i")) for leader in _leaders(reader)]
    return brokers > 0 and all(leader >= 0 for leader in leaders)


def _leaders(reader: _Reader) -> list[int]:
    reader.take("h")
    reader.skip_text()
    reader.take("b")
    leaders = []
    for _ in range(reader.take("i")):
        reader.take("h")
        reader.take("i")
        leaders.append(reader.take("i"))
        reader.skip_ints()
        reader.skip_ints()
    return leaders


def is_ready(host: str, port: int, timeout: float = 1.0) -> bool:
    """One try: connect, ask for the metadata, judge it. False for any answer that is not there yet."""
    try:
        with socket.create_connection((host, port), timeout=timeout) as connection:
            connection.sendall(REQUEST)
            (size,) = struct.unpack(">i", _exactly(connection, 4))
            return serves(_exactly(connection, size))
    except (OSError, struct.error):
        return False


def _exactly(connection: socket.socket, size: int) -> bytes:
    chunks = bytearray()
    while len(chunks) < size:
        chunk = connection.recv(size - len(chunks))
        if not chunk:
            raise ConnectionError("the broker closed the connection")
        chunks += chunk
    return bytes(chunks)
