"""Ask a broker whether it serves, over its own protocol and without a client library."""

from __future__ import annotations

import socket
import struct

_METADATA, _FIND_COORDINATOR = 3, 10
_CLIENT = b"tidegate-probe"
_GROUP, _TRANSACTION = 0, 1
_NO_ERROR = 0


def request(key: int, version: int, body: bytes) -> bytes:
    """One request of Kafka's protocol, its length in front."""
    head = struct.pack(">hhih", key, version, 1, len(_CLIENT)) + _CLIENT
    return struct.pack(">i", len(head) + len(body)) + head + body


METADATA = request(_METADATA, 2, struct.pack(">i", -1))  # -1: of all topics
# Asking for a coordinator also creates the topic that it keeps its records in, so that the first client need not wait.
COORDINATORS = tuple(
    request(_FIND_COORDINATOR, 1, struct.pack(">h", len(_CLIENT)) + _CLIENT + struct.pack(">b", kind))
    for kind in (_GROUP, _TRANSACTION)
)


class _Reader:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def take(self, form: str) -> int:
        (value,) = struct.unpack_from(">" + form, self._data, self._at)
        self._at += struct.calcsize(form)
        return int(value)

    def text(self) -> str:
        length = max(0, self.take("h"))
        self._at += length
        return self._data[self._at - length : self._at].decode()

    def skip_ints(self) -> None:
        count = self.take("i")
        self._at += 4 * max(0, count)


def serves(response: bytes, cluster: str) -> bool:
    """Whether a metadata response (its bytes after the length) shows a broker and a leader for every partition.

    `cluster` is the id that it must name: on our port somebody else's broker may answer.
    """
    reader = _Reader(response)
    reader.take("i")
    brokers = reader.take("i")
    for _ in range(brokers):
        reader.take("i")
        reader.text()
        reader.take("i")
        reader.text()
    named = reader.text()
    reader.take("i")
    leaders = [leader for _ in range(reader.take("i")) for leader in _leaders(reader)]
    return named == cluster and brokers > 0 and all(leader >= 0 for leader in leaders)


def _leaders(reader: _Reader) -> list[int]:
    reader.take("h")
    reader.text()
    reader.take("b")
    leaders = []
    for _ in range(reader.take("i")):
        reader.take("h")
        reader.take("i")
        leaders.append(reader.take("i"))
        reader.skip_ints()
        reader.skip_ints()
    return leaders


def coordinates(response: bytes) -> bool:
    """Whether a response on a coordinator (its bytes after the length) names one."""
    _, _, error = struct.unpack_from(">iih", response)
    return bool(error == _NO_ERROR)


def is_ready(host: str, port: int, cluster: str, timeout: float = 1.0) -> bool:
    """One try: connect, ask, judge. False for any answer that is not there yet."""
    try:
        with socket.create_connection((host, port), timeout=timeout) as connection:
            if not serves(_ask(connection, METADATA), cluster):
                return False
            return all([coordinates(_ask(connection, question)) for question in COORDINATORS])  # noqa: C419 ask both
    except (OSError, ValueError, struct.error):  # not there, or not Kafka
        return False


def _ask(connection: socket.socket, question: bytes) -> bytes:
    connection.sendall(question)
    (size,) = struct.unpack(">i", _exactly(connection, 4))
    return _exactly(connection, size)


def _exactly(connection: socket.socket, size: int) -> bytes:
    chunks = bytearray()
    while len(chunks) < size:
        chunk = connection.recv(size - len(chunks))
        if not chunk:
            raise ConnectionError("the broker closed the connection")
        chunks += chunk
    return bytes(chunks)
